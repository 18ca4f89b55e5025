/** The session core on sound feeds: cuts, tiling, convergence, periods, the owner's answer. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IngestSession } from '../../../../actors/ingest/ingest-session.ts';
import type { SourceSegment } from '../../../../actors/ingest/ingest-events.ts';
import { sequenceHeaderHash } from '../../../../actors/ingest/feed/period.ts';
import {
  aacHeader,
  avcHeader,
  avcPicture,
  bytes,
  configurations,
  enhanced,
  feed,
  lengthPrefixed,
  metadata,
  periodsOf,
  play,
  refusalsOf,
  segmentsOf,
  slice,
  tailsOf,
  warningsOf,
  type FeedShape,
  type Played,
} from '../../../support/ingest/flv-builders.ts';

const s = 90_000;
const starts = (played: Played): readonly number[] => segmentsOf(played).map(({ start90k }) => start90k / s);

/** No gap, no overlap, in video and audio; times sorted, unique, inside; as many as there are pictures (M6). */
function expectTiling(segments: readonly SourceSegment[]): void {
  for (const [i, { start90k, duration90k, video, audio, times90k }] of segments.entries()) {
    const next = segments[i + 1];
    if (next !== undefined) {
      expect(next.start90k).toBe(start90k + duration90k);
      if (audio !== undefined && next.audio !== undefined) expect(next.audio.startTime).toBe(audio.end);
    }
    if (video === undefined) continue;
    expect(video.samples.map(({ pts }) => pts - start90k).toSorted((a, b) => a - b)).toEqual(times90k);
    expect(new Set(times90k).size).toBe(times90k.length);
    expect(times90k[0]).toBe(0);
    expect(times90k.at(-1)).toBeLessThan(duration90k);
    expect(video.samples[0]?.isKey).toBe(true);
  }
}

const all = (played: Played): readonly SourceSegment[] => [...segmentsOf(played), ...tailsOf(played)];

test.each([
  { gopSeconds: 0.5, framesPerSecond: 30, seconds: 9, expected: [0, 2, 4, 6] },
  { gopSeconds: 0.48, seconds: 9, expected: [0, 1.92, 3.84, 5.76] },
  { gopSeconds: 1, seconds: 9, expected: [0, 2, 4, 6] },
  { gopSeconds: 2, seconds: 9, expected: [0, 2, 4, 6] },
  { gopSeconds: 3, seconds: 13, expected: [0, 3, 6, 9] },
  { gopSeconds: 10, seconds: 31, expected: [0, 10, 20] },
  { gopSeconds: 1.8, seconds: 13, expected: [0, 1.8, 5.4, 7.2, 9, 10.8] },
])(
  'keyframes every $gopSeconds s give segments at $expected',
  ({ gopSeconds, framesPerSecond = 25, seconds, expected }) => {
    const played = play(feed({ seconds, gopSeconds, framesPerSecond }));
    expect(starts(played)).toEqual(expected);
    expectTiling(all(played));
    expect(refusalsOf(played)).toEqual([]);
  },
);

test.each([23.976, 24, 25, 29.97, 30, 50, 59.94, 60])(
  'at %f fps, with B-frames, no picture is lost, and times tile',
  (framesPerSecond) => {
    const gop = Math.round(framesPerSecond);
    const tags = feed({
      seconds: 9,
      framesPerSecond,
      bFrames: true,
      keys: (frame) => frame % gop === 0,
      gopSeconds: gop / framesPerSecond,
    });
    const played = play([metadata({ framerate: framesPerSecond }), ...tags]);
    const pictures = all(played).reduce((sum, { times90k }) => sum + times90k.length, 0);
    expect(pictures).toBe(Math.round(9 * framesPerSecond));
    expectTiling(all(played));
    const [numerator = 0, denominator = 1] = periodsOf(played)[0]?.video?.source.frameRate ?? [];
    expect(numerator / denominator).toBeCloseTo(framesPerSecond, 2);
  },
);

test("the SPS's frame rate is not believed when the pictures say otherwise", () => {
  const played = play(feed({ seconds: 5, framesPerSecond: 30 }));
  expect(periodsOf(played)[0]?.video?.source.frameRate).toEqual([30, 1]);
});

test('B-frames: the period begins at the presentation of the first IDR, and pictures keep their order of presentation', () => {
  const played = play(feed({ seconds: 5, bFrames: true, startMs: 7000 }));
  expect(periodsOf(played)[0]?.connectionZeroMs).toBe(7040);
  expect(
    segmentsOf(played)[0]
      ?.video?.samples.slice(0, 5)
      .map(({ pts }) => pts / 3600),
  ).toEqual([0, 3, 1, 2, 6]);
});

