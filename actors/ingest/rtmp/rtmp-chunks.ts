/**
 * The RTMP chunk stream (Adobe RTMP 1.0, clause 5.3): bytes to messages and back, without a copy where none is needed.
 *
 * Written here because node-media-server's reader is not safe (M15): it takes any length on any number of chunk
 * streams, computes three-byte chunk stream ids wrongly, always expects an extended timestamp in a continuation, drops
 * every message once a clock passes 2^32, ignores aborts and believes in a chunk size of 0.
 *
 * All chunk streams together buffer at most `maxBufferedBytes`. A payload is valid only during `deliver`, because it
 * may lie in the socket's buffer or in one that is used again. Timestamps are 32 bit and wrap; the session unwraps
 * them.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';

export interface RtmpMessage {
  readonly type: number;
  readonly streamId: number;
  /** 32 bit, in ms. */
  readonly timestampMs: number;
  readonly payload: Buffer;
}

export interface ChunkLimits {
  /** May grow once a publisher is known. */
  maxMessageBytes: number;
  maxBufferedBytes: number;
  readonly maxChunkStreams: number;
}

/** Message types of RTMP (clauses 5.4, 6.2 and 7.1). */
export const messageTypes = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAcknowledgementSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  sharedObjectAmf3: 16,
  commandAmf3: 17,
  dataAmf0: 18,
  sharedObjectAmf0: 19,
  commandAmf0: 20,
  aggregate: 22,
} as const;

const knownTypes: ReadonlySet<number> = new Set(Object.values(messageTypes));
const messageHeaderBytes = [11, 7, 3, 0] as const;
const maxHeaderBytes = 18;
const extendedMark = 0xff_ff_ff;
/** A buffer up to this size is kept for the next message of its chunk stream. */
const keptBufferBytes = 262_144;
/** See `#timestampOf`. */
const longestPlausibleDeltaMs = 5000;

class ChunkStream {
  timestampMs = 0;
  deltaMs = 0;
  wasAbsolute = false;
  extended: number | undefined;
  length = 0;
  type = 0;
  streamId = 0;
  received = 0;
  buffer: Buffer | undefined;
}

interface Header {
  readonly format: number;
  readonly id: number;
  readonly basicBytes: number;
}

export class ChunkReader {
  readonly #limits: ChunkLimits;
  readonly #deliver: (message: RtmpMessage) => void;
  readonly #streams = new Map<number, ChunkStream>();
  readonly #header = Buffer.alloc(maxHeaderBytes);
  #headerBytes = 0;
  #current: ChunkStream | undefined;
  #chunkRemaining = 0;
  #chunkSize = 128;
  #bufferedBytes = 0;

  constructor(limits: ChunkLimits, deliver: (message: RtmpMessage) => void) {
    this.#limits = limits;
    this.#deliver = deliver;
  }

  /**
   * Takes what came from the socket and delivers every message that it completes.
   *
   * @throws TangazaError `MEDIA_INVALID` for what is not RTMP or is over a limit; the reader is of no use afterwards
   */
  push(data: Buffer): void {
    let at = 0;
    while (at < data.length) {
      at +=
        this.#current === undefined ? this.#takeHeader(data, at) : this.#takePayload(this.#current, data, at);
    }
  }

  /** Bytes held for unfinished messages. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  #takeHeader(data: Buffer, at: number): number {
    if (this.#headerBytes === 0 && data.length - at >= maxHeaderBytes) {
      const size = this.#headerSize(data, at, maxHeaderBytes);
      return this.#begin(data, at, size);
    }
    let taken = 0;
    for (;;) {
      const size = this.#headerSize(this.#header, 0, this.#headerBytes);
      if (size <= this.#headerBytes) return this.#beginFromCarry(size, taken);
      const n = Math.min(size - this.#headerBytes, data.length - at - taken);
      if (n === 0) return taken;
      data.copy(this.#header, this.#headerBytes, at + taken, at + taken + n);
      this.#headerBytes += n;
      taken += n;
    }
  }

  /** The carry may hold bytes that were only looked at: a continuation without its extended timestamp. */
  #beginFromCarry(size: number, taken: number): number {
    const peeked = Buffer.from(this.#header.subarray(size, this.#headerBytes));
    this.#headerBytes = 0;
    this.#begin(this.#header, 0, size);
    this.push(peeked);
    return taken;
  }

