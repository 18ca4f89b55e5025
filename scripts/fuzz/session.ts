/** A publisher's session as the fuzzer sees it: RTMP messages, the chunk stream of each, and how they become bytes. */
import amf from 'node-media-server/src/protocol/amf.js';
import { messageTypes } from '../../actors/ingest/rtmp/rtmp-chunks.ts';
import type { Random } from '../simulation/random.ts';
import type { Feed } from '../../test/support/media/media-feed.ts';

export interface Message {
  readonly chunkStream: number;
  readonly type: number;
  readonly streamId: number;
  readonly timestampMs: number;
  readonly body: Buffer;
  /** The length that its header claims, where that is not the true one. */
  readonly claimedBytes?: number;
}

export interface Session {
  readonly handshake: Buffer;
  readonly messages: readonly Message[];
}

export function control(type: number, value: number, ...more: readonly number[]): Message {
  const body = Buffer.alloc(4 + more.length);
  body.writeUInt32BE(value >>> 0);
  body.set(more, 4);
  return { chunkStream: 2, type, streamId: 0, timestampMs: 0, body };
}

export const command = (streamId: number, ...values: readonly unknown[]): Message => ({
  chunkStream: 3,
  type: messageTypes.commandAmf0,
  streamId,
  timestampMs: 0,
  body: amf.amf0Encode(values),
});

export const mediaOf = ({ headers, tags }: Feed): readonly Message[] =>
  [...headers, ...tags].map(({ type, timestampMs, body }) => ({
    chunkStream: type === 9 ? 6 : 4,
    type,
    streamId: 1,
    timestampMs,
    body,
  }));

/** A whole, healthy session of a publisher with this key. */
export function sessionOf(media: readonly Message[], key: string): Session {
  return {
    handshake: Buffer.concat([Buffer.of(3), Buffer.alloc(1536, 7), Buffer.alloc(1536, 9)]),
    messages: [
      control(messageTypes.setChunkSize, 4096),
      command(0, 'connect', 1, { app: 'live', type: 'nonprivate', flashVer: 'fuzz', objectEncoding: 0 }),
      control(messageTypes.windowAcknowledgementSize, 50_000),
      command(0, 'releaseStream', 2, null, key),
      command(0, 'FCPublish', 3, null, key),
      command(0, 'createStream', 4, null),
      command(1, 'publish', 5, null, key, 'live'),
      ...media,
      command(0, 'FCUnpublish', 6, null, key),
      command(0, 'deleteStream', 7, null, 1),
    ],
  };
}

/** How a session is put on the wire. */
export interface Wire {
  /** Chunks of messages on several chunk streams are mixed. */
  readonly isInterleaved: boolean;
  /** Extended timestamps are left out of continuations, as some encoders do. */
  readonly isLax: boolean;
  /** Times are sent as deltas where possible. */
  readonly hasDeltas: boolean;
  /** Chunk stream ids take two or three bytes. */
  readonly hasLongIds: boolean;
}

export const wireOf = (random: Random): Wire => ({
  isInterleaved: random.chance(0.3),
  isLax: random.chance(0.2),
  hasDeltas: random.chance(0.6),
  hasLongIds: random.chance(0.2),
});

export function bytesOf({ handshake, messages }: Session, wire: Wire, random: Random): Buffer {
  const writer = new ChunkWriter(wire);
  let waiting: (readonly Buffer[])[] = [];
  let chunkStreams = new Set<number>();
  const parts: Buffer[] = [handshake];
  const flush = (): void => {
    for (const chunk of shuffled(waiting, random)) parts.push(chunk);
    waiting = [];
    chunkStreams = new Set();
  };
  for (const message of messages) {
    const mayMix = wire.isInterleaved && message.chunkStream > 3;
    if (!mayMix || chunkStreams.has(message.chunkStream) || waiting.length === mixedAtOnce) flush();
    waiting.push(writer.write(message));
    chunkStreams.add(message.chunkStream);
  }
  flush();
  return Buffer.concat(parts);
}

const mixedAtOnce = 3;

/** Takes turns among the queues, and keeps the order within each. */
function* shuffled(queues: readonly (readonly Buffer[])[], random: Random): Generator<Buffer> {
  let left = queues.map((queue) => queue.values());
  while (left.length > 0) {
    const turn = random.pick(left);
    const { done, value } = turn?.next() ?? { done: true, value: undefined };
    if (done === true) left = left.filter((one) => one !== turn);
    else yield value;
  }
}

class ChunkWriter {
  readonly #wire: Wire;
  readonly #last = new Map<number, number>();
  #chunkSize = 128;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  write({ chunkStream, type, streamId, timestampMs, body, claimedBytes }: Message): readonly Buffer[] {
    const id = chunkStream > 3 && this.#wire.hasLongIds ? chunkStream * 40 : chunkStream;
    const last = this.#last.get(id);
    const deltaMs = last === undefined ? -1 : timestampMs - last;
    const isDelta = this.#wire.hasDeltas && deltaMs >= 0;
    this.#last.set(id, timestampMs);
    const time = isDelta ? deltaMs : timestampMs >>> 0;
    const extended = time >= 0xff_ff_ff ? uint32(time) : Buffer.alloc(0);
    const header = Buffer.alloc(isDelta ? 7 : 11);
    header.writeUIntBE(Math.min(time, 0xff_ff_ff), 0, 3);
    header.writeUIntBE(Math.min(claimedBytes ?? body.length, 0xff_ff_ff), 3, 3);
    header.writeUInt8(type & 0xff, 6);
    if (!isDelta) header.writeUInt32LE(streamId >>> 0, 7);
    const chunks = [
      Buffer.concat([basicHeader(isDelta ? 1 : 0, id), header, extended, body.subarray(0, this.#chunkSize)]),
    ];
    const again = this.#wire.isLax ? Buffer.alloc(0) : extended;
    for (let at = this.#chunkSize; at < body.length; at += this.#chunkSize)
      chunks.push(Buffer.concat([basicHeader(3, id), again, body.subarray(at, at + this.#chunkSize)]));
    if (type === messageTypes.setChunkSize && body.length >= 4)
      this.#chunkSize = Math.max(1, body.readUInt32BE(0) & 0x7f_ff_ff_ff);
    return chunks;
  }
}

function basicHeader(format: number, id: number): Buffer {
  if (id < 64) return Buffer.of((format << 6) | id);
  if (id < 320) return Buffer.of(format << 6, id - 64);
  const bytes = Buffer.of((format << 6) | 1, 0, 0);
  bytes.writeUInt16LE(id - 64, 1);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
