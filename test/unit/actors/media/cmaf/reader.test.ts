import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { ascii, box, concat, fullBox, u32, u64, zeros } from '../../../../../actors/media/cmaf/boxes.ts';
import { readInit, readSegment, trackOfInit } from '../../../../../actors/media/cmaf/reader.ts';
import { writeInit, writeSegment } from '../../../../../actors/media/cmaf/writer.ts';
import { aacTrack, audioFrames, h264Track, pictures } from './fixtures.ts';

const init = writeInit(h264Track);
const segment = writeSegment(h264Track, pictures([90_000, 96_000, 93_000]), 99_000);
const mediaInvalid = expect.objectContaining({ code: 'MEDIA_INVALID' });

test('samples are views into the segment, not copies', () => {
  const [first] = readSegment(init, segment).samples;
  expect(first?.data.buffer).toBe(segment.buffer);
});

test('segments one behind the other read as one', () => {
  const next = writeSegment(h264Track, pictures([99_000, 102_000]), 105_000);
  const read = readSegment(init, concat([segment, next]));
  expect(read).toMatchObject({ startTime: 90_000, duration: 15_000 });
  expect(read.samples.map((sample) => sample.pts)).toEqual([90_000, 96_000, 93_000, 99_000, 102_000]);
});

function ffmpegFragment(base: number): Uint8Array {
  const header = fullBox(
    'tfhd',
    { flags: 0x01 | 0x08 | 0x10 | 0x20 },
    u32(1),
    u64(base),
    u32(512, 2, 0x0101_0000),
  );
  const first = fullBox('trun', { flags: 0x01 | 0x04 }, u32(2, 0, 0x0200_0000));
  const second = fullBox('trun', { flags: 0x800 }, u32(1, 7));
  return box(
    'moof',
    fullBox('mfhd', {}, u32(1)),
    box('traf', header, fullBox('tfdt', {}, u32(1024)), first, second),
  );
}

// ffmpeg writes whole files, says common values once, numbers runs, and gives absolute offsets.
test("a fragment in ffmpeg's manner is read: defaults, first-sample flags, a base offset and two runs", () => {
  const media = Uint8Array.of(1, 1, 2, 2, 3, 3);
  const base = init.length + ffmpegFragment(0).length + 8;
  const file = concat([init, ffmpegFragment(base), box('mdat', media), box('mfra')]);
  expect(readSegment(file, file).samples).toMatchObject([
    { data: Uint8Array.of(1, 1), pts: 1024, dts: 1024, duration: 512, isKey: true },
    { data: Uint8Array.of(2, 2), pts: 1536, isKey: false },
    { data: Uint8Array.of(3, 3), pts: 2055, dts: 2048, isKey: false },
  ]);
});

const replaced = (bytes: Uint8Array, type: string, delta: number, value: number): Uint8Array => {
  const at = Buffer.from(bytes).indexOf(type, 0, 'latin1');
  expect(at).toBeGreaterThan(0);
  const changed = Uint8Array.from(bytes);
  new DataView(changed.buffer).setUint32(at + delta, value);
  return changed;
};

test.each([
  ['nothing', new Uint8Array()],
  ['a segment that lacks its last byte', segment.subarray(0, -1)],
  ['a segment with a byte behind it', concat([segment, zeros(1)])],
  ['a box of size 3', replaced(segment, 'moof', -4, 3)],
  ['a box longer than the file', replaced(segment, 'moof', -4, 0x7fff_ffff)],
  ['a box inside longer than the one around it', replaced(segment, 'tfdt', -4, 0x400)],
  ['a sample count over the limit', replaced(segment, 'trun', 8, 0xffff_ffff)],
  ['a sample count over what is there', replaced(segment, 'trun', 8, 4)],
  ['a sample count below what is there', replaced(segment, 'trun', 8, 2)],
  ['data outside of the file', replaced(segment, 'trun', 12, 0x7000_0000)],
  ['data in front of the file', replaced(segment, 'trun', 12, 0x8000_0000)],
  ['a sample longer than the file', replaced(segment, 'trun', 16, 0x7fff_ffff)],
  ['a time over 2^53', replaced(segment, 'tfdt', 8, 0xffff_ffff)],
  ['a fragment of another track', replaced(segment, 'tfhd', 8, 2)],
  ['an init segment', init],
])('%s is refused as MEDIA_INVALID', (_, bytes) => {
  expect(() => readSegment(init, bytes)).toThrow(mediaInvalid);
});

test.each([
  ['nothing', new Uint8Array()],
  ['a media segment', segment],
  ['half an init segment', init.subarray(0, init.length / 2)],
  ['a codec that is not taken', replaced(init, 'avc1', 0, 0x7670_3039)],
  ['two sample entries', replaced(init, 'stsd', 8, 2)],
  ['a timescale that is not the rule (M6)', replaced(init, 'mdhd', 24, 57_600)],
  ['a timescale of 0', replaced(init, 'mdhd', 24, 0)],
  ['a track of another fragment header', replaced(init, 'trex', 8, 2)],
  ['a moov of 2 MB', concat([box('ftyp', ascii('isom')), box('moov', zeros(2_000_000))])],
])('as an init segment, %s is refused as MEDIA_INVALID', (_, bytes) => {
  expect(() => trackOfInit(bytes)).toThrow(mediaInvalid);
});

test('an init segment of a foreign timescale is read with the timescale it has', () => {
  const foreign = readInit(replaced(init, 'mdhd', 24, 15_360));
  expect(foreign).toMatchObject({ timescale: 15_360, track: h264Track });
});

// Whatever a store or an encoder hands over: an answer or MEDIA_INVALID, never another error, never a hang.
test('damaged bytes give samples within the file or MEDIA_INVALID, nothing else', () => {
  const files = [
    concat([init, segment]),
    concat([writeInit(aacTrack), writeSegment(aacTrack, audioFrames(9), 9300)]),
  ];
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.constantFrom(...files), damage, fc.option(fc.nat()), (file, changes, cut) => {
      const bytes = Uint8Array.from(file);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const read = attempt(bytes.subarray(0, cut === null ? undefined : cut % bytes.length));
      for (const sample of read?.samples ?? [])
        expect(sample.data.byteOffset + sample.data.length).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 3000 },
  );
});

test('noise gives MEDIA_INVALID, nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void attempt(bytes)),
    { numRuns: 1000 },
  );
});

function attempt(file: Uint8Array): ReturnType<typeof readSegment> | undefined {
  try {
    return readSegment(file, file);
  } catch (error) {
    if (!(error instanceof TangazaError) || error.code !== 'MEDIA_INVALID') throw error;
    return undefined;
  }
}
