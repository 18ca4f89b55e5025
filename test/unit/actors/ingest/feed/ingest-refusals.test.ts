/** What the session core refuses, with which code and words, and what health is told. */
import { expect, test } from 'vitest';
import { IngestSession } from '../../../../../actors/ingest/ingest-session.ts';
import type { FlvTag } from '../../../../../actors/ingest/ingest-port.ts';
import {
  aacHeader,
  audio,
  avcHeader,
  avcPicture,
  bytes,
  configurations,
  enhanced,
  feed,
  metadata,
  play,
  refusalsOf,
  segmentsOf,
  slice,
  tailsOf,
  video,
  wallOfMedia,
  warningsOf,
  type Played,
} from '../../../../support/ingest/flv-builders.ts';

const s = 90_000;
const head = avcHeader();
const spans = (played: Played, ordinal = 0): readonly (readonly number[])[] =>
  segmentsOf(played, ordinal).map(({ start90k, duration90k }) => [start90k / s, duration90k / s]);
const pictures = (played: Played): number =>
  [...segmentsOf(played), ...tailsOf(played)].reduce((sum, { times90k }) => sum + times90k.length, 0);
const codes = (played: Played): readonly string[] => refusalsOf(played).map(({ code }) => code);

const fourcc = (name: string): Uint8Array => Buffer.from(name, 'latin1');

test.each([
  { name: 'MP3', tag: audio(0, Uint8Array.of(0x2f, 0xff, 0xfb)), says: 'MP3' },
  { name: 'Speex', tag: audio(0, Uint8Array.of(0xb6, 1)), says: 'Speex' },
  { name: 'Opus', tag: audio(0, bytes([0x90], fourcc('Opus'))), says: 'Opus' },
  { name: 'AAC Main', tag: aacHeader(0, Uint8Array.of(0x09, 0x90)), says: 'AAC Main' },
  {
    name: 'AAC of unknown layout',
    tag: aacHeader(0, Uint8Array.of(0x11, 0xd8)),
    says: 'channel configuration 11',
  },
  { name: 'H.263', tag: video(0, Uint8Array.of(0x22, 1)), says: 'H.263' },
  { name: 'VP9', tag: enhanced(0, 0, 'vp09', Uint8Array.of(1)), says: 'VP9' },
  { name: 'multitrack', tag: video(0, Uint8Array.of(0x96, 1)), says: 'Multitrack' },
  { name: 'HDR by its SPS', tag: avcHeader(0, configurations.h264Pq), says: 'HDR video (PQ)' },
])('refused once, by name, and nothing after it is read: $name', ({ tag, says }) => {
  const played = play([head, ...Array.from({ length: 7 }, () => tag), ...feed({ seconds: 5 })]);
  expect(refusalsOf(played)).toEqual([{ code: 'CODEC_REFUSED', detail: expect.stringContaining(says) }]);
  expect(segmentsOf(played)).toEqual([]);
});

test('a codec that is refused in mid-stream keeps what was whole', () => {
  const vp9 = Array.from({ length: 5 }, (_, i) => enhanced(5000 + i * 40, 1, 'vp09', Uint8Array.of(i)));
  const played = play([...feed({ seconds: 5 }), ...vp9]);
  expect(codes(played)).toEqual(['CODEC_REFUSED']);
  expect(spans(played)).toEqual([
    [0, 2],
    [2, 2],
  ]);
  expect(tailsOf(played).length).toBe(1);
});

test.each([
  { name: 'no keyframe at all', keys: () => false },
  { name: 'a keyframe every 30 s', keys: (frame: number) => frame % 750 === 0 },
])('refused after 10 s: $name', ({ keys }) => {
  const tags = feed({ seconds: 40, keys });
  const played = play(tags, { wallMs: wallOfMedia() });
  expect(codes(played)).toEqual(['KEYFRAME_INTERVAL']);
  expect(refusalsOf(played)[0]?.detail).toContain('keyframe interval over 10 s');
  expect(refusalsOf(played)[0]?.detail).toContain('10.3 s; set the keyframe interval to 2 s (OBS:');
});

test.each([11, 12])('keyframes %i s apart are refused, as the warning says', (gopSeconds) => {
  expect(codes(play(feed({ seconds: 30, gopSeconds })))).toEqual(['KEYFRAME_INTERVAL']);
});

test('keyframes every 10 s are taken with a warning, every 4 s without', () => {
  expect(warningsOf(play(feed({ seconds: 21, gopSeconds: 10 })))).toContain('keyframeInterval');
  expect(codes(play(feed({ seconds: 21, gopSeconds: 10 })))).toEqual([]);
  expect(warningsOf(play(feed({ seconds: 21, gopSeconds: 4 })))).not.toContain('keyframeInterval');
});

test('video that stands still while audio goes on is refused by the wall clock', () => {
  const tags = feed({ seconds: 30 }).filter((tag) => tag.kind === 'audio' || tag.timestampMs < 5000);
  expect(codes(play(tags, { wallMs: wallOfMedia() }))).toEqual(['KEYFRAME_INTERVAL']);
});

test('the buffer is bounded: the publisher is refused, for its keyframes or for the owner that does not answer', () => {
  const limits = { maxBufferedBytes: 20_000 };
  expect(codes(play(feed({ seconds: 9, gopSeconds: 6 }), { limits }))).toEqual(['KEYFRAME_INTERVAL']);
  expect(codes(play(feed({ seconds: 9, gopSeconds: 1 }), { limits: { maxBufferedBytes: 80_000 } }))).toEqual(
    [],
  );
  expect(
    codes(
      play(feed({ seconds: 9, gopSeconds: 1 }), {
        limits: { maxBufferedBytes: 80_000 },
        offset90k: () => undefined,
      }),
    ),
  ).toEqual(['UNAVAILABLE']);
});

