import * as fc from 'fast-check';
import { BufferSource, EncodedPacketSink, Input, MP4 } from 'mediabunny';
import { expect, test } from 'vitest';
import type { Sample, Track } from '../../../../../actors/media/cmaf/cmaf.ts';
import { readSegment, trackOfInit } from '../../../../../actors/media/cmaf/reader.ts';
import { maxSamples, writeInit, writeSegment } from '../../../../../actors/media/cmaf/writer.ts';
import { aacTrack, audioFrames, h264Track, pictures } from './fixtures.ts';

const frame = 3000;
const hevcTrack: Track = { ...h264Track, codec: 'hevc', configuration: Uint8Array.of(1, 2, 3, 4) };
const av1Track: Track = {
  ...h264Track,
  codec: 'av1',
  sampleAspectRatio: [64, 45],
  configuration: Uint8Array.of(0x81, 5, 12, 0),
};

test.each([
  ['H.264', h264Track],
  ['HEVC', hevcTrack],
  ['AV1 with pixels that are not square', av1Track],
  ['AAC', aacTrack],
  [
    'AAC at 96 kHz',
    { ...aacTrack, sampleRate: 96_000, timescale: 96_000, configuration: Uint8Array.of(0x10, 0x10) },
  ],
] satisfies [string, Track][])(
  'an init segment of %s says all of the track and is equal for an equal track',
  (_, track) => {
    const init = writeInit(track);
    expect(trackOfInit(init)).toEqual(track);
    expect(writeInit(structuredClone(track))).toEqual(init);
  },
);

test('an init segment carries nothing that changes: its hash is pinned', async () => {
  const digest = Buffer.from(
    await crypto.subtle.digest('SHA-256', Uint8Array.from(writeInit(h264Track))),
  ).toString('hex');
  expect(digest).toBe('a3d6a864c89bfabbf057b97a89c80909eafb855619d691595cc4e91849295055');
});

// The offsets between decoding and presenting differ from GOP to GOP; the set of presentation times must not (M6).
const orders: readonly [name: string, order: readonly number[]][] = [
  ['no B-frames', [0, 1, 2, 3, 4, 5, 6, 7]],
  ['2 B-frames', [0, 3, 1, 2, 6, 4, 5, 7]],
  ['3 B-frames in a pyramid', [0, 4, 2, 1, 3, 7, 6, 5]],
  ['adaptive B-frames', [0, 1, 5, 3, 2, 4, 7, 6]],
];

test.each(orders)(
  'with %s, durations are exact, tfdt is the earliest time and every presentation time is kept',
  (_, order) => {
    const start = 7_650_000;
    const samples = pictures(order.map((position) => start + position * frame));
    const read = readSegment(writeInit(h264Track), writeSegment(h264Track, samples, start + 8 * frame));
    expect(read).toMatchObject({ timescale: 90_000, startTime: start, duration: 8 * frame });
    expect(read.samples.map((sample) => sample.pts)).toEqual(samples.map((sample) => sample.pts));
    expect(read.samples.map((sample) => sample.dts)).toEqual(
      order.map((_position, index) => start + index * frame),
    );
    expect(read.samples.map((sample) => sample.isKey)).toEqual(order.map((_position, index) => index === 0));
    expect(read.samples.map((sample) => Buffer.from(sample.data))).toEqual(
      samples.map((sample) => Buffer.from(sample.data)),
    );
  },
);

// Mediabunny knows nothing of our reader: an independent witness.
test.each(orders)('with %s, mediabunny reads the same times', async (_, order) => {
  const start = 180_000;
  const samples = pictures(order.map((position) => start + position * frame));
  const end = start + 8 * frame;
  expect(await packetsOf(h264Track, samples, end)).toEqual(
    samples.map(({ pts, isKey, data }) => ({ pts, isKey, bytes: data.length })),
  );
});

