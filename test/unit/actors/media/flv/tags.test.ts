/** FLV tag bodies, legacy and Enhanced RTMP: what is taken, what is refused and how it is named. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAudioTag } from '../../../../../actors/media/flv/audio-tag.ts';
import { parseVideoTag } from '../../../../../actors/media/flv/video-tag.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';
import { bytes } from '../../../../support/ingest/flv-builders.ts';

const fourcc = (name: string): Uint8Array => Buffer.from(name, 'latin1');
const data = Uint8Array.of(9, 9);

test.each([
  {
    name: 'AVC sequence header',
    tag: [0x17, 0, 0, 0, 0, 9, 9],
    is: { kind: 'configuration', codec: 'h264' },
  },
  {
    name: 'AVC picture',
    tag: [0x27, 1, 0, 0, 40, 9, 9],
    is: { kind: 'picture', codec: 'h264', compositionMs: 40 },
  },
  {
    name: 'a composition time below zero',
    tag: [0x27, 1, 0xff, 0xff, 0xd8, 9, 9],
    is: { kind: 'picture', compositionMs: -40 },
  },
  { name: 'AVC end of sequence', tag: [0x17, 2, 0, 0, 0], is: { kind: 'end' } },
  { name: 'a command frame', tag: [0x57, 0], is: { kind: 'ignored' } },
  { name: 'nothing', tag: [], is: { kind: 'ignored' } },
  {
    name: 'Enhanced sequence start, hvc1',
    tag: bytes([0x90], fourcc('hvc1'), data),
    is: { kind: 'configuration', codec: 'hevc' },
  },
  {
    name: 'Enhanced coded frames, hvc1',
    tag: bytes([0xa1], fourcc('hvc1'), [0xff, 0xff, 0xfe], data),
    is: { kind: 'picture', codec: 'hevc', compositionMs: -2 },
  },
  {
    name: 'Enhanced coded frames X, avc1',
    tag: bytes([0xa3], fourcc('avc1'), data),
    is: { kind: 'picture', codec: 'h264', compositionMs: 0 },
  },
  {
    name: 'Enhanced coded frames, av01: no composition time',
    tag: bytes([0xa1], fourcc('av01'), data),
    is: { kind: 'picture', codec: 'av1', compositionMs: 0 },
  },
  { name: 'Enhanced end', tag: bytes([0x92], fourcc('av01')), is: { kind: 'end' } },
  { name: 'Enhanced command', tag: [0xd0, 0], is: { kind: 'ignored' } },
  {
    name: 'ModEx of 3 bytes before frames',
    tag: bytes([0x97, 2, 1, 2, 3, 0x03], fourcc('hvc1'), data),
    is: { kind: 'picture', codec: 'hevc' },
  },
  {
    name: 'two ModEx before frames',
    tag: bytes([0x97, 0, 7, 0x07, 0, 7, 0x03], fourcc('hvc1'), data),
    is: { kind: 'picture', codec: 'hevc' },
  },
  {
    name: 'ModEx with a long size',
    tag: bytes([0x97, 255, 0, 1, 5, 5, 0x03], fourcc('av01'), data),
    is: { kind: 'picture', codec: 'av1' },
  },
])('a video tag is read: $name', ({ tag, is }) => {
  const parsed = parseVideoTag(Uint8Array.from(tag));
  expect(parsed).toMatchObject(is);
  if (parsed.kind === 'picture') expect([...parsed.data]).toEqual([9, 9]);
});

test.each([
  { tag: [0x12, 0], says: 'Sorenson H.263 is not taken' },
  { tag: [0x14, 0], says: 'VP6 is not taken' },
  { tag: [0x1c, 0, 0, 0, 0], says: 'HEVC under the unofficial FLV number 12' },
  { tag: bytes([0x90], fourcc('vp09')), says: 'VP9 is not taken' },
  { tag: bytes([0x90], fourcc('a\x01!b')), says: 'codec "a?!b" is not taken' },
  { tag: bytes([0x96, 0], fourcc('hvc1')), says: 'Multitrack video is not taken: send one video track' },
])('a video codec is refused by its name: $says', ({ tag, says }) => {
  expect(() => parseVideoTag(Uint8Array.from(tag))).toThrow(
    expect.objectContaining({ code: 'CODEC_REFUSED', message: expect.stringContaining(says) }),
  );
});

test.each([
  { name: 'AAC configuration', tag: [0xaf, 0, 0x11, 0x90], is: { kind: 'configuration' } },
  { name: 'AAC frame', tag: [0xaf, 1, 9, 9], is: { kind: 'frame' } },
  { name: 'Enhanced mp4a start', tag: bytes([0x90], fourcc('mp4a'), data), is: { kind: 'configuration' } },
  {
    name: 'Enhanced mp4a frame behind ModEx',
    tag: bytes([0x97, 0, 7, 0x01], fourcc('mp4a'), data),
    is: { kind: 'frame' },
  },
  { name: 'Enhanced channel layout', tag: bytes([0x94], fourcc('mp4a'), data), is: { kind: 'ignored' } },
])('an audio tag is read: $name', ({ tag, is }) => {
  expect(parseAudioTag(Uint8Array.from(tag))).toMatchObject(is);
});

test.each([
  { tag: [0x2f, 1], says: 'MP3 is not taken: send AAC' },
  { tag: [0xbf, 1], says: 'Speex is not taken' },
  { tag: [0x60], says: 'Nellymoser is not taken' },
  { tag: bytes([0x90], fourcc('Opus')), says: 'Opus is not taken' },
  { tag: bytes([0x95, 0], fourcc('mp4a')), says: 'Multitrack audio is not taken' },
])('an audio codec is refused by its name: $says', ({ tag, says }) => {
  expect(() => parseAudioTag(Uint8Array.from(tag))).toThrow(
    expect.objectContaining({ code: 'CODEC_REFUSED', message: expect.stringContaining(says) }),
  );
});

test('the colour information of HDR10 is read', () => {
  const number = Buffer.alloc(8);
  number.writeDoubleBE(16);
  const key = (text: string): Uint8Array => bytes([0, text.length], fourcc(text));
  const amf = bytes(
    [2],
    key('colorInfo'),
    [3],
    key('colorConfig'),
    [3],
    key('transferCharacteristics'),
    [0],
    number,
    [0, 0, 9],
    [0, 0, 9],
  );
  expect(parseVideoTag(bytes([0x94], fourcc('hvc1'), amf))).toEqual({ kind: 'colour', transfer: 16 });
});

test('any bytes are a tag, refused or MEDIA_INVALID', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(parseVideoTag, parseAudioTag),
      (payload, parse) => {
        try {
          parse(payload);
        } catch (error) {
          expect(['CODEC_REFUSED', 'MEDIA_INVALID']).toContain(errorCodeOf(error));
        }
      },
    ),
    { numRuns: 3000 },
  );
});
