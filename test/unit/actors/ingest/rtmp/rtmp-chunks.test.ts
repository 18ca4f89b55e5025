/** The chunk reader against a writer of its own, table cases and random bytes. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ChunkReader,
  writeMessage,
  type ChunkLimits,
} from '../../../../../actors/ingest/rtmp/rtmp-chunks.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { chunked } from '../../../../support/ingest/rtmp-publisher.ts';

interface Got {
  readonly type: number;
  readonly streamId: number;
  readonly timestampMs: number;
  readonly payload: string;
}

const limits = (): ChunkLimits => ({
  maxMessageBytes: 100_000,
  maxBufferedBytes: 200_000,
  maxChunkStreams: 8,
});

function readAll(pieces: readonly Buffer[], chunkLimits = limits()): readonly Got[] {
  const got: Got[] = [];
  const reader = new ChunkReader(chunkLimits, ({ payload, ...rest }) =>
    got.push({ ...rest, payload: payload.toString('hex') }),
  );
  for (const piece of pieces) reader.push(piece);
  return got;
}

/** Cuts a buffer at the given places. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...ends].map((start, index) => bytes.subarray(start, [...ends, bytes.length][index]));
}

const chunkSizeMessage = (size: number): Buffer => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(size);
  return writeMessage({ chunkStreamId: 2, type: 1, streamId: 0, payload }, 128);
};

test('any messages come out as they went in, whatever the chunk size and however the bytes are cut', () => {
  const message = fc.record({
    id: fc.integer({ min: 3, max: 8 }),
    timestampMs: fc.oneof(
      fc.integer({ min: 0, max: 2000 }),
      fc.integer({ min: 0xff_ff_f0, max: 0x1_00_00_10 }),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    ),
    type: fc.constantFrom(8, 9, 18, 20),
    body: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 12 }),
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      (messages, size, places) => {
        const bytes = Buffer.concat([
          chunkSizeMessage(size),
          ...messages.map((one) => chunked({ ...one, format: 0, streamId: 1 }, size)),
        ]);
        const wanted = messages.map(({ type, timestampMs, body }) => ({
          type,
          streamId: 1,
          timestampMs,
          payload: body.toString('hex'),
        }));
        expect(readAll(cut(bytes, places))).toEqual(wanted);
      },
    ),
    { numRuns: 300 },
  );
});

test('random and damaged bytes, cut anywhere, give messages or MEDIA_INVALID, and never hold more than the limit', () => {
  const valid = Buffer.concat(
    [4, 6, 4, 6].map((id, index) =>
      chunked(
        {
          id,
          format: index < 2 ? 0 : 1,
          timestampMs: 0xff_ff_fe + index,
          type: 9,
          streamId: 1,
          body: Buffer.alloc(400, id),
        },
        128,
      ),
    ),
  );
  const damaged = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => {
      const bytes = Buffer.from(valid);
      for (const [at, value] of changes) bytes.writeUInt8(value, at);
      return bytes;
    });
  fc.assert(
    fc.property(
      fc.oneof(damaged, fc.uint8Array({ maxLength: 4000 })),
      fc.array(fc.nat(), { maxLength: 20 }),
      (bytes, places) => {
        const reader = new ChunkReader(limits(), () => {});
        try {
          for (const piece of cut(Buffer.from(bytes), places)) {
            reader.push(piece);
            expect(reader.bufferedBytes).toBeLessThanOrEqual(200_000);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(TangazaError);
          expect(error).toMatchObject({ code: 'MEDIA_INVALID' });
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('deltas go on across the wrap of 32 bits', () => {
  const body = Buffer.of(1, 2, 3);
  const first = chunked({ id: 6, format: 0, timestampMs: 2 ** 32 - 20, type: 9, streamId: 1, body }, 128);
  const next = (deltaMs: number): Buffer =>
    chunked({ id: 6, format: 1, timestampMs: deltaMs, type: 9, streamId: 1, body }, 128);
  const times = readAll([first, next(40), next(40), next(0x1_00_00_00)]).map(
    ({ timestampMs }) => timestampMs,
  );
  expect(times).toEqual([2 ** 32 - 20, 20, 60, 60 + 0x1_00_00_00]);
});

// A type 3 header that begins a message, behind each kind of header.
test.each([
  {
    name: 'repeats the delta of a type 1 header',
    headers: ['4600002800000208', 'aabb', 'c6', 'ccdd'],
    base: true,
    times: [1040, 1080],
  },
  {
    name: 'repeats the delta of a type 2 header',
    headers: ['4600002800000208', 'aabb', '86000015', 'ccdd', 'c6', 'eeff'],
    base: true,
    times: [1040, 1061, 1082],
  },
])('a type 3 header $name', ({ headers, times }) => {
  const base = chunked(
    { id: 6, format: 0, timestampMs: 1000, type: 8, streamId: 1, body: Buffer.of(1, 2) },
    128,
  );
  const got = readAll([base, Buffer.from(headers.join(''), 'hex')]);
  expect(got.slice(1).map(({ timestampMs }) => timestampMs)).toEqual(times);
});

test.each([
  { firstMs: 40, secondMs: 80, why: 'as a delta when it can be one (ffmpeg)' },
  { firstMs: 3_600_000, secondMs: 3_600_000, why: 'as no step when it cannot be one (librtmp)' },
])('a type 3 header behind a type 0 header takes its time $why', ({ firstMs, secondMs }) => {
  const base = chunked(
    { id: 6, format: 0, timestampMs: firstMs, type: 8, streamId: 1, body: Buffer.of(1, 2) },
    128,
  );
  expect(readAll([base, Buffer.from('c60304', 'hex')]).map(({ timestampMs }) => timestampMs)).toEqual([
    firstMs,
    secondMs,
  ]);
});

test('a continuation without the extended timestamp, as some encoders send it, is read at any cut', () => {
  const timestampMs = 0x01_23_45_67;
  const body = Buffer.from(Array.from({ length: 300 }, (_, index) => index & 0xff));
  const full = chunked({ id: 6, format: 0, timestampMs, type: 9, streamId: 1, body }, 128);
  const head = full.subarray(0, 12 + 4 + 128);
  const lax = Buffer.concat([
    head,
    Buffer.of(0xc6),
    body.subarray(128, 256),
    Buffer.of(0xc6),
    body.subarray(256),
    chunkSizeMessage(128),
  ]);
  for (let place = 0; place < lax.length; place += 1) {
    expect(readAll(cut(lax, [place, place + 1, place + 3]))).toEqual([
      { type: 9, streamId: 1, timestampMs, payload: body.toString('hex') },
    ]);
  }
});

test('chunk streams 64 and above, with ids of two and three bytes, are kept apart', () => {
  const header = '0000280000030801000000';
  const bytes = Buffer.from(
    ['00', '05', header, '010203', '01', '0501', header, '040506', '01', '0502', header, '070809'].join(''),
    'hex',
  );
  expect(readAll([bytes]).map(({ payload }) => payload)).toEqual(['010203', '040506', '070809']);
});

test('interleaved messages of two chunk streams are put together', () => {
  const video = Buffer.alloc(200, 1);
  const audio = Buffer.alloc(150, 2);
  const v = chunked({ id: 6, format: 0, timestampMs: 5, type: 9, streamId: 1, body: video }, 128);
  const a = chunked({ id: 4, format: 0, timestampMs: 6, type: 8, streamId: 1, body: audio }, 128);
  const got = readAll([v.subarray(0, 140), a.subarray(0, 140), v.subarray(140), a.subarray(140)]);
  expect(got.map(({ type, payload }) => [type, payload.length / 2])).toEqual([
    [9, 200],
    [8, 150],
  ]);
});

test('an abort throws the unfinished message away', () => {
  const v = chunked(
    { id: 6, format: 0, timestampMs: 5, type: 9, streamId: 1, body: Buffer.alloc(200, 1) },
    128,
  );
  const abort = writeMessage({ chunkStreamId: 2, type: 2, streamId: 0, payload: Buffer.of(0, 0, 0, 6) }, 128);
  const whole = chunked({ id: 6, format: 0, timestampMs: 9, type: 9, streamId: 1, body: Buffer.of(9) }, 128);
  expect(readAll([v.subarray(0, 140), abort, whole]).map(({ timestampMs }) => timestampMs)).toEqual([9]);
});

const body = Buffer.alloc(300);
test.each([
  {
    what: 'a message over the limit',
    bytes: chunked(
      { id: 6, format: 0, timestampMs: 0, type: 9, streamId: 1, body: Buffer.alloc(100_001) },
      128,
    ),
  },
  {
    what: 'an unknown message type',
    bytes: chunked({ id: 6, format: 0, timestampMs: 0, type: 77, streamId: 1, body }, 128),
  },
  { what: 'a chunk size of 0', bytes: chunkSizeMessage(0) },
  { what: 'a chunk stream that begins with a type 3 header', bytes: Buffer.of(0xc9, 1) },
  {
    what: 'a new message inside an unfinished one',
    bytes: Buffer.concat([
      chunked({ id: 6, format: 0, timestampMs: 0, type: 9, streamId: 1, body }, 128).subarray(0, 140),
      chunked({ id: 6, format: 0, timestampMs: 0, type: 9, streamId: 1, body }, 128),
    ]),
  },
  {
    what: 'too many chunk streams',
    bytes: Buffer.concat(
      [3, 4, 5, 6, 7, 8, 9, 10, 11].map((id) =>
        chunked({ id, format: 0, timestampMs: 0, type: 9, streamId: 1, body: Buffer.of(1) }, 128),
      ),
    ),
  },
  {
    what: 'too many unfinished messages at once',
    bytes: Buffer.concat(
      [4, 5, 6].map((id) =>
        chunked(
          { id, format: 0, timestampMs: 0, type: 9, streamId: 1, body: Buffer.alloc(90_000) },
          128,
        ).subarray(0, 140),
      ),
    ),
  },
])('$what is refused', ({ bytes }) => {
  expect(() => readAll([bytes])).toThrow(expect.objectContaining({ code: 'MEDIA_INVALID' }));
});
