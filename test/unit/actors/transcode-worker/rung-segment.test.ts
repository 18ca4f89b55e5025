/** A byte stream becomes a segment with the task's times. The stream: three pictures of 32x32 that x264 made. */
import { expect, test } from 'vitest';
import { readInit, readSegment } from '../../../../actors/media/cmaf/reader.ts';
import { splitAnnexB, splitLengthPrefixed } from '../../../../actors/media/avc/nal-units.ts';
import { packRung, parseByteStream } from '../../../../actors/transcode-worker/rung-segment.ts';
import { maxPicturesOfSegment } from '../../../../cluster/model/media-limits.ts';
import { sampleTask } from '../../../support/ports/transcode-task.ts';
import { threePictures } from '../../../support/media/byte-stream.ts';

const [rendition] = sampleTask().renditions;
if (rendition === undefined) throw new Error('no rendition');
const captionMark = [0xb5, 0, 0x31, 0x47, 0x41, 0x39, 0x34, 3];
const hexOf = (nal: Uint8Array): string => Buffer.from(nal).toString('hex');
const times = { start90k: 180_000, duration90k: 9000, times90k: [0, 3030, 6005] };

test('pictures get the sorted times of the task, and durations sum up to it', () => {
  const { init, media, frames } = packRung(threePictures, rendition, times);
  const read = readSegment(init, media);
  expect(frames).toBe(3);
  expect(read.samples.map(({ pts, duration, isKey }) => [pts, duration, isKey])).toEqual([
    [180_000, 3030, true],
    [183_030, 2975, false],
    [186_005, 2995, false],
  ]);
  expect(read.duration).toBe(9000);
  expect(readInit(init).track).toMatchObject({ codec: 'h264', width: 426, height: 240 });
});

test('nothing but slices is kept, length-prefixed', () => {
  const { init, media } = packRung(threePictures, rendition, times);
  for (const { data } of readSegment(init, media).samples) {
    const length = new DataView(data.buffer, data.byteOffset).getUint32(0);
    expect(length).toBe(data.length - 4);
    expect([1, 5]).toContain((data[4] ?? 0) & 0x1f);
  }
});

test('captions stay with their picture, other SEI goes', () => {
  const [sps, pps, , key, other] = splitAnnexB(threePictures, 6);
  if (!sps || !pps || !key || !other) throw new Error('the byte stream has changed');
  const caption = (cc: number) => Buffer.from([6, 4, 12, ...captionMark, 0x41, 0xff, 0xfc, cc, 0x80]);
  const foreign = Uint8Array.of(6, 4, 3, 0xb5, 0, 0x3c, 0x80);
  const nals = [sps, pps, foreign, caption(1), key, foreign, caption(2), other, foreign, other];
  const stream = Buffer.concat(nals.flatMap((nal) => [Buffer.of(0, 0, 0, 1), nal]));
  const { init, media } = packRung(stream, rendition, times);
  const kept = readSegment(init, media).samples.map(({ data }) => splitLengthPrefixed(data, 4).map(hexOf));
  expect(kept).toEqual([[hexOf(caption(1)), hexOf(key)], [hexOf(caption(2)), hexOf(other)], [hexOf(other)]]);
});

test.each([
  ['fewer', [0, 3000, 6000, 8000]],
  ['more', [0, 3000]],
])('%s pictures than times fail the attempt', (_, times90k) => {
  expect(() => packRung(threePictures, rendition, { ...times, times90k })).toThrowError(
    expect.objectContaining({ code: 'TRANSCODE_FAILED', message: expect.stringContaining('3 came out') }),
  );
});

test('times that do not begin at the start, or reach the end, are refused', () => {
  const late = { ...times, times90k: [10, 3000, 6000] };
  expect(() => packRung(threePictures, rendition, late)).toThrowError(
    expect.objectContaining({ code: 'TRANSCODE_FAILED' }),
  );
  const beyond = { ...times, times90k: [0, 3000, 9000] };
  expect(() => packRung(threePictures, rendition, beyond)).toThrowError(
    expect.objectContaining({ code: 'MEDIA_INVALID' }),
  );
});

test('the longest segment at the fastest rate is packed, with captions and delimiters at each picture', () => {
  const [sps, pps, , key, other] = splitAnnexB(threePictures, 6);
  if (!sps || !pps || !key || !other) throw new Error('the byte stream has changed');
  const extra = [Uint8Array.of(9, 16), ...[4, 4, 1, 5].map((type) => Uint8Array.of(6, type, 1, 255, 128))];
  const pictures = Array.from({ length: maxPicturesOfSegment }, (_, index) => [
    ...extra,
    ...(index === 0 ? [sps, pps, key] : [other]),
  ]);
  const stream = Buffer.concat(pictures.flat().flatMap((nal) => [Buffer.of(0, 0, 0, 1), nal]));
  const times90k = pictures.map((_, index) => index * 720);
  const long = { start90k: 0, duration90k: pictures.length * 720, times90k };
  expect(packRung(stream, rendition, long).frames).toBe(maxPicturesOfSegment);
});

test('a second keyframe fails the attempt', () => {
  const twice = Buffer.concat([threePictures, threePictures]);
  const six = { ...times, times90k: [0, 1000, 2000, 3000, 4000, 5000] };
  expect(() => packRung(twice, rendition, six)).toThrowError(
    expect.objectContaining({ message: expect.stringContaining('keyframe') }),
  );
});

test('no parameter sets, or two of a kind, fail the attempt', () => {
  const start = threePictures.lastIndexOf(Buffer.from([0, 0, 1]));
  expect(() => parseByteStream(threePictures.subarray(start))).toThrowError(/0 SPS and 0 PPS/);
  expect(() => parseByteStream(new Uint8Array())).toThrowError(/0 SPS/);
  const changed = Buffer.concat([threePictures, Buffer.from([0, 0, 1, 0x68, 1, 2, 3])]);
  expect(() => parseByteStream(changed)).toThrowError(/1 SPS and 2 PPS/);
});