test('an owner that never answers is not waited for for ever', () => {
  const played = play(feed({ seconds: 130 }), { offset90k: () => undefined, wallMs: wallOfMedia() });
  expect(codes(played)).toEqual(['UNAVAILABLE']);
});

test('video of more than 120 pictures a second is refused at its start, by its rate', () => {
  const played = play(feed({ seconds: 9, framesPerSecond: 240 }), { wallMs: wallOfMedia() });
  expect(refusalsOf(played)).toEqual([
    {
      code: 'CODEC_REFUSED',
      detail: expect.stringMatching(/^Video of 2\d\d pictures a second is not taken/),
    },
  ]);
  expect(segmentsOf(played)).toEqual([]);
});

test('what is accepted at most makes segments: 120 pictures a second, keyframes 10 s apart, one of them early', () => {
  const keys = (frame: number): boolean =>
    frame === 0 || frame === 200 || (frame > 200 && (frame - 200) % 1200 === 0);
  const played = play(feed({ seconds: 24, framesPerSecond: 120, keys }), { wallMs: wallOfMedia() });
  expect(codes(played)).toEqual([]);
  expect(segmentsOf(played).map(({ times90k }) => times90k.length)).toEqual([1400, 1200]);
});

test('a feed that never says what it carries is refused after 10 s', () => {
  const session = new IngestSession();
  const at = (monotonicMs: number) => ({ monotonicMs, runningMs: monotonicMs, utcMs: 0 });
  const early = session.onTag(metadata({ width: 640 }), at(0));
  expect([...early, ...session.onTick(at(9999))]).toEqual([]);
  expect(session.onTick(at(10_000))).toMatchObject([{ kind: 'refuse', code: 'MEDIA_INVALID' }]);
  expect(session.onTick(at(20_000))).toEqual([]);
});

test('a damaged picture is dropped with a warning, fifty in a row are refused', () => {
  const damaged = (ms: number) => video(ms, Uint8Array.of(0x27, 1, 0, 0, 0, 0, 0, 9, 9, 0x41));
  const some = play([
    ...feed({ seconds: 5, hasAudio: false }),
    damaged(5000),
    avcPicture(5040, slice(126, false)),
  ]);
  expect(codes(some)).toEqual([]);
  expect(warningsOf(some)).toContain('pictureCorrupt');
  expect(pictures(some)).toBe(126);
  const many = play([
    ...feed({ seconds: 5, hasAudio: false }),
    ...Array.from({ length: 60 }, (_, i) => damaged(5000 + i)),
  ]);
  expect(codes(many)).toEqual(['MEDIA_INVALID']);
});

test('tags without a picture (parameter sets, SEI) are no picture, and wrong metadata harms nothing', () => {
  const sei = avcPicture(1001, Uint8Array.of(6, 1, 1, 0x80));
  const script: FlvTag = { kind: 'script', timestampMs: 0, payload: Uint8Array.of(2, 0, 10, 0x6f) };
  const played = play([script, ...feed({ seconds: 5, hasAudio: false }), sei]);
  expect(pictures(played)).toBe(125);
  expect(warningsOf(played)).toContain('scriptIgnored');
  expect(codes(played)).toEqual([]);
});

test('a clock that jumps all the time is refused', () => {
  const tags = Array.from({ length: 20 }, (_, i) =>
    feed({ seconds: 1, startMs: i * 100_000, hasAudio: false, hasHeaders: i === 0 }),
  ).flat();
  expect(codes(play(tags))).toEqual(['MEDIA_INVALID']);
});

test('health knows the codecs, the rates and what is wrong', () => {
  const { session, now } = play(feed({ seconds: 20, gopSeconds: 5 }), {
    wallMs: wallOfMedia(),
    closes: false,
  });
  expect(session.stats(now)).toMatchObject({
    videoCodec: 'H.264',
    audioCodec: 'AAC-LC',
    width: 640,
    height: 360,
    fps: 25,
    keyframeIntervalSeconds: 5,
    lastPacketAgeMs: 0,
  });
  expect(session.stats({ ...now, runningMs: now.runningMs + 700 })).toMatchObject({
    lastPacketAgeMs: 700,
  });
  expect(session.stats(now).bitrateBps).toBeGreaterThan(4000);
  expect(session.stats(now).warnings).toEqual([expect.stringContaining('keyframe interval of 5.0 s')]);
});

// Goal: what a publisher is told fits into the RTMP status and into health (200 characters, ASCII) and names what to set where.
test.each([
  {
    name: 'no keyframe',
    tags: () => feed({ seconds: 40, keys: () => false }),
    says: /keyframe interval to 2 s/,
  },
  { name: 'Opus', tags: () => [audio(0, bytes([0x90], fourcc('Opus')))], says: /OBS: .*Audio Encoder/ },
  { name: 'VP9', tags: () => [enhanced(0, 0, 'vp09', Uint8Array.of(1))], says: /OBS: .*Video Encoder/ },
  { name: 'HDR', tags: () => [avcHeader(0, configurations.h264Pq)], says: /OBS: .*Color Space Rec\. 709/ },
])('a refusal tells the publisher what to set in the encoder: $name', ({ tags, says }) => {
  const sent = Array.from({ length: 5 }, tags).flat();
  const [refusal] = refusalsOf(play([head, ...sent], { wallMs: wallOfMedia() }));
  expect(refusal?.detail).toMatch(says);
  expect(`${refusal?.code}: ${refusal?.detail}`).toMatch(/^[\x20-\x7e]{1,200}$/);
});