test("FLV's keyframe flag is not believed: an open GOP sets it on pictures that are no IDR", () => {
  const tags = [
    avcHeader(),
    ...Array.from({ length: 200 }, (_, i) =>
      avcPicture(i * 40, slice(i, i % 100 === 0), { flag: i % 25 === 0 }),
    ),
  ];
  expect(starts(play([...tags, avcPicture(8000, slice(200, true))]))).toEqual([0, 4]);
});

test('a feed at another connection time, near the wrap of 32 bits, gives the very same segments', () => {
  const plain = play(feed({ seconds: 9, bFrames: true }));
  const wrapped = play(feed({ seconds: 9, bFrames: true, startMs: 2 ** 32 - 3000 }));
  expect(segmentsOf(wrapped)).toEqual(segmentsOf(plain));
  expect(warningsOf(wrapped)).toEqual([]);
});

test.each([24, 31])('a feed whose encoder wraps at 2^%i goes on', (bits) => {
  const startMs = 2 ** bits - 3000;
  const tags = feed({ seconds: 9, startMs }).map((tag) => ({
    ...tag,
    timestampMs: tag.timestampMs % 2 ** bits,
  }));
  const played = play(tags);
  expect(starts(played)).toEqual([0, 2, 4, 6]);
  expect(periodsOf(played).length).toBe(1);
});

// Goal: dual ingest meets (M1, M3). Method: two sessions of one broadcast, the second joins in the middle, on a clock of
// its own, with the owner's offset; from its first crossing of the grid on its segments are those of the first.
test('any two sessions that join at different times converge on the same cuts, pictures and hashes', () => {
  const gops = fc.constantFrom(0.4, 0.48, 1, 1.2, 1.8, 2, 2.4, 3.2, 5);
  fc.assert(
    fc.property(gops, fc.integer({ min: 1, max: 200 }), fc.boolean(), (gopSeconds, joinFrame, bFrames) => {
      const shape: FeedShape = { seconds: 30, gopSeconds, bFrames, hasAudio: false };
      const first = play(feed(shape));
      const late = feed({ ...shape, seconds: 30 - joinFrame / 25, firstFrame: joinFrame, startMs: 5000 });
      const gop = Math.round(gopSeconds * 25);
      const firstKey = Math.ceil(joinFrame / gop) * gop;
      const second = play(late, { offset90k: () => firstKey * 3600 });
      const of = new Map(segmentsOf(first).map((segment) => [segment.start90k, segment]));
      const [, ...settled] = segmentsOf(second);
      expect(settled.length).toBeGreaterThan(0);
      for (const segment of settled) expect(segment).toEqual(of.get(segment.start90k));
      expectTiling(all(second));
    }),
    { numRuns: 25 },
  );
});

test('irregular keyframes tile whatever they are, and every picture is in exactly one segment', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 4, maxLength: 10 }),
      fc.boolean(),
      (gops, hasAudio) => {
        const keys = new Set(gops.reduce((at, gop) => [...at, (at.at(-1) ?? 0) + gop], [0]));
        const total = Math.max(...keys);
        const played = play(feed({ seconds: total / 25, keys: (frame) => keys.has(frame), hasAudio }));
        expectTiling(all(played));
        expect(all(played).flatMap(({ video }) => video?.samples ?? []).length).toBe(total);
        expect(refusalsOf(played)).toEqual([]);
      },
    ),
    { numRuns: 40 },
  );
});

test('M2: the hash is of the picture alone, not of the headers before it, and equal on both ingest points', () => {
  const sei = Uint8Array.of(6, 5, 1, 0x80);
  const withSei = (i: number) => ({
    kind: 'video' as const,
    timestampMs: i * 40,
    payload: bytes([0x17, 1, 0, 0, 0], lengthPrefixed(sei, slice(i, i % 50 === 0))),
  });
  const plain = play([
    avcHeader(),
    ...Array.from({ length: 101 }, (_, i) => avcPicture(i * 40, slice(i, i % 50 === 0))),
  ]);
  const dressed = play([avcHeader(), ...Array.from({ length: 101 }, (_, i) => withSei(i))]);
  expect(segmentsOf(dressed).map(({ keyFrameHash }) => keyFrameHash)).toEqual(
    segmentsOf(plain).map(({ keyFrameHash }) => keyFrameHash),
  );
  expect(new Set(segmentsOf(plain).map(({ keyFrameHash }) => keyFrameHash)).size).toBe(2);
});

