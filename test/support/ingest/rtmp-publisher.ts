/** An RTMP client of our own for tests and benchmarks: publishes a feed, at any pace and time, well or badly. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import amf from 'node-media-server/src/protocol/amf.js';
import { z } from 'zod';
import { ChunkReader, type RtmpMessage } from '../../../actors/ingest/rtmp/rtmp-chunks.ts';
import type { Feed, FeedTag } from '../media/media-feed.ts';

export interface PublisherOptions {
  readonly port: number;
  readonly host?: string;
  readonly app?: string;
  /** Stream key, with a query if wanted. */
  readonly key: string;
  /** Chunk size announced to the server. */
  readonly chunkSize?: number;
  /** Enhanced RTMP: 1 understands reconnect requests. */
  readonly capsEx?: number;
}

const Status = z.object({
  level: z.string(),
  code: z.string(),
  description: z.string().default(''),
  tcUrl: z.string().optional(),
});
export type Status = z.infer<typeof Status>;

export interface SendOptions {
  /** How many times real time; `Infinity` (the default) is as fast as the server reads. */
  readonly speed?: number;
  /** Media time at which to join and leave. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** Makes the first sent tag's time 0: `together`, or for audio and video separately as OBS does. */
  readonly zeroBased?: 'together' | 'separately';
  /** Added to every time, modulo 2^32. */
  readonly offsetMs?: number;
  readonly loops?: number;
  readonly withHeaders?: boolean;
  /** Tags for which it is false are left out. */
  readonly filter?: (tag: FeedTag) => boolean;
  /** The time that is told for a tag, in place of its own; the pace is that of its own. */
  readonly tell?: (ms: number, tag: FeedTag) => number;
  readonly signal?: AbortSignal;
}

/** The chunk stream of the pictures. */
const pictureChunks = 6;

export class RtmpPublisher implements AsyncDisposable {
  readonly statuses: Status[] = [];
  /** All that the server has sent: type, and payload in hex. */
  readonly messages: { readonly type: number; readonly payload: string }[] = [];
  readonly closed: Promise<void>;
  /** Resolves with the first `onStatus` of level `error`, or undefined when the server closes without one. */
  readonly refused: Promise<Status | undefined>;
  /** What the server said to `connect`: its properties and its information object. */
  connectReply: readonly unknown[] = [];
  readonly #socket: Socket;
  readonly #options: PublisherOptions;
  readonly #waiting: ((values: readonly unknown[]) => boolean)[] = [];
  readonly #last = new Map<number, number>();
  readonly #chunkSize: number;
  #resolveRefused: (status: Status | undefined) => void = () => {};
  #acknowledgedBytes = 0;
  #acknowledged = Promise.withResolvers<void>();

