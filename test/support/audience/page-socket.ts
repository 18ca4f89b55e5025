/** A page at a live socket: what it heard, message by message, each held against the schema. */
import { WebSocket, type RawData } from 'ws';
import { z } from 'zod';
import { ServerMessage, socketProtocol } from '../../../cluster/contract/audience/socket-messages.ts';
import { within } from '../wait.ts';

export type MessageOf<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>;

export interface PageSocket extends AsyncDisposable {
  readonly socket: WebSocket;
  /** All but `time`, in order. */
  readonly heard: readonly ServerMessage[];
  /** What the frames began with, in order. */
  readonly times: readonly Extract<ServerMessage, { type: 'time' }>[];
  /** How many frames they came in. */
  readonly frames: () => number;
  say(message: object): void;
  /** Resolves with the first message of a type that it has not given yet. */
  next<T extends ServerMessage['type']>(type: T): Promise<MessageOf<T>>;
  /** Resolves when so many comments were heard. */
  comments(count: number): Promise<readonly MessageOf<'comment'>[]>;
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>;
}

const Frame = z.array(ServerMessage);

const textOf = (data: RawData): string => (data instanceof Buffer ? data.toString() : '');

/** Opens a socket; with `hello` it says that first. @throws when it is refused */
export async function openPage(
  url: string,
  {
    stream = 'demo',
    hello,
    protocol = socketProtocol,
  }: { stream?: string; hello?: object; protocol?: string } = {},
): Promise<PageSocket> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/streams/${stream}/socket`, protocol, {
    rejectUnauthorized: false, // the front of a test has a certificate of its own
  });
  const page = listenTo(socket);
  await within(
    'the socket opens',
    new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    }),
  );
  if (hello !== undefined) page.say({ type: 'hello', ...hello });
  return page;
}

function listenTo(socket: WebSocket): PageSocket {
  const heard: ServerMessage[] = [];
  const times: Extract<ServerMessage, { type: 'time' }>[] = [];
  const given = new Set<ServerMessage>();
  let frames = 0;
  let onFrame = Promise.withResolvers<void>();
  const ended = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  void ended.then(() => onFrame.resolve());
  socket.on('error', () => {}); // its end says it
  socket.on('message', (data) => {
    const [time, ...messages] = Frame.parse(JSON.parse(textOf(data)));
    if (time?.type !== 'time') throw new Error('a frame does not begin with the time');
    times.push(time);
    heard.push(...messages);
    frames += 1;
    onFrame.resolve();
    onFrame = Promise.withResolvers<void>();
  });
  const until = async <R>(what: string, look: () => R | undefined): Promise<R> => {
    const deadline = AbortSignal.timeout(40_000);
    for (let seen = look(); !deadline.aborted; seen = look()) {
      if (seen !== undefined) return seen;
      await within(what, onFrame.promise);
      if (socket.readyState === WebSocket.CLOSED && look() === undefined)
        throw new Error(`the socket ended: ${what}`);
    }
    throw new Error(`waited in vain: ${what}`);
  };
  return {
    socket,
    heard,
    times,
    frames: () => frames,
    say: (message) => socket.send(JSON.stringify(message)),
    next: (type) =>
      until(`it hears ${type}`, () => {
        const found = heard.find(
          (one): one is MessageOf<typeof type> => one.type === type && !given.has(one),
        );
        if (found !== undefined) given.add(found);
        return found;
      }),
    comments: (count) =>
      until(`it hears ${count} comments`, () => {
        const comments = heard.filter((one): one is MessageOf<'comment'> => one.type === 'comment');
        return comments.length >= count ? comments : undefined;
      }),
    ended,
    [Symbol.asyncDispose]: async () => {
      socket.terminate();
      await ended;
    },
  };
}

/** Opens a page and waits until it is welcome. */
export async function welcomedPage(
  url: string,
  options: { stream?: string; hello?: object } = {},
): Promise<PageSocket> {
  const page = await openPage(url, { hello: {}, ...options });
  await page.next('welcome');
  return page;
}
