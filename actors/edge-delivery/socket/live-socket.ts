/**
 * One live socket as a state machine: what each event makes of it, and what is to be done then.
 *
 *   connecting --hello--> joining --welcomed--> greeted
 *
 * What a page says before it is welcome waits, up to a bound: a page may send `hello` and a comment at once. A later `hello` changes who
 * it is. Its peer is pinged when it was silent for 25 s, and gone when it was silent for 75 s: what is sent to it is no sign of life (A8).
 */
import type { LeftOff } from '../../../cluster/contract/audience/audience-feed.ts';
import type { ClientMessage, ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import { socketCloses, type SocketClose } from '../../../cluster/contract/audience/socket-closes.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import type { Heard } from './heard.ts';

export type Hello = Extract<ClientMessage, { type: 'hello' }>;
export type CommentMessage = Extract<ClientMessage, { type: 'comment' }>;
/** What the comments actor is asked for. */
export type Asked = CommentMessage | Extract<ClientMessage, { type: 'like' | 'unlike' }>;
/** What somebody does who is welcome. */
export type Deed = Asked | Extract<ClientMessage, { type: 'react' }>;

interface Life {
  readonly openedMs: number;
  readonly heardMs: number;
  readonly pingedMs: number;
}

export type LiveSocket =
  | (Life & { readonly kind: 'connecting' })
  | (Life & { readonly kind: 'joining'; readonly early: readonly Deed[] })
  | (Life & { readonly kind: 'greeted' })
  | (Life & { readonly kind: 'closed' });

export type SocketEvent =
  | { readonly kind: 'heard'; readonly heard: Heard; readonly nowMs: number }
  | { readonly kind: 'alive'; readonly nowMs: number }
  | { readonly kind: 'flooded' }
  | { readonly kind: 'welcomed' }
  /** The server does not go on with it. `error` is told before. */
  | { readonly kind: 'refused'; readonly error?: unknown; readonly close: SocketClose }
  | { readonly kind: 'gone' }
  | { readonly kind: 'time'; readonly nowMs: number };

export type SocketEffect =
  | { readonly kind: 'join'; readonly hello: Hello }
  | { readonly kind: 'become'; readonly hello: Hello }
  | { readonly kind: 'do'; readonly deed: Deed }
  | { readonly kind: 'pong' }
  | { readonly kind: 'ping' }
  | { readonly kind: 'tell'; readonly error: unknown; readonly about?: About }
  | { readonly kind: 'end'; readonly close: SocketClose };

/** Which message an error answers, as far as it can be told. */
export type About = Pick<Extract<ServerMessage, { type: 'error' }>, 'to' | 'clientId' | 'id'>;

export interface Advanced {
  readonly socket: LiveSocket;
  readonly effects: readonly SocketEffect[];
}

export const helloMs = 10_000;
export const pingMs = 25_000;
export const goneMs = 75_000;
/** How much of what is said before `welcome` waits. */
const mostEarly = 16;

export const newSocket = (nowMs: number): LiveSocket => ({
  kind: 'connecting',
  openedMs: nowMs,
  heardMs: nowMs,
  pingedMs: nowMs,
});

/** An event that changes nothing returns the same object. A closed socket stays closed. */
export function advance(socket: LiveSocket, event: SocketEvent): Advanced {
  if (socket.kind === 'closed') return { socket, effects: [] };
  switch (event.kind) {
    case 'heard':
      return onHeard({ ...socket, heardMs: event.nowMs }, event.heard);
    case 'alive':
      return { socket: { ...socket, heardMs: event.nowMs }, effects: [] };
    case 'flooded':
      return closed(socket, socketCloses.flood);
    case 'welcomed':
      return onWelcomed(socket);
    case 'refused':
      return closed(socket, event.close, event.error);
    case 'gone':
      return { socket: { ...lifeOf(socket), kind: 'closed' }, effects: [] };
    case 'time':
      return onTime(socket, event.nowMs);
    default:
      return unreachable(event);
  }
}

function onHeard(socket: Exclude<LiveSocket, { kind: 'closed' }>, heard: Heard): Advanced {
  if (heard.kind === 'fault') return onFault(socket, heard);
  const { message } = heard;
  switch (message.type) {
    case 'ping':
      return { socket, effects: [{ kind: 'pong' }] };
    case 'hello':
      return onHello(socket, message);
    default:
      return onDeed(socket, message);
  }
}

function onFault(socket: LiveSocket, { error, clientId, close }: Heard & { kind: 'fault' }): Advanced {
  const about = clientId === undefined ? {} : { about: { clientId } };
  const tell = { kind: 'tell', error, ...about } as const;
  if (close === undefined) return { socket, effects: [tell] };
  return closed(socket, close, error);
}

function onHello(socket: Exclude<LiveSocket, { kind: 'closed' }>, hello: Hello): Advanced {
  switch (socket.kind) {
    case 'connecting':
      return {
        socket: { ...lifeOf(socket), kind: 'joining', early: [] },
        effects: [{ kind: 'join', hello }],
      };
    case 'joining':
      return { socket, effects: [told('BAD_REQUEST', 'The hello before this one is not answered yet.')] };
    case 'greeted':
      return { socket, effects: [{ kind: 'become', hello }] };
    default:
      return unreachable(socket);
  }
}

function onDeed(socket: Exclude<LiveSocket, { kind: 'closed' }>, deed: Deed): Advanced {
  switch (socket.kind) {
    case 'connecting':
      return closed(
        socket,
        socketCloses.noHello,
        new TangazaError('BAD_REQUEST', 'The first message of a socket is hello.'),
      );
    case 'joining':
      return socket.early.length < mostEarly
        ? { socket: { ...socket, early: [...socket.early, deed] }, effects: [] }
        : { socket, effects: [told('OVERLOADED', 'Wait for welcome before you say more.', deed)] };
    case 'greeted':
      return { socket, effects: [{ kind: 'do', deed }] };
    default:
      return unreachable(socket);
  }
}

function onWelcomed(socket: LiveSocket): Advanced {
  if (socket.kind !== 'joining') return { socket, effects: [] };
  return {
    socket: { ...lifeOf(socket), kind: 'greeted' },
    effects: socket.early.map((deed) => ({ kind: 'do', deed })),
  };
}

function onTime(socket: LiveSocket, nowMs: number): Advanced {
  const isMute = socket.kind === 'connecting' && nowMs - socket.openedMs >= helloMs;
  if (isMute || nowMs - socket.heardMs >= goneMs) return closed(socket, socketCloses.late);
  if (nowMs - Math.max(socket.heardMs, socket.pingedMs) < pingMs) return { socket, effects: [] };
  return { socket: { ...socket, pingedMs: nowMs }, effects: [{ kind: 'ping' }] };
}

function closed(socket: LiveSocket, close: SocketClose, error?: unknown): Advanced {
  return {
    socket: { ...lifeOf(socket), kind: 'closed' },
    effects: [...(error === undefined ? [] : [{ kind: 'tell', error } as const]), { kind: 'end', close }],
  };
}

const lifeOf = ({ openedMs, heardMs, pingedMs }: LiveSocket): Life => ({ openedMs, heardMs, pingedMs });

function told(code: 'BAD_REQUEST' | 'OVERLOADED', detail: string, deed?: Deed): SocketEffect {
  const about = deed === undefined ? {} : { about: aboutOf(deed) };
  return { kind: 'tell', error: new TangazaError(code, detail), ...about };
}

/** What an answer to it names it by. */
export function aboutOf(deed: Deed): About {
  switch (deed.type) {
    case 'comment':
      return { to: deed.type, clientId: deed.clientId };
    case 'like':
    case 'unlike':
      return { to: deed.type, id: deed.id };
    case 'react':
      return { to: deed.type };
    default:
      return unreachable(deed);
  }
}

export function leftOffOf({ lastId, lastAt, inRegion }: Hello): LeftOff {
  return {
    lastId,
    lastAtMs: lastAt === undefined ? undefined : Date.parse(lastAt),
    inRegion: inRegion && { region: inRegion.region, toMs: Date.parse(inRegion.knownTo) },
  };
}

/** How a socket ends whose stream could not be joined. */
export function closeFor(error: unknown): SocketClose {
  switch (errorCodeOf(error)) {
    case 'STREAM_NOT_FOUND':
      return socketCloses.unknown;
    case 'STREAM_REMOVED':
      return socketCloses.removed;
    case 'INTERNAL':
      return socketCloses.fault;
    default:
      return socketCloses.unavailable;
  }
}