  /** Bytes of the header that starts at `at`, or how many are needed to say more. */
  #headerSize(data: Buffer, at: number, available: number): number {
    if (available < 1) return 1;
    const low = data.readUInt8(at) & 0x3f;
    const basicBytes = low === 0 ? 2 : low === 1 ? 3 : 1;
    const format = data.readUInt8(at) >> 6;
    const size = basicBytes + (messageHeaderBytes[format] ?? 0);
    if (available < size) return size;
    if (format < 3) return data.readUIntBE(at + basicBytes, 3) === extendedMark ? size + 4 : size;
    const stream = this.#streams.get(chunkStreamId(data, at, basicBytes));
    if (stream?.extended === undefined) return size;
    if (available < size + 4) return size + 4;
    // Some encoders leave the extended timestamp out of a continuation: it is there when it is the same.
    return stream.received === 0 || data.readUInt32BE(at + size) === stream.extended ? size + 4 : size;
  }

  #begin(data: Buffer, at: number, size: number): number {
    const first = data.readUInt8(at);
    const basicBytes = (first & 0x3f) === 0 ? 2 : (first & 0x3f) === 1 ? 3 : 1;
    const header = { format: first >> 6, id: chunkStreamId(data, at, basicBytes), basicBytes };
    const stream = this.#streamOf(header);
    if (header.format < 3) {
      if (stream.received > 0)
        throw invalid(`a new message inside an unfinished one on chunk stream ${header.id}`);
      this.#readMessageHeader(stream, header, data, at);
    } else if (stream.received === 0 && stream.extended !== undefined) {
      stream.extended = data.readUInt32BE(at + size - 4);
      stream.deltaMs = stream.extended;
    }
    if (stream.received === 0) stream.timestampMs = timestampOf(stream, header.format);
    this.#chunkRemaining = Math.min(this.#chunkSize, stream.length - stream.received);
    if (stream.length === 0) this.#complete(stream, data.subarray(0, 0));
    else this.#current = stream;
    return size;
  }

  #streamOf({ format, id }: Header): ChunkStream {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    // librtmp begins chunk stream 2 with a type 1 header; nobody begins one with less.
    if (format > 1) throw invalid(`chunk stream ${id} begins without a message header`);
    if (this.#streams.size >= this.#limits.maxChunkStreams) throw invalid('too many chunk streams');
    const stream = new ChunkStream();
    this.#streams.set(id, stream);
    return stream;
  }

  #readMessageHeader(stream: ChunkStream, { format, basicBytes }: Header, data: Buffer, start: number): void {
    const at = start + basicBytes;
    const field = data.readUIntBE(at, 3);
    stream.extended =
      field === extendedMark ? data.readUInt32BE(at + (messageHeaderBytes[format] ?? 0)) : undefined;
    stream.deltaMs = stream.extended ?? field;
    if (format === 2) return;
    stream.length = data.readUIntBE(at + 3, 3);
    stream.type = data.readUInt8(at + 6);
    if (format === 0) stream.streamId = data.readUInt32LE(at + 7);
    if (!knownTypes.has(stream.type)) throw invalid(`no RTMP message has type ${stream.type}`);
    if (stream.length > this.#limits.maxMessageBytes) {
      throw invalid(
        `an RTMP message of ${stream.length} bytes; at most ${this.#limits.maxMessageBytes} are taken`,
      );
    }
  }

  #takePayload(stream: ChunkStream, data: Buffer, at: number): number {
    const n = Math.min(this.#chunkRemaining, data.length - at);
    if (stream.received === 0 && n === stream.length) {
      this.#complete(stream, data.subarray(at, at + n));
      return n;
    }
    data.copy(this.#bufferOf(stream), stream.received, at, at + n);
    stream.received += n;
    this.#chunkRemaining -= n;
    if (stream.received === stream.length)
      this.#complete(stream, this.#bufferOf(stream).subarray(0, stream.length));
    else if (this.#chunkRemaining === 0) this.#current = undefined;
    return n;
  }

  #bufferOf(stream: ChunkStream): Buffer {
    if (stream.buffer !== undefined && stream.buffer.length >= stream.length) return stream.buffer;
    const size =
      stream.buffer === undefined
        ? stream.length
        : Math.max(stream.length, Math.min(2 * stream.buffer.length, keptBufferBytes));
    this.#release(stream);
    this.#bufferedBytes += size;
    if (this.#bufferedBytes > this.#limits.maxBufferedBytes)
      throw invalid('too many unfinished messages at once');
    stream.buffer = Buffer.allocUnsafeSlow(size);
    return stream.buffer;
  }

  #release(stream: ChunkStream): void {
    this.#bufferedBytes -= stream.buffer?.length ?? 0;
    stream.buffer = undefined;
  }

  #complete(stream: ChunkStream, payload: Buffer): void {
    this.#current = undefined;
    stream.received = 0;
    const { type, streamId, timestampMs } = stream;
    if (type === messageTypes.setChunkSize) this.#setChunkSize(payload);
    else if (type === messageTypes.abort) this.#abort(payload);
    else this.#deliver({ type, streamId, timestampMs, payload });
    if (stream.buffer !== undefined && stream.buffer.length > keptBufferBytes) this.#release(stream);
  }

  #setChunkSize(payload: Buffer): void {
    const size = payload.length < 4 ? 0 : payload.readUInt32BE(0);
    if (size === 0 || size > 0x7f_ff_ff_ff) throw invalid('a chunk size out of its range');
    this.#chunkSize = size;
  }

  #abort(payload: Buffer): void {
    const stream = payload.length < 4 ? undefined : this.#streams.get(payload.readUInt32BE(0));
    if (stream !== undefined) stream.received = 0;
  }
}

