/** Feeds that encoders in the field send and that must go on air as they are: no refusal, no warning, one period. */
import { expect, test } from 'vitest';
import type { FlvTag } from '../../../../../actors/ingest/ingest-port.ts';
import {
  aacHeader,
  avcHeader,
  avcPicture,
  feed,
  periodsOf,
  play,
  refusalsOf,
  segmentsOf,
  slice,
  wallOfMedia,
  warningsOf,
  wire,
} from '../../../../support/ingest/flv-builders.ts';

test.each([
  { framesPerSecond: 0.2, gopSeconds: 5, frameRate: [1, 5] },
  { framesPerSecond: 0.5, gopSeconds: 2, frameRate: [1, 2] },
  { framesPerSecond: 1, gopSeconds: 2, frameRate: [1, 1] },
  { framesPerSecond: 2, gopSeconds: 2, frameRate: [2, 1] },
  { framesPerSecond: 5, gopSeconds: 2, frameRate: [5, 1] },
  { framesPerSecond: 7, gopSeconds: 2, frameRate: [700, 100] },
  { framesPerSecond: 30_000 / 1001, gopSeconds: 2, frameRate: [30_000, 1001] },
  { framesPerSecond: 50, gopSeconds: 2, frameRate: [50, 1] },
  { framesPerSecond: 120, gopSeconds: 2, frameRate: [120, 1] },
])('a feed of $framesPerSecond pictures a second says so, also where the header does not', (shape) => {
  const played = play(feed({ seconds: 30, ...shape }), { wallMs: wallOfMedia() });
  expect(refusalsOf(played)).toEqual([]);
  expect(periodsOf(played).map(({ video }) => video?.source.frameRate)).toEqual([shape.frameRate]);
  expect(segmentsOf(played).length).toBeGreaterThan(4);
});

const plain = segmentsOf(play(feed({ seconds: 9, bFrames: true })));

test.each([
  { name: 'a start at 2^24 - 3 s', startMs: 2 ** 24 - 3000 },
  { name: 'a start at 2^31 - 3 s', startMs: 2 ** 31 - 3000 },
  { name: 'a start at 2^32 - 3 s', startMs: 2 ** 32 - 3000 },
  { name: 'a start of a day', startMs: 86_400_000 },
])('$name gives the very same segments', ({ startMs }) => {
  const played = play(feed({ seconds: 9, bFrames: true, startMs }), { wallMs: wallOfTags(startMs) });
  expect(segmentsOf(played)).toEqual(plain);
  expect(warningsOf(played)).toEqual([]);
});

/** A wall clock for a feed that begins at `startMs` and may wrap. */
function wallOfTags(startMs: number): (index: number, tag: FlvTag) => number {
  return (_, tag) => wire(tag.timestampMs - startMs);
}

test('composition times below zero, as of encoders that decode ahead, give the very same segments', () => {
  const ahead = feed({ seconds: 9, bFrames: true }).map((tag) =>
    tag.kind === 'video' && tag.payload[1] === 1 ? composedBy(tag, -80) : tag,
  );
  const played = play(ahead);
  expect(segmentsOf(played).map(({ times90k }) => times90k)).toEqual(plain.map(({ times90k }) => times90k));
  expect(warningsOf(played)).toEqual([]);
});

function composedBy(tag: FlvTag, ms: number): FlvTag {
  const payload = Buffer.from(tag.payload);
  payload.writeIntBE(payload.readIntBE(2, 3) + ms, 2, 3);
  return { ...tag, payload };
}

test('headers that are sent again with each keyframe change nothing', () => {
  const again = feed({ seconds: 9, bFrames: true }).flatMap((tag) => {
    const isKey = tag.kind === 'video' && tag.payload[0] === 0x17 && tag.payload[1] === 1;
    return isKey ? [avcHeader(tag.timestampMs), aacHeader(tag.timestampMs), tag] : [tag];
  });
  const played = play(again);
  expect(segmentsOf(played)).toEqual(plain);
  expect({ periods: periodsOf(played).length, warnings: warningsOf(played) }).toEqual({
    periods: 1,
    warnings: [],
  });
});

test('pictures at uneven times, 5 to 60 a second, are each shown once at their time', () => {
  const steps = [16, 17, 33, 34, 50, 200, 16, 16, 100, 83];
  let ms = 0;
  const times = Array.from({ length: 300 }, (_, i) => (ms += steps[(i * i) % steps.length] ?? 33));
  const tags = times.map((time, i) => avcPicture(time, slice(i, i % 20 === 0), { flag: i % 20 === 0 }));
  const played = play([avcHeader(), ...tags], { wallMs: wallOfMedia() });
  const shown = segmentsOf(played).flatMap(({ start90k, times90k }) =>
    times90k.map((time) => (start90k + time) / 90 + (times[0] ?? 0)),
  );
  expect(shown).toEqual(times.slice(0, shown.length));
  expect(shown.length).toBeGreaterThan(240);
  expect({ refusals: refusalsOf(played), warnings: warningsOf(played) }).toEqual({
    refusals: [],
    warnings: [],
  });
});

test.each([
  { name: 'mono of 48 kHz', record: '1188', sampleRate: 48_000, channels: 1, samplesPerFrame: 1024 },
  { name: 'stereo of 44.1 kHz', record: '1210', sampleRate: 44_100, channels: 2, samplesPerFrame: 1024 },
  { name: 'mono of 22.05 kHz', record: '1388', sampleRate: 22_050, channels: 1, samplesPerFrame: 1024 },
  { name: 'stereo of 96 kHz', record: '1010', sampleRate: 96_000, channels: 2, samplesPerFrame: 1024 },
  {
    name: 'HE-AAC, 24 to 48 kHz',
    record: '2b118800',
    sampleRate: 48_000,
    channels: 2,
    samplesPerFrame: 2048,
  },
])('sound in $name passes, frame by frame', ({ record, sampleRate, channels, samplesPerFrame }) => {
  const audioRecord = new Uint8Array(Buffer.from(record, 'hex'));
  const shape = { seconds: 9, audioRecord, audioRate: sampleRate, samplesPerFrame };
  const played = play(feed(shape), { wallMs: wallOfMedia() });
  expect(periodsOf(played).map(({ audio }) => audio?.source)).toMatchObject([
    { sampleRate, channels, samplesPerFrame },
  ]);
  const silent = segmentsOf(played).map(({ audio }) => audio?.silentFrames);
  expect(silent).toEqual([0, 0, 0, 0]);
  expect(warningsOf(played)).toEqual([]);
});

test('two pictures at a time, as relays bundle them, are 50 a second and not a thousand', () => {
  const tags = Array.from({ length: 450 }, (_, i) =>
    avcPicture(Math.floor(i / 2) * 40, slice(i, i % 100 === 0), { flag: i % 100 === 0 }),
  );
  const played = play([avcHeader(), ...tags], { wallMs: wallOfMedia() });
  expect(refusalsOf(played)).toEqual([]);
  expect(periodsOf(played).map(({ video }) => video?.source.frameRate)).toEqual([[50, 1]]);
});
