/** The fuzzer's own parts: what it makes is made again by the same seed, and an unharmed session arrives as it was. */
import { expect, test } from 'vitest';
import { ChunkReader, type RtmpMessage } from '../../../actors/ingest/rtmp/rtmp-chunks.ts';
import { Random } from '../../../scripts/simulation/random.ts';
import { damaged, mutated } from '../../../scripts/fuzz/mutations.ts';
import { bytesOf, sessionOf, type Message, type Wire } from '../../../scripts/fuzz/session.ts';

const media: readonly Message[] = Array.from({ length: 60 }, (_, index) => ({
  chunkStream: index % 3 === 0 ? 6 : 4,
  type: index % 3 === 0 ? 9 : 8,
  streamId: 1,
  timestampMs: 2 ** 24 - 300 + index * 10,
  body: Buffer.alloc(1 + ((index * 977) % 9000), index),
}));
const session = sessionOf(media, 'key');
const plain = { isInterleaved: false, isLax: false, hasDeltas: false, hasLongIds: false };

test.each<Partial<Wire>>([
  {},
  { isInterleaved: true },
  { isLax: true },
  { hasDeltas: true },
  { hasLongIds: true },
  { isInterleaved: true, isLax: true, hasDeltas: true, hasLongIds: true },
])('a session that is not mutated arrives whole: %j', (change) => {
  const got: (Pick<RtmpMessage, 'type' | 'timestampMs'> & { readonly body: string })[] = [];
  const limits = { maxMessageBytes: 1 << 20, maxBufferedBytes: 1 << 21, maxChunkStreams: 32 };
  const reader = new ChunkReader(limits, ({ type, timestampMs, payload }) =>
    got.push({ type, timestampMs, body: payload.toString('hex') }),
  );
  const bytes = bytesOf(session, { ...plain, ...change }, new Random(3));
  reader.push(bytes.subarray(session.handshake.length));
  // Chunk sizes are the reader's own affair.
  const sent = session.messages
    .filter(({ type }) => type !== 1)
    .map(({ type, timestampMs, body }) => ({ type, timestampMs, body: body.toString('hex') }));
  const of = (type: number) => (one: { readonly type: number }) => one.type === type;
  for (const type of [8, 9, 20]) expect(got.filter(of(type))).toEqual(sent.filter(of(type)));
});

test('the same seed makes the same bytes, another one others', () => {
  const make = (seed: number): string => {
    const random = new Random(seed);
    const messages = mutated(session.messages, media, random);
    return damaged(bytesOf({ ...session, messages }, plain, random), random).toString('hex');
  };
  expect(make(1)).toBe(make(1));
  expect(new Set(Array.from({ length: 20 }, (_, seed) => make(seed))).size).toBe(20);
});
