/** Makes the live socket what the connection's state wants, and hands on what it brings. */
import type { Edges } from '../../player/edges.browser.ts';
import { advanceConnection, idle, isLive, mustAsk } from '../state/connection.ts';
import type { Connection, ConnectionEvent } from '../state/connection.ts';
import { protocol, readFrame, type LiveMessage } from '../state/live-message.ts';

export interface LiveOptions {
  readonly streamId: string;
  readonly edges: Edges;
  /** The first message of each socket. */
  readonly hello: () => object;
  readonly onFrame: (messages: readonly LiveMessage[]) => void;
  readonly onChange: (state: Connection) => void;
}

export class Live {
  readonly #options: LiveOptions;
  #state: Connection = idle;
  #socket: WebSocket | undefined;
  /** Said the socket hello as somebody else? */
  #isOutdated = false;

  constructor(options: LiveOptions) {
    this.#options = options;
    window.addEventListener('online', () => this.#tell({ kind: 'woke' }));
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#tell({ kind: 'woke' });
    });
  }

  get state(): Connection {
    return this.#state;
  }

  start(): void {
    this.#tell({ kind: 'started' });
  }

  /** There is nothing to be heard of this stream. */
  end(): void {
    this.#tell({ kind: 'ended' });
  }

  /** The machine slept, or nobody saw the page, so that nobody knows whether the socket is still one. */
  again(): void {
    this.#tell({ kind: 'again' });
  }

  tick(): void {
    this.#tell({ kind: 'tick' });
    if (this.#state.kind !== 'open' || !mustAsk(this.#state, Date.now())) return;
    this.#write({ type: 'ping' });
    this.#tell({ kind: 'asked', number: this.#state.number });
  }

  /** Says who it is that watches, after it changed: to a socket that is not yet welcome as soon as it is. */
  introduce(): void {
    this.#isOutdated = !isLive(this.#state);
    if (!this.#isOutdated) this.#write(this.#options.hello());
  }

  /** @returns whether it was handed to a socket that is welcome */
  send(message: object): boolean {
    return isLive(this.#state) && this.#write(message);
  }

  #write(message: object): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #tell(event: ConnectionEvent): void {
    const before = this.#state;
    const next = advanceConnection(before, event, { nowMs: Date.now(), random: Math.random() });
    if (next === before) return;
    this.#state = next;
    if (next.kind === 'waiting' && next.failures > 0 && before.kind !== 'waiting') this.#nextEdge();
    if (next.kind === 'opening' && (before.kind !== 'opening' || before.number !== next.number))
      this.#open(next);
    if (next.kind === 'waiting' || next.kind === 'over') this.#drop();
    this.#options.onChange(next);
  }

  #nextEdge(): void {
    const { edges } = this.#options;
    edges.next();
    void edges.refresh();
  }

  #open({ number, url }: { readonly number: number; readonly url: string | undefined }): void {
    this.#drop();
    const socket = openSocket(this.#address(url));
    if (socket === undefined) {
      queueMicrotask(() => this.#tell({ kind: 'closed', number, code: 0 }));
      return;
    }
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#tell({ kind: 'opened', number });
      this.#isOutdated = false;
      if (this.#socket === socket) this.#write(this.#options.hello());
    });
    socket.addEventListener('close', ({ code }) => this.#tell({ kind: 'closed', number, code }));
    socket.addEventListener('message', ({ data }) => {
      if (this.#socket === socket) this.#heard(readFrame(data), number);
    });
  }

  #heard(messages: readonly LiveMessage[], number: number): void {
    this.#tell({ kind: 'heard', number });
    for (const message of messages) {
      if (message.kind === 'welcome') this.#tell({ kind: 'welcomed', number, url: message.url });
      if (message.kind === 'move')
        this.#tell({ kind: 'moved', number, url: message.url, withinMs: message.withinMs });
    }
    this.#options.onFrame(messages);
    if (this.#isOutdated && isLive(this.#state)) this.introduce();
  }

  /** A socket that nobody listens to any more. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #address(url: string | undefined): string {
    const { edges, streamId } = this.#options;
    const path = `/v1/streams/${encodeURIComponent(streamId)}/socket`;
    const address = new URL(url ?? path, edges.current);
    address.protocol = address.protocol.replace('http', 'ws');
    return address.href;
  }
}

/** Undefined where the address is none, or the browser forbids it. */
function openSocket(address: string): WebSocket | undefined {
  try {
    return new WebSocket(address, protocol);
  } catch {
    return undefined;
  }
}