test('a repeated sequence header changes nothing, a changed one ends the period there and opens another at the next IDR', () => {
  const before = feed({ seconds: 5, hasAudio: false });
  const after = Array.from({ length: 125 }, (_, i) => avcPicture(5000 + i * 40, slice(i, i % 50 === 10)));
  const same = play([...before, avcHeader(0), ...after]);
  expect(periodsOf(same).length).toBe(1);
  const changed = play([...before, avcHeader(0, configurations.h264Other), ...after]);
  expect(periodsOf(changed).map(({ video }) => video?.source.codecs)).toEqual(['avc1.64001e', 'avc1.42c028']);
  expect(segmentsOf(changed, 0).map(({ start90k, duration90k }) => [start90k / s, duration90k / s])).toEqual([
    [0, 2],
    [2, 2],
    [4, 1],
  ]);
  expect(periodsOf(changed)[1]?.connectionZeroMs).toBe(5400);
  expectTiling(segmentsOf(changed, 1));
  expect(changed.events.filter(({ kind }) => kind === 'periodEnded').length).toBe(2);
});

test('parameter sets that change inside the stream are a change too; the old header repeated afterwards is none', () => {
  const sets = [configurations.h264Other.slice(8, 35), configurations.h264Other.slice(38)];
  const inBand = {
    kind: 'video' as const,
    timestampMs: 4000,
    payload: bytes([0x17, 1, 0, 0, 0], lengthPrefixed(...sets, slice(100, true))),
  };
  const rest = Array.from({ length: 99 }, (_, i) => avcPicture(4040 + i * 40, slice(101 + i, i % 50 === 49)));
  const played = play([
    ...feed({ seconds: 4, hasAudio: false }),
    inBand,
    ...rest.slice(0, 50),
    avcHeader(0),
    ...rest.slice(50),
  ]);
  expect(periodsOf(played).map(({ video }) => video?.source.width)).toEqual([640, 1920]);
  expect(segmentsOf(played).map(({ start90k }) => start90k / s)).toEqual([0, 2, 0]);
});

test('audio that changes its configuration opens a new period at the next IDR and loses no picture', () => {
  const tags = [
    ...feed({ seconds: 5 }),
    aacHeader(0, configurations.aac44),
    ...feed({ seconds: 5, startMs: 5000, firstFrame: 125, hasHeaders: false, audioRate: 44_100 }),
  ];
  const played = play(tags);
  expect(periodsOf(played).map(({ audio }) => audio?.source.sampleRate)).toEqual([48_000, 44_100]);
  expect(segmentsOf(played, 0).at(-1)).toMatchObject({ start90k: 4 * s, duration90k: 2 * s });
  expect(all(played).flatMap(({ video }) => video?.samples ?? []).length).toBe(250);
  expect(all(played).every(({ audio }) => audio !== undefined)).toBe(true);
});

test('video alone has no audio, and is not kept waiting for any', () => {
  const played = play(feed({ seconds: 7, hasAudio: false }));
  expect(periodsOf(played)[0]?.audio).toBeUndefined();
  expect(segmentsOf(played).map(({ audio }) => audio)).toEqual([undefined, undefined, undefined]);
});

test.each([
  { name: 'told by metadata', head: [metadata({ audiocodecid: 10 })] },
  { name: 'without a word, after 3 s', head: [] },
])('audio alone is cut at the grid, in whole frames, nothing lost: $name', ({ head }) => {
  const played = play([...head, ...feed({ seconds: 9, hasVideo: false })]);
  expect(segmentsOf(played).map(({ audio }) => (audio?.startTime ?? 0) / 1024)).toEqual([0, 94, 188, 281]);
  expectTiling(all(played));
  expect(all(played).flatMap(({ audio }) => audio?.samples ?? []).length).toBe(421);
  expect(periodsOf(played)[0]).toMatchObject({ connectionZeroMs: 0 });
});

test('video that joins an audio-only feed opens a period with both', () => {
  const tags = [
    ...feed({ seconds: 6, hasVideo: false }),
    avcHeader(),
    ...feed({ seconds: 6, startMs: 6000, hasHeaders: false }),
  ];
  const played = play(tags);
  expect(periodsOf(played).map(({ video, audio }) => [video !== undefined, audio !== undefined])).toEqual([
    [false, true],
    [true, true],
  ]);
  expect(periodsOf(played)[1]?.connectionZeroMs).toBe(6000);
});

test('captions in the pictures are told with the period', () => {
  const caption = Buffer.from('06040eb50031474139340341fffc9420ff80', 'hex');
  const tags = feed({ seconds: 5, hasAudio: false });
  const captioned = tags.map((tag, i) =>
    i === 0
      ? tag
      : { ...tag, payload: bytes(tag.payload.slice(0, 5), lengthPrefixed(caption), tag.payload.slice(5)) },
  );
  expect(periodsOf(play(captioned))[0]?.video?.source.hasCaptions).toBe(true);
  expect(periodsOf(play(tags))[0]?.video?.source.hasCaptions).toBeUndefined();
});

