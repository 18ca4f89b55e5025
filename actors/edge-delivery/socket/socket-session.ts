/** Carries out what live-socket.ts decides for one socket: joins its stream, passes on what its page says, and says what comes of it. */
import type { CommentMode, Identity } from '../../../cluster/contract/api/audience-views.ts';
import type { Caller } from '../../../cluster/contract/api/routes.ts';
import type { Known, Resumed } from '../../../cluster/contract/audience/audience-feed.ts';
import type { Resume, ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import { socketCloses, type SocketClose } from '../../../cluster/contract/audience/socket-closes.ts';
import { errorCodeOf, problemOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId, UserId } from '../../../cluster/model/ids.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { within } from '../../../cluster/time/within.ts';
import type { React } from '../audience-numbers.ts';
import type { AskedSocket, SocketPlaces } from '../user-edges.ts';
import { ask, identify, type Asking, type CallInTime } from './audience-calls.ts';
import { frameOf, textOf } from './frame.ts';
import { hear } from './heard.ts';
import { gapMessage, type Joiner } from './latest-messages.ts';
import {
  aboutOf,
  advance,
  closeFor,
  leftOffOf,
  newSocket,
  type About,
  type Asked,
  type Deed,
  type Hello,
  type LiveSocket,
  type SocketEffect,
  type SocketEvent,
} from './live-socket.ts';
import { fullBudget, spend, type MessageBudget } from './message-budget.ts';
import { look, readsAll, type Reading, type Step } from './reading.ts';
import type { SocketMetrics } from './socket-metrics.ts';
import type { SocketEvents, SocketLink, Ticket } from './socket-port.ts';
import type { StreamHub } from './stream-hub.ts';

/** What all sockets of a node share. */
export interface SessionPorts {
  readonly clock: Clock;
  readonly metrics: SocketMetrics;
  readonly call: CallInTime;
  /** @throws TangazaError `STREAM_NOT_FOUND`, `STREAM_REMOVED`, `OVERLOADED`, `UNAVAILABLE` */
  readonly mustExist: (stream: StreamId, address: string) => Promise<void>;
  /** Takes a turn of a network to ask the comments actor. @returns 0, or in how many ms there will be one */
  readonly takeTurn: (network: string) => number;
  readonly callerOf: (network: string, token: string | undefined) => Caller;
  /** The stream's hub, which stays while a session is in it. */
  readonly enter: (session: SocketSession, stream: StreamId) => StreamHub;
  readonly hasReplication: () => boolean;
  readonly newId: () => string;
  /** The socket to come back to. */
  readonly urlFor: SocketPlaces['urlFor'];
  readonly viewersOf: (stream: StreamId) => number;
  readonly react: React;
  /** It must be looked at soon, but not now (stream-hub.ts H2). */
  readonly onDropped: (session: SocketSession) => void;
  readonly onWelcomed: (session: SocketSession) => void;
  readonly onClosed: (session: SocketSession) => void;
}

/** How many comments and likes of one socket may be under way. */
const mostUnderWay = 8;
const joinMs = 10_000;
const knowsNothing: Known = { toMs: 0 };

export class SocketSession implements SocketEvents {
  readonly ticket: Ticket;
  readonly #id: string;
  readonly #ports: SessionPorts;
  readonly #link: SocketLink;
  #socket: LiveSocket;
  #budget: MessageBudget;
  #reading: Reading = readsAll;
  /** The server time of a frame that it surely got before one was dropped. */
  #droppedFromMs: number | undefined;
  #token: string | undefined;
  #me: Identity | undefined;
  #hub: StreamHub | undefined;
  /** Until when its page had been told everything before it came here: what it is told before `welcome` is not of its stream. */
  #knownBefore: Known = knowsNothing;
  #underWay = 0;

  constructor(ports: SessionPorts, link: SocketLink, ticket: Ticket) {
    this.#ports = ports;
    this.#link = link;
    this.ticket = ticket;
    this.#id = ports.newId();
    const nowMs = ports.clock.runningMs();
    this.#socket = newSocket(nowMs);
    this.#budget = fullBudget(nowMs);
  }

  get hub(): StreamHub | undefined {
    return this.#hub;
  }
  get user(): UserId | undefined {
    return this.#me?.user.id;
  }
  /** What its page is told an address by. */
  askedFor(stream: StreamId): AskedSocket {
    const { origin, front } = this.ticket;
    return { stream, user: this.user, origin, front, socket: this.#id };
  }
  /** What it still gets of its stream. */
  get gets(): 'all' | 'must' | 'nothing' {
    return this.#reading.kind;
  }

  frame(bytes: ArrayBuffer, isBinary: boolean): void {
    this.#withinBudget((nowMs) => {
      const heard = hear(bytes, isBinary);
      if (heard.kind === 'fault') this.#ports.metrics.faults.add(1);
      else this.#ports.metrics.messages.add(1, { type: heard.message.type });
      this.advance({ kind: 'heard', heard, nowMs });
    });
  }

  alive(): void {
    this.#withinBudget((nowMs) => this.advance({ kind: 'alive', nowMs }));
  }

  /** Hears what its peer sent, if that is within its budget. */
  #withinBudget(hearIt: (nowMs: number) => void): void {
    const nowMs = this.#ports.clock.runningMs();
    const spent = spend(this.#budget, nowMs);
    this.#budget = spent.budget;
    switch (spent.kind) {
      case 'allowed':
        return hearIt(nowMs);
      case 'refused':
        this.#ports.metrics.messages.add(1, { type: 'refused' });
        if (spent.isTold) this.#tell(new TangazaError('OVERLOADED', 'This socket sends too many messages.'));
        return;
      case 'flood':
        return this.advance({ kind: 'flooded' });
      default:
        return unreachable(spent);
    }
  }

  dropped(): void {
    this.#droppedFromMs ??= this.#hub?.sureMs ?? this.#ports.clock.utcMs();
    this.#ports.onDropped(this);
  }
  drained(): void {
    this.lookAtReader();
  }
  closed(): void {
    this.advance({ kind: 'gone' });
    this.#ports.onClosed(this);
  }

  advance(event: SocketEvent): void {
    const { socket, effects } = advance(this.#socket, event);
    this.#socket = socket;
    for (const effect of effects) this.#carryOut(effect);
  }

  /** Looks how far its reader is behind (A8). Not to be called while a frame is published. */
  lookAtReader(): void {
    const hub = this.#hub;
    if (hub === undefined || this.#socket.kind !== 'greeted') return;
    const { reading, steps } = look(this.#reading, {
      bufferedBytes: this.#link.bufferedBytes(),
      isDropped: this.#droppedFromMs !== undefined,
      nowMs: this.#ports.clock.runningMs(),
      sureMs: this.#droppedFromMs ?? hub.sureMs,
    });
    const before = this.#reading;
    this.#reading = reading;
    this.#droppedFromMs = undefined;
    for (const step of steps) this.#take(step, hub, before);
  }

  #take(step: Step, hub: StreamHub, before: Reading): void {
    switch (step) {
      case 'leaveMay':
        return this.#link.leave(hub.mayTopic);
      case 'leaveMust':
        return this.#link.leave(hub.mustTopic);
      case 'joinMay':
        return this.#link.join(hub.mayTopic);
      case 'rejoin':
        return this.#rejoin(hub, before.kind === 'nothing' ? before.fromMs : hub.sureMs);
      case 'cut':
        this.#ports.metrics.ended.add(1, { code: String(socketCloses.late.code) });
        return this.#link.cut();
      default:
        return unreachable(step);
    }
  }

  /** Says it to this socket alone. */
  say(...messages: readonly ServerMessage[]): void {
    this.#link.send(
      frameOf(
        this.#ports.clock.utcMs(),
        messages.map((message) => JSON.stringify(message)),
        this.#hub?.followed.known() ?? this.#knownBefore,
      ),
    );
  }

  #carryOut(effect: SocketEffect): void {
    switch (effect.kind) {
      case 'join':
        return void this.#join(effect.hello);
      case 'become':
        if (this.#hasTurn()) void this.#become(effect.hello);
        return;
      case 'do':
        return this.#do(effect.deed);
      case 'pong':
        return this.say({ type: 'pong' });
      case 'ping':
        return this.#link.ping();
      case 'tell':
        return this.#tell(effect.error, effect.about);
      case 'end':
        return this.#end(effect.close);
      default:
        return unreachable(effect);
    }
  }

  /** Never rejects. */
  async #join(hello: Hello): Promise<void> {
    const { lastAtMs: toMs = 0, inRegion } = leftOffOf(hello);
    this.#knownBefore = { toMs, inRegion };
    const late = (): never => {
      throw new TangazaError('UNAVAILABLE', `The stream could not be joined in ${joinMs / 1000} s.`);
    };
    try {
      await within(this.#enter(hello), { clock: this.#ports.clock, ms: joinMs, late });
    } catch (error) {
      this.advance({ kind: 'refused', error, close: closeFor(error) });
    }
  }

  async #enter(hello: Hello): Promise<void> {
    const { stream, address } = this.ticket;
    if (stream === undefined) throw new TangazaError('STREAM_NOT_FOUND');
    await this.#ports.mustExist(stream, address);
    await this.#identify(stream, hello);
    if (this.#socket.kind !== 'joining') return;
    const hub = this.#ports.enter(this, stream);
    const joiner = hub.latest.begin(this.#ports.clock.utcMs());
    try {
      const resumed = await hub.followed.resume(leftOffOf(hello));
      // Told at once where it is: whatever the feed tells after this goes out in the next frame (stream-hub.ts H1).
      hub.between(() => this.#greet(stream, hub, resumed, joiner));
    } catch (error) {
      hub.latest.end(joiner);
      throw error;
    }
  }

  #greet(stream: StreamId, hub: StreamHub, resumed: Resumed, joiner: Joiner): void {
    if (this.#socket.kind === 'joining') {
      const nowMs = this.#ports.clock.utcMs();
      const { resume, mode, messages } = resumed;
      hub.mode = mode;
      const texts = [
        JSON.stringify(this.#welcome(stream, resume, mode)),
        ...messages.map(textOf),
        ...hub.latest.since(joiner, messages, nowMs),
      ];
      this.#hub = hub;
      this.#link.send(frameOf(nowMs, texts, hub.followed.known()));
      this.#link.join(hub.mustTopic);
      this.#link.join(hub.mayTopic);
      this.#ports.onWelcomed(this);
      this.advance({ kind: 'welcomed' });
    }
    hub.latest.end(joiner);
  }

  /** A token that is none makes a reader without a name, who is told so. One that could not be looked at stays: it may be good. */
  async #identify(stream: StreamId, { token }: Hello): Promise<void> {
    this.#token = token;
    this.#me = undefined;
    if (token === undefined) return;
    try {
      const me = await identify(this.#ports.call, this.#asking(stream));
      if (this.#token === token) this.#me = me;
    } catch (error) {
      if (this.#token !== token) return;
      if (errorCodeOf(error) === 'UNAUTHENTICATED') this.#token = undefined;
      this.#tell(error);
    }
  }

  #welcome(stream: StreamId, resume: Resume, mode: CommentMode): ServerMessage {
    const { viewersOf, hasReplication, urlFor } = this.#ports;
    return {
      type: 'welcome',
      session: this.#id,
      viewers: viewersOf(stream),
      replication: hasReplication(),
      url: urlFor(this.askedFor(stream)),
      resume,
      mode,
      ...(this.#me === undefined ? {} : { me: this.#me }),
    };
  }

  /** What asks the comments actor costs more than to hear it, so a network has so many turns, however many sockets it opens. */
  #hasTurn(about?: About): boolean {
    const waitMs = this.#ports.takeTurn(this.ticket.network);
    if (waitMs === 0) return true;
    this.#ports.metrics.messages.add(1, { type: 'refused' });
    const data = { retryAfterSeconds: Math.ceil(waitMs / 1000) };
    const detail = 'Too many messages come from your network: wait a moment.';
    this.#tell(new TangazaError('OVERLOADED', detail, { data }), about);
    return false;
  }

  /** Who it is changes; what it has been told stays. */
  async #become(hello: Hello): Promise<void> {
    const { stream } = this.ticket;
    const hub = this.#hub;
    if (stream === undefined || hub === undefined) return;
    await this.#identify(stream, hello);
    this.say(this.#welcome(stream, 'complete', hub.mode));
  }

  #do(deed: Deed): void {
    const { stream, network } = this.ticket;
    if (stream === undefined) return;
    const about = aboutOf(deed);
    if (deed.type !== 'react') {
      if (this.#hasTurn(about)) void this.#ask(stream, deed);
      return;
    }
    try {
      this.#ports.react(network, stream, deed);
    } catch (error) {
      this.#tell(error, about);
    }
  }

  /** Never rejects. */
  async #ask(stream: StreamId, deed: Asked): Promise<void> {
    const about = aboutOf(deed);
    if (this.#token === undefined) {
      const detail = 'Say hello with the token of an account, or of a guest: POST /v1/guests makes one.';
      return this.#tell(new TangazaError('UNAUTHENTICATED', detail), about);
    }
    if (this.#underWay >= mostUnderWay)
      return this.#tell(new TangazaError('OVERLOADED', 'What this socket said is still under way.'), about);
    this.#underWay += 1;
    try {
      this.say(await ask(this.#ports.call, this.#asking(stream), deed));
    } catch (error) {
      this.#tell(error, about);
    } finally {
      this.#underWay -= 1;
    }
  }

  #rejoin(hub: StreamHub, fromMs: number): void {
    this.#reading = { kind: 'nothing', fromMs, sinceMs: this.#ports.clock.runningMs() };
    hub.between(() => {
      if (this.#socket.kind !== 'greeted' || this.#reading.kind !== 'nothing') return;
      const nowMs = this.#ports.clock.utcMs();
      const missed = [...hub.followed.changesSince(fromMs), gapMessage(fromMs, nowMs)];
      this.#reading = readsAll;
      this.#link.send(frameOf(nowMs, missed.map(textOf), hub.followed.known()));
      this.#link.join(hub.mustTopic);
      this.#link.join(hub.mayTopic);
      this.#ports.metrics.gaps.add(1);
    });
  }

  #asking(stream: StreamId): Asking {
    const { network, origin } = this.ticket;
    return { stream, origin, caller: this.#ports.callerOf(network, this.#token) };
  }

  #tell(error: unknown, about: About = {}): void {
    const wait = error instanceof TangazaError ? error.data['retryAfterSeconds'] : undefined;
    const problem = { ...problemOf(error), ...(typeof wait === 'number' ? { retryAfterSeconds: wait } : {}) };
    this.say({ type: 'error', problem, ...about });
  }

  #end(close: SocketClose): void {
    this.#ports.metrics.ended.add(1, { code: String(close.code) });
    this.#link.end(close);
  }
}
