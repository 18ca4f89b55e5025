/**
 * Very many websockets that only count: by hand over TCP, for a client of a library would cost more than the servers that are measured.
 *
 * A message is counted by the mark in it; one byte would not do, as a frame's head may have any. Of every 50th socket each message tells how
 * old it is: what follows the mark is when it was said.
 */
import { connect, type Socket } from 'node:net';
import type { Kind } from './fanout-peers.ts';

export interface Target {
  readonly port: number;
  readonly kind: Kind;
  readonly stream: string;
}

interface Manner {
  readonly path: (stream: string) => string;
  readonly protocol?: string;
  /** What a client says first, and what answers it. */
  readonly hello?: { readonly text: string; readonly answer: string };
}

const plain: Manner = { path: () => '/' };
const manners: Readonly<Record<Kind, Manner>> = {
  tangaza: {
    path: (stream) => `/v1/streams/${stream}/socket`,
    protocol: 'tangaza.v1',
    hello: { text: '{"type":"hello"}', answer: '"welcome"' },
  },
  ws: plain,
  'ws, batched': plain,
  'socket.io': {
    path: () => '/socket.io/?EIO=4&transport=websocket',
    hello: { text: '40', answer: '40{' },
  },
};

export const markText = '`~`~';
const mark = Buffer.from(markText);
const end = '.'.charCodeAt(0);
const sampledOf = 50;
/** The sockets come from so many addresses of loopback in turn, as an edge bounds what one network reacts. */
const networks = 250;
const mostAges = 500_000;

export class SocketLoad {
  messages = 0;
  lost = 0;
  /** In ms. */
  readonly ages: number[] = [];
  readonly #sockets: Socket[] = [];
  reactions = new HeardReactions();
  #hearsReactions = false;

  reset(hearsReactions = false): void {
    this.messages = 0;
    this.ages.length = 0;
    this.reactions = new HeardReactions();
    this.#hearsReactions = hearsReactions;
  }

  /** One of them taps, each in its turn. */
  react(index: number): void {
    this.#sockets[index % this.#sockets.length]?.write(reactFrame);
  }

  /** Opens one more. @returns after how many ms it was welcome */
  open({ port, kind, stream }: Target): Promise<number> {
    const { path, protocol, hello } = manners[kind];
    const beganMs = performance.now();
    const index = this.#sockets.length;
    const isSampled = index % sampledOf === 0;
    const localAddress = `127.0.1.${1 + (index % networks)}`;
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    this.#sockets.push(socket);
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', () => {
        this.lost += 1;
        reject(new Error('a socket was closed'));
      });
      socket.once('connect', () => socket.write(upgradeOf(path(stream), protocol)));
      let text = '';
      const waiting = (chunk: Buffer): void => {
        const isUpgraded = text.includes('\r\n\r\n');
        text += chunk.toString('latin1');
        if (!text.includes('\r\n\r\n')) return;
        if (!isUpgraded && hello !== undefined) socket.write(masked(hello.text));
        if (hello !== undefined && !text.includes(hello.answer)) return;
        socket.off('data', waiting);
        socket.on('data', (bytes: Buffer) => {
          this.#count(bytes, isSampled);
          if (isSampled && this.#hearsReactions) this.reactions.hear(index, bytes);
        });
        resolve(performance.now() - beganMs);
      };
      socket.on('data', waiting);
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy();
  }

  #count(bytes: Buffer, isSampled: boolean): void {
    for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + mark.length)) {
      this.messages += 1;
      if (!isSampled || this.ages.length >= mostAges) continue;
      const until = bytes.indexOf(end, at);
      const saidMs = Number.parseInt(bytes.toString('latin1', at + mark.length, until), 36);
      if (until !== -1) this.ages.push(Date.now() - saidMs);
    }
  }
}

const reactionsType = Buffer.from('"type":"reactions"');
const secondMs = 1000;

/** What sampled sockets heard of reactions. */
export class HeardReactions {
  readonly #framesMs = new Map<number, number[]>();
  /** In the sums that the first socket got. */
  #sum = 0;

  hear(socket: number, bytes: Buffer): void {
    if (!bytes.includes(reactionsType)) return;
    const frames = this.#framesMs.get(socket) ?? [];
    this.#framesMs.set(socket, frames);
    frames.push(performance.now());
    if (socket > 0) return;
    for (const [, count] of bytes.toString('latin1').matchAll(/"heart":(\d+)/g)) this.#sum += Number(count);
  }

  counted(): { readonly reactions: number; readonly mostFrames: number } {
    const most = [...this.#framesMs.values()].map(mostInASecond);
    return { reactions: this.#sum, mostFrames: Math.max(0, ...most) };
  }
}

/** @param atMs in order */
function mostInASecond(atMs: readonly number[]): number {
  const counts = atMs.map((ms, first) => atMs.slice(first).filter((one) => one < ms + secondMs).length);
  return Math.max(0, ...counts);
}

function upgradeOf(path: string, protocol?: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    '\r\n',
  ].join('\r\n');
}

const reactFrame = masked('{"type":"react","kind":"heart"}');

/** A short text frame of a client (RFC 6455, 5.2), with a mask of zeros. */
function masked(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}