  private constructor(socket: Socket, options: PublisherOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#chunkSize = options.chunkSize ?? 65_536;
    this.refused = new Promise((resolve) => {
      this.#resolveRefused = resolve;
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#resolveRefused(undefined);
        resolve();
      });
    });
    socket.on('error', () => {});
  }

  /** TCP, handshake and `connect`. */
  static async connect(options: PublisherOptions): Promise<RtmpPublisher> {
    const socket = await openSocket(options.port, options.host);
    const publisher = new RtmpPublisher(socket, options);
    await publisher.#shakeHands();
    publisher.sendControl(1, publisher.#chunkSize);
    const { app = 'live', host = '127.0.0.1', port, capsEx } = options;
    const properties = {
      ...(capsEx === undefined ? {} : { capsEx }),
      app,
      type: 'nonprivate',
      flashVer: 'tangaza-test',
      tcUrl: `rtmp://${host}:${port}/${app}`,
      objectEncoding: 0,
    };
    publisher.connectReply = await publisher.call('connect', [properties]);
    return publisher;
  }

  /** `connect`, `createStream` and `publish`; resolves with the server's status. */
  static async publish(
    options: PublisherOptions,
  ): Promise<{ readonly publisher: RtmpPublisher; readonly status: Status | undefined }> {
    const publisher = await RtmpPublisher.connect(options);
    return { publisher, status: await publisher.publish() };
  }

  /** Bytes that the server acknowledged last. */
  get acknowledgedBytes(): number {
    return this.#acknowledgedBytes;
  }

  /** Resolves with the next acknowledgement. */
  acknowledgement(): Promise<void> {
    return this.#acknowledged.promise;
  }

  /** Media time of the last picture that was written, ms; -1 for none. */
  get lastPictureMs(): number {
    return this.#last.get(pictureChunks) ?? -1;
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  async publish(): Promise<Status | undefined> {
    this.command(0, 'releaseStream', 2, null, this.#options.key);
    this.command(0, 'FCPublish', 3, null, this.#options.key);
    await this.call('createStream', [null]);
    const status = this.#waitFor((values) => values[0] === 'onStatus');
    this.command(1, 'publish', 0, null, this.#options.key, 'live');
    const values = await Promise.race([status, this.closed.then(() => undefined)]);
    return values === undefined ? undefined : Status.parse(values[3]);
  }

  /** A command that gets a `_result` or an `_error`. */
  call(name: string, values: readonly unknown[]): Promise<readonly unknown[]> {
    const transaction = 100 + this.#waiting.length;
    const isAnswer = (name: unknown): boolean => name === '_result' || name === '_error';
    const reply = this.#waitFor((reply) => isAnswer(reply[0]) && reply[1] === transaction);
    this.command(0, name, transaction, ...values);
    return reply;
  }

  command(streamId: number, ...values: readonly unknown[]): void {
    this.#socket.write(
      chunked(
        { id: 3, format: 0, timestampMs: 0, type: 20, streamId, body: amf.amf0Encode(values) },
        this.#chunkSize,
      ),
    );
  }

  /** Sends the feed; resolves when the last tag is written, or the connection is gone. */
  async send(feed: Feed, options: SendOptions = {}): Promise<void> {
    const { speed = Infinity, fromMs = 0, offsetMs = 0, tell = (ms) => ms, signal } = options;
    const range = selectTags(feed, options);
    const shifts = zeroShifts(range, options);
    if (options.withHeaders !== false) for (const tag of feed.headers) this.sendTag(tag, offsetMs);
    const startMs = performance.now();
    for (const { tag, loopMs } of looped(range, feed.durationMs, options.loops ?? 1)) {
      if (this.#socket.destroyed || signal?.aborted === true) return;
      const waitMs = startMs + (tag.timestampMs - fromMs + loopMs) / speed - performance.now();
      if (waitMs > 5) await delay(waitMs);
      const timestampMs = tell(tag.timestampMs + loopMs, tag);
      this.sendTag({ ...tag, timestampMs }, (shifts.get(tag.type) ?? 0) + offsetMs);
      if (this.#socket.writableNeedDrain) await Promise.race([once(this.#socket, 'drain'), this.closed]);
    }
  }

  sendTag({ type, timestampMs, body }: FeedTag, shiftMs = 0): void {
    const id = type === 8 ? 4 : type === 9 ? pictureChunks : 5;
    const time = (timestampMs + shiftMs) % 2 ** 32;
    const last = this.#last.get(id);
    // A type 1 header carries a delta: also across the wrap of 32 bits.
    const delta = last === undefined ? undefined : (time - last + 2 ** 32) % 2 ** 32;
    this.#last.set(id, time);
    const isDelta = delta !== undefined && delta < 2 ** 31;
    const message = {
      id,
      format: isDelta ? 1 : 0,
      timestampMs: isDelta ? delta : time,
      type,
      streamId: 1,
      body,
    };
    this.#socket.write(chunked(message, this.#chunkSize));
  }

  /** Raw bytes, for what no client should send. */
  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Ends the stream as an encoder does. */
  async end(): Promise<void> {
    this.command(0, 'FCUnpublish', 6, null, this.#options.key);
    this.command(0, 'deleteStream', 7, null, 1);
    this.#socket.end();
    await this.closed;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }

  async #shakeHands(): Promise<void> {
    const socket = this.#socket;
    socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536, 7)]));
    let received = Buffer.alloc(0);
    const wanted = 1 + 2 * 1536;
    const done = Promise.withResolvers<void>();
    const collect = (data: Buffer): void => {
      received = Buffer.concat([received, data]);
      if (received.length >= wanted) done.resolve();
    };
    socket.on('data', collect);
    void this.closed.then(() => done.reject(new Error('the server closed during the handshake')));
    await done.promise;
    socket.off('data', collect);
    socket.write(received.subarray(1, 1 + 1536));
    const limits = { maxMessageBytes: 1 << 20, maxBufferedBytes: 1 << 21, maxChunkStreams: 16 };
    const reader = new ChunkReader(limits, (message) => this.#onMessage(message));
    socket.on('data', (data: Buffer) => reader.push(data));
    reader.push(received.subarray(wanted));
  }

  #onMessage({ type, payload }: RtmpMessage): void {
    this.messages.push({ type, payload: payload.toString('hex') });
    if (type === 3) this.#onAcknowledgement(payload.readUInt32BE(0));
    if (type !== 20) return;
    const values = amf.amf0Decode(payload);
    const status = values[0] === 'onStatus' ? Status.safeParse(values[3]) : undefined;
    if (status?.success === true) {
      this.statuses.push(status.data);
      if (status.data.level === 'error') this.#resolveRefused(status.data);
    }
    for (const taker of [...this.#waiting])
      if (taker(values)) this.#waiting.splice(this.#waiting.indexOf(taker), 1);
  }

  #onAcknowledgement(sequence: number): void {
    this.#acknowledgedBytes = sequence;
    this.#acknowledged.resolve();
    this.#acknowledged = Promise.withResolvers<void>();
  }

  #waitFor(isWanted: (values: readonly unknown[]) => boolean): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push((values) => {
        if (!isWanted(values)) return false;
        resolve(values);
        return true;
      });
      void this.closed.then(() => reject(new Error('the server closed the connection')));
    });
  }

  /** A protocol control message of 4 bytes, and what follows them. */
  sendControl(type: number, value: number, ...more: readonly number[]): void {
    const body = Buffer.alloc(4 + more.length);
    body.writeUInt32BE(value);
    body.set(more, 4);
    this.#socket.write(chunked({ id: 2, format: 0, timestampMs: 0, type, streamId: 0, body }, 128));
  }
}

