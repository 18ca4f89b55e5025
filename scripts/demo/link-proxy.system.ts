/**
 * One direction of a link between regions, as a TCP proxy and as what tunnels of HTTP pass: it can be cut, delayed, and healed.
 *
 * A cut is one of a network. Connections stay open and nothing passes; what was sent waits, as TCP sends it again, and passes at the heal. A
 * new connection is taken and goes on at the heal. That one side has given up, the other learns at the heal as well. A connection that is made
 * and given up within a cut, unused, is forgotten at once.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What may wait in one direction of a connection, as in the buffers of a kernel. */
const mostWaiting = 4_194_304;
const mostConnections = 256;

/** A place on this machine. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** What connections pass. */
export interface Link extends AsyncDisposable {
  /** Takes a connection of the near side, and connects it with the far side when the link lets it. */
  carry(near: Socket, to: Place): void;
}

export interface LinkProxy extends Link {
  /** Where the near side connects. */
  readonly port: number;
  readonly isCut: boolean;
  /** What has passed so far, both ways. */
  readonly bytes: number;
  /** Connections that are open now. */
  readonly connections: number;
  cut(): void;
  heal(): void;
  /** From now on bytes arrive so much later, each way. */
  delay(ms: number): void;
}

/** @param to where the far side listens */
export async function openLinkProxy(to: Place): Promise<LinkProxy> {
  const link = new CuttableLink();
  await link.listen(to);
  return link;
}

/** A way that nobody cuts, and that has no port. */
export const openWay = (): Link => new CuttableLink();

class CuttableLink implements LinkProxy {
  #server: Server | undefined;
  readonly #pairs = new Set<Pair>();
  readonly state: LinkState = { isCut: false, delayMs: 0, bytes: 0 };
  port = 0;

  async listen(to: Place): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (near) => this.carry(near, to));
    this.#server = server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  get isCut(): boolean {
    return this.state.isCut;
  }

  get bytes(): number {
    return this.state.bytes;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  cut(): void {
    this.state.isCut = true;
  }

  heal(): void {
    this.state.isCut = false;
    for (const pair of this.#pairs) pair.goOn();
  }

  delay(ms: number): void {
    this.state.delayMs = ms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of this.#pairs) pair.end();
    if (this.#server === undefined) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  carry(near: Socket, to: Place): void {
    if (this.#pairs.size >= mostConnections) return void near.destroy();
    const pair = new Pair(near, () => connect({ ...to, allowHalfOpen: true }), this.state);
    this.#pairs.add(pair);
    pair.onEnd = () => void this.#pairs.delete(pair);
    pair.goOn();
  }
}

interface LinkState {
  isCut: boolean;
  delayMs: number;
  bytes: number;
}

/** A connection of the near side, and the one to the far side, which is made when the link lets it. */
class Pair {
  readonly #near: Socket;
  readonly #connectFar: () => Socket;
  readonly #state: LinkState;
  readonly #flows: Flow[] = [];
  #isOpen = true;
  onEnd: () => void = () => {};

  constructor(near: Socket, connectFar: () => Socket, state: LinkState) {
    this.#near = near;
    this.#connectFar = connectFar;
    this.#state = state;
    near.pause();
    near.on('error', () => {});
    near.on('end', () => this.#forget());
    near.on('close', () => this.#forget());
  }

  /** The link lets bytes through: now, or again. */
  goOn(): void {
    if (!this.#isOpen || this.#state.isCut) return;
    if (this.#flows.length === 0) this.#open();
    for (const flow of this.#flows) flow.pump();
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const flow of this.#flows) flow.end();
    this.#near.destroySoon();
    this.onEnd();
  }

  /** The near side gave up before the far side knew of it: tries of a long cut would fill the link. What was said first is carried. */
  #forget(): void {
    if (this.#flows.length === 0) this.end();
  }

  #open(): void {
    if (this.#near.destroyed || this.#near.readableEnded) return this.end();
    const far = this.#connectFar();
    far.on('error', () => {});
    const end = (): void => this.end();
    this.#flows.push(
      new Flow(this.#near, far, this.#state, end),
      new Flow(far, this.#near, this.#state, end),
    );
  }
}

/** Bytes of one direction, each with the time at which it arrives. */
class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #state: LinkState;
  readonly #onOver: () => void;
  readonly #waiting: { readonly dueMs: number; readonly bytes: Uint8Array }[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(from: Socket, to: Socket, state: LinkState, onOver: () => void) {
    this.#from = from;
    this.#to = to;
    this.#state = state;
    this.#onOver = onOver;
    to.on('drain', () => this.pump());
    from.on('data', (bytes) => this.#take(bytes));
    from.on('close', () => this.#over());
    from.on('end', () => this.#over());
    from.resume();
  }

  /** Passes on what is due, unless the link is cut. */
  pump(): void {
    clearTimeout(this.#timer);
    if (this.#state.isCut) return;
    const nowMs = performance.now();
    let next = this.#waiting[0];
    for (; next !== undefined && next.dueMs <= nowMs; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes.length;
      this.#state.bytes += next.bytes.length;
      this.#to.write(next.bytes);
    }
    if (this.#isRoom) this.#from.resume();
    if (next !== undefined) this.#timer = setTimeout(() => this.pump(), next.dueMs - nowMs);
    else if (this.#isOver) this.#onOver();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#to.destroySoon();
  }

  #take(bytes: Uint8Array): void {
    this.#waiting.push({ dueMs: performance.now() + this.#state.delayMs, bytes });
    this.#waitingBytes += bytes.length;
    if (!this.#isRoom) this.#from.pause();
    this.pump();
  }

  get #isRoom(): boolean {
    return this.#waitingBytes + this.#to.writableLength < mostWaiting;
  }

  #over(): void {
    this.#isOver = true;
    this.pump();
  }
}