function chunkStreamId(data: Buffer, at: number, basicBytes: number): number {
  if (basicBytes === 1) return data.readUInt8(at) & 0x3f;
  return basicBytes === 2 ? 64 + data.readUInt8(at + 1) : 64 + data.readUInt16LE(at + 1);
}

/**
 * A type 3 header that begins a message repeats the last delta. Behind a type 0 header that "delta" is the absolute
 * timestamp by the specification (ffmpeg sends so), and 0 for others (librtmp: equal times). A delta of more than
 * seconds is nobody's intention, so the value decides.
 */
function timestampOf(stream: ChunkStream, format: number): number {
  if (format === 0) {
    stream.wasAbsolute = true;
    return stream.deltaMs;
  }
  const isMeantAsZero = format === 3 && stream.wasAbsolute && stream.deltaMs > longestPlausibleDeltaMs;
  if (format < 3) stream.wasAbsolute = false;
  return isMeantAsZero ? stream.timestampMs : (stream.timestampMs + stream.deltaMs) >>> 0;
}

function invalid(what: string): TangazaError {
  return new TangazaError('MEDIA_INVALID', `Not RTMP as we take it: ${what}.`);
}

export interface OutgoingMessage {
  /** 2 for protocol control, 3 for commands. */
  readonly chunkStreamId: number;
  readonly type: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

/** The message in chunks of `chunkSize`, at time 0. */
export function writeMessage(
  { chunkStreamId: id, type, streamId, payload }: OutgoingMessage,
  chunkSize: number,
): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(id, 0);
  header.writeUIntBE(payload.length, 4, 3);
  header.writeUInt8(type, 7);
  header.writeUInt32LE(streamId, 8);
  const parts: Uint8Array[] = [header];
  for (let at = 0; at < payload.length; at += chunkSize) {
    if (at > 0) parts.push(Buffer.of(0xc0 | id));
    parts.push(payload.subarray(at, at + chunkSize));
  }
  return Buffer.concat(parts);
}