export async function openSocket(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connectTcp({ port, host, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

function selectTags(feed: Feed, { fromMs = 0, untilMs = Infinity, filter }: SendOptions): readonly FeedTag[] {
  return feed.tags.filter(
    (tag) => tag.timestampMs >= fromMs && tag.timestampMs < untilMs && filter?.(tag) !== false,
  );
}

function* looped(
  range: readonly FeedTag[],
  durationMs: number,
  loops: number,
): Generator<{ tag: FeedTag; loopMs: number }> {
  for (let loop = 0; loop < loops; loop += 1)
    for (const tag of range) yield { tag, loopMs: loop * durationMs };
}

function zeroShifts(
  range: readonly FeedTag[],
  { zeroBased, fromMs = 0 }: SendOptions,
): ReadonlyMap<number, number> {
  const firstOf = (type: number): number => range.find((tag) => tag.type === type)?.timestampMs ?? fromMs;
  const first = range[0]?.timestampMs ?? 0;
  switch (zeroBased) {
    case 'together':
      return new Map([8, 9, 18].map((type) => [type, -first]));
    case 'separately':
      return new Map([8, 9, 18].map((type) => [type, -firstOf(type)]));
    default:
      return new Map();
  }
}

export interface ChunkedMessage {
  readonly id: number;
  /** 0 with an absolute time, 1 with a delta. */
  readonly format: number;
  readonly timestampMs: number;
  readonly type: number;
  readonly streamId: number;
  readonly body: Buffer;
}

/** The message as chunks, with the extended timestamp wherever the specification wants it. */
export function chunked(
  { id, format, timestampMs, type, streamId, body }: ChunkedMessage,
  chunkSize: number,
): Buffer {
  const isExtended = timestampMs >= 0xff_ff_ff;
  const extended = Buffer.alloc(isExtended ? 4 : 0);
  if (isExtended) extended.writeUInt32BE(timestampMs);
  const header = Buffer.alloc(format === 0 ? 12 : 8);
  header.writeUInt8((format << 6) | id, 0);
  header.writeUIntBE(isExtended ? 0xff_ff_ff : timestampMs, 1, 3);
  header.writeUIntBE(body.length, 4, 3);
  header.writeUInt8(type, 7);
  if (format === 0) header.writeUInt32LE(streamId, 8);
  const parts = [header, extended, body.subarray(0, chunkSize)];
  for (let at = chunkSize; at < body.length; at += chunkSize) {
    parts.push(Buffer.of(0xc0 | id), extended, body.subarray(at, at + chunkSize));
  }
  return Buffer.concat(parts);
}