test('mediabunny reads the same times of audio', async () => {
  const samples = audioFrames(94, 96_256);
  const expected = samples.map(({ pts, data }) => ({ pts, isKey: true, bytes: data.length }));
  expect(await packetsOf(aacTrack, samples, 96_256 + 94 * 1024)).toEqual(expected);
});

test('irregular times sum exactly to end minus start', () => {
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 900_000 }), { minLength: 1, maxLength: 120 });
  fc.assert(
    fc.property(
      times,
      fc.integer({ min: 0, max: 2 ** 40 }),
      fc.integer({ min: 1, max: 9000 }),
      (offsets, base, last) => {
        const samples = pictures(offsets.map((offset) => base + offset));
        const start = base + Math.min(...offsets);
        const end = base + Math.max(...offsets) + last;
        const read = readSegment(writeInit(h264Track), writeSegment(h264Track, samples, end));
        expect({ start: read.startTime, end: read.startTime + read.duration }).toEqual({ start, end });
        expect(read.samples.map((sample) => sample.pts)).toEqual(samples.map((sample) => sample.pts));
      },
    ),
    { numRuns: 200 },
  );
});

test('what is equal for all samples is said once: a segment of even frames is no longer than it need be', () => {
  const even = writeSegment(aacTrack, audioFrames(94), 94 * 1024);
  const uneven = writeSegment(aacTrack, audioFrames(94), 94 * 1024 + 1);
  expect(uneven.length - even.length).toBe(94 * 4 - 4);
});

test('the same samples give the same bytes', () => {
  const [one, other] = [0, 1].map(() => writeSegment(h264Track, pictures([0, 6000, 3000]), 9000));
  expect(one).toEqual(other);
});

const refused: readonly [name: string, samples: readonly Sample[], end: number][] = [
  ['no sample', [], 9000],
  ['two samples of one time', pictures([0, 3000, 3000]), 9000],
  ['an end before the last sample', pictures([0, 3000]), 2999],
  ['an end at the last sample', pictures([0, 3000]), 3000],
  ['a fraction of a tick', pictures([0, 1501.5]), 9000],
  ['a negative time', pictures([-1, 3000]), 9000],
  ['a time that is none', pictures([0, NaN]), 9000],
  [
    'more samples than a segment may have',
    pictures(Array.from({ length: maxSamples + 1 }, (_, index) => index)),
    9000,
  ],
  ['a length over 32 bit', pictures([0]), 2 ** 32],
];

test.each(refused)('%s is refused as MEDIA_INVALID', (_, samples, end) => {
  expect(() => writeSegment(h264Track, samples, end)).toThrow(
    expect.objectContaining({ code: 'MEDIA_INVALID' }),
  );
});

test.each([
  ['no configuration', { ...h264Track, configuration: new Uint8Array() }],
  ['no width', { ...h264Track, width: 0 }],
  ['no channel', { ...aacTrack, channels: 0 }],
] satisfies [string, Track][])('a track with %s is refused as MEDIA_INVALID', (_, track) => {
  expect(() => writeInit(track)).toThrow(expect.objectContaining({ code: 'MEDIA_INVALID' }));
});

async function packetsOf(
  track: Track,
  samples: readonly Sample[],
  end: number,
): Promise<{ pts: number; isKey: boolean; bytes: number }[]> {
  const file = Buffer.concat([writeInit(track), writeSegment(track, samples, end)]);
  using input = new Input({ source: new BufferSource(Uint8Array.from(file)), formats: [MP4] });
  const read =
    track.kind === 'video' ? await input.getPrimaryVideoTrack() : await input.getPrimaryAudioTrack();
  if (read === null) throw new Error('mediabunny finds no track');
  const packets = [];
  for await (const packet of new EncodedPacketSink(read).packets()) {
    const pts = packet.timestamp * track.timescale;
    expect(Math.abs(pts - Math.round(pts))).toBeLessThan(1e-3);
    packets.push({ pts: Math.round(pts), isKey: packet.type === 'key', bytes: packet.byteLength });
  }
  return packets;
}
