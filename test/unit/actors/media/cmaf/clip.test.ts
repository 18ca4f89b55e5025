import { BufferSource, EncodedPacketSink, Input, MP4 } from 'mediabunny';
import { expect, test } from 'vitest';
import { writeClip, type ClipTrack } from '../../../../../actors/media/cmaf/clip.ts';
import type { Sample, Track } from '../../../../../actors/media/cmaf/cmaf.ts';
import { writeInit, writeSegment } from '../../../../../actors/media/cmaf/writer.ts';
import { aacTrack, audioFrames, h264Track, pictures } from './fixtures.ts';

const gop = 8 * 3000;
const order = [0, 4, 2, 1, 3, 7, 6, 5];
const start = 5_400_000;

function clipTrack(
  track: Track,
  parts: readonly (readonly [samples: readonly Sample[], end: number])[],
): ClipTrack {
  return {
    init: writeInit(track),
    segments: parts.map(([samples, end]) => writeSegment(track, samples, end)),
  };
}

const videoAt = (...starts: readonly number[]): ClipTrack =>
  clipTrack(
    h264Track,
    starts.map((at) => [pictures(order.map((position) => at + position * 3000)), at + gop] as const),
  );

const audioAt = (at: number, count = 25): ClipTrack =>
  clipTrack(aacTrack, [[audioFrames(count, at), at + count * 1024]]);

test('a clip from the middle of a stream starts at 0 and keeps every picture', async () => {
  const clip = await readBack(writeClip({ video: videoAt(start, start + gop) }));
  const expected = [0, gop].flatMap((at) => order.map((position) => (at + position * 3000) / 90_000));
  expect(rounded(clip.video)).toEqual(rounded(expected));
  expect(clip.keys).toEqual([0, 8]);
  expect(clip.audio).toEqual([]);
});

test('audio that begins after the picture stays as late as it was', async () => {
  const clip = await readBack(writeClip({ video: videoAt(start), audio: audioAt(2_880_000 + 480) }));
  expect(rounded(clip.audio.slice(0, 2))).toEqual(rounded([480 / 48_000, (480 + 1024) / 48_000]));
  expect(clip.audio).toHaveLength(25);
});

test('audio that begins before the picture is entered at the picture', async () => {
  const clip = await readBack(writeClip({ video: videoAt(start), audio: audioAt(2_880_000 - 480) }));
  expect(rounded(clip.audio.slice(0, 2))).toEqual(rounded([-480 / 48_000, (1024 - 480) / 48_000]));
});

test('audio alone starts at 0', async () => {
  const clip = await readBack(writeClip({ audio: audioAt(96_256) }));
  expect(rounded(clip.audio.slice(0, 2))).toEqual(rounded([0, 1024 / 48_000]));
});

test('a declared gap between two segments moves nothing behind it', async () => {
  const clip = await readBack(writeClip({ video: videoAt(start, start + 3 * gop) }));
  expect(clip.video[8]).toBeCloseTo((3 * gop) / 90_000, 6);
});

const withAudio = (): Uint8Array => writeClip({ video: videoAt(start), audio: audioAt(2_880_000) });

test('the index lies before the media and the same input gives the same bytes', () => {
  const text = Buffer.from(withAudio()).toString('latin1');
  expect(text.indexOf('moov')).toBeLessThan(text.indexOf('mdat'));
  expect(withAudio()).toEqual(withAudio());
});

test.each([
  ['no segment', {}, 'BAD_REQUEST'],
  ['an empty list', { video: { init: writeInit(h264Track), segments: [] } }, 'BAD_REQUEST'],
  ['segments out of order', { video: videoAt(start + gop, start) }, 'MEDIA_INVALID'],
  ['a segment twice', { video: videoAt(start, start) }, 'MEDIA_INVALID'],
  ['audio that ends before the video starts', { video: videoAt(start), audio: audioAt(0) }, 'MEDIA_INVALID'],
  ['a segment of another track', { video: { ...videoAt(start), init: Uint8Array.of(0) } }, 'MEDIA_INVALID'],
] satisfies [string, Parameters<typeof writeClip>[0], string][])('%s is refused', (_, input, code) => {
  expect(() => writeClip(input)).toThrow(expect.objectContaining({ code }));
});

const rounded = (seconds: readonly number[]): readonly number[] =>
  seconds.map((time) => Math.round(time * 1e5) / 1e5);

interface ReadBack {
  readonly video: readonly number[];
  readonly keys: readonly number[];
  readonly audio: readonly number[];
}

/** Presentation times in seconds, as mediabunny reads them. */
async function readBack(clip: Uint8Array): Promise<ReadBack> {
  using input = new Input({ source: new BufferSource(Uint8Array.from(clip)), formats: [MP4] });
  const video: number[] = [];
  const audio: number[] = [];
  const keys: number[] = [];
  for (const track of await input.getTracks()) {
    for await (const packet of new EncodedPacketSink(track).packets()) {
      if (track.isVideoTrack() && packet.type === 'key') keys.push(video.length);
      (track.isVideoTrack() ? video : audio).push(packet.timestamp);
    }
  }
  return { video, keys, audio };
}