test('the period tells its clock zero, tracks and bitrates; the header hash is of the configurations', () => {
  const played = play([
    metadata({ framerate: 25, videodatarate: 3 }),
    ...feed({ seconds: 5, startMs: 12_000 }),
  ]);
  const [period] = periodsOf(played);
  expect(period).toMatchObject({
    connectionZeroMs: 12_000,
    video: { source: { width: 640, height: 360, bitDepth: 8, bitrateBps: 3000 } },
  });
  expect(period?.sequenceHeaderHash).not.toBe(sequenceHeaderHash(undefined, undefined));
  expect(periodsOf(play(feed({ seconds: 5 })))[0]?.sequenceHeaderHash).toBe(period?.sequenceHeaderHash);
  expect(periodsOf(play(feed({ seconds: 5, hasAudio: false })))[0]?.sequenceHeaderHash).not.toBe(
    period?.sequenceHeaderHash,
  );
});

test("segments wait for the owner's answer, also past the end of the connection, and none is lost", () => {
  const session = new IngestSession();
  const now = { monotonicMs: 0, runningMs: 0, utcMs: 0 };
  const before = [...feed({ seconds: 9 }).flatMap((tag) => session.onTag(tag, now)), ...session.close(now)];
  expect(before.map(({ kind }) => kind).filter((kind) => kind !== 'warn')).toEqual(['periodReady']);
  const after = session.onPeriodOpened(0, { offset90k: 9_000_000 }, now);
  expect(after.map(({ kind }) => kind)).toEqual([
    'segment',
    'segment',
    'segment',
    'segment',
    'tail',
    'periodEnded',
  ]);
  const first = after[0]?.kind === 'segment' ? after[0].segment : undefined;
  expect(first).toMatchObject({ start90k: 9_000_000, audio: { startTime: 4_800_000 } });
  expect(session.onPeriodOpened(0, { offset90k: 0 }, now)).toEqual([]);
});

test('a connection that ends within its first GOP still gives its tail', () => {
  const played = play(feed({ seconds: 1 }));
  expect(periodsOf(played).length).toBe(1);
  expect(tailsOf(played)).toMatchObject([{ start90k: 0, duration90k: s }]);
});

test('HEVC by Enhanced RTMP: cut at IDR and clean CRA, not where RASL follow', () => {
  const nal = (type: number, i: number): Uint8Array => lengthPrefixed(bytes([type << 1, 1, 0x80, i & 255]));
  const typeOf = (i: number): number => ({ 0: 20, 50: 21, 51: 9, 100: 21, 150: 19, 200: 20 })[i] ?? 1;
  const tags = Array.from({ length: 230 }, (_, i) =>
    enhanced(i * 40, 1, 'hvc1', bytes([0, 0, i === 51 ? 0 : 40], nal(typeOf(i), i))),
  );
  const played = play([enhanced(0, 0, 'hvc1', configurations.hevc), ...tags]);
  expect(starts(played)).toEqual([0, 4, 6]);
  expect(periodsOf(played)[0]?.video?.source).toMatchObject({
    codec: 'hevc',
    codecs: 'hvc1.1.6.L63.90',
    width: 640,
  });
  expectTiling(all(played));
});

test('AV1 by Enhanced RTMP: cut at key frames with a sequence header, delimiters taken out', () => {
  const header = [...configurations.av1.slice(4)];
  const unit = (i: number): Uint8Array =>
    bytes([0x12, 0], i % 50 === 0 ? header : [], [0x32, 2, i % 25 === 0 ? 0x10 : 0x30, i & 255]);
  const tags = Array.from({ length: 130 }, (_, i) => enhanced(i * 40, 1, 'av01', unit(i)));
  const played = play([enhanced(0, 0, 'av01', configurations.av1), ...tags]);
  expect(starts(played)).toEqual([0, 2]);
  const first = segmentsOf(played)[0]?.video?.samples[0]?.data;
  expect(first?.[0]).toBe(0x0a);
});

test('payloads are not kept: what the port overwrites later is what was sent', () => {
  const session = new IngestSession();
  const shared = new Uint8Array(64);
  const events = feed({ seconds: 5, hasAudio: false }).flatMap((tag) => {
    shared.fill(0xff);
    shared.set(tag.payload);
    return session.onTag(
      { ...tag, payload: shared.subarray(0, tag.payload.length) },
      { monotonicMs: 0, runningMs: 0, utcMs: 0 },
    );
  });
  shared.fill(0);
  const opened = [
    ...events,
    ...session.onPeriodOpened(0, { offset90k: 0 }, { monotonicMs: 0, runningMs: 0, utcMs: 0 }),
  ];
  const plain = segmentsOf(play(feed({ seconds: 5, hasAudio: false })))[0];
  expect(opened.flatMap((event) => (event.kind === 'segment' ? [event.segment] : []))[0]).toEqual(plain);
});
