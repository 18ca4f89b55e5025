/** Codec ids are hearsay: a tag that names another codec is dropped and told; one that is really sent is taken or refused by name. */
import { expect, test } from 'vitest';
import type { FlvTag } from '../../../../../actors/ingest/ingest-port.ts';
import { joinLengthPrefixed } from '../../../../../actors/media/avc/nal-units.ts';
import { avcSets, avcSlice, hevcSegment } from '../../../../support/media/coded-units.ts';
import {
  audio,
  bytes,
  configurations,
  countedOf,
  enhanced,
  feed,
  periodsOf,
  play,
  refusalsOf,
  segmentsOf,
  tailsOf,
  video,
  wallOfMedia,
  warningsOf,
  type Played,
} from '../../../../support/ingest/flv-builders.ts';

const codes = (played: Played): readonly string[] => refusalsOf(played).map(({ code }) => code);
const pictures = (played: Played): number =>
  [...segmentsOf(played), ...tailsOf(played)].reduce((sum, { times90k }) => sum + times90k.length, 0);

/** Every so many tags of its kind, this one's first byte is another. */
const withDamage = (kind: FlvTag['kind'], everyTags: number, head: number): readonly FlvTag[] => {
  let seen = 0;
  return feed({ seconds: 9 }).map((tag) => {
    if (tag.kind !== kind || tag.payload[1] === 0) return tag;
    seen += 1;
    return seen % everyTags === 0 ? { ...tag, payload: bytes([head], tag.payload.slice(1)) } : tag;
  });
};

// Found by flipping bits: one damaged byte among hours of sound media ended the feed, by the name of a codec nobody sent.
test.each([
  { name: 'a picture says H.263', kind: 'video', head: 0x22, code: 'pictureCorrupt' },
  { name: 'a picture says an unknown codec', kind: 'video', head: 0x2f, code: 'pictureCorrupt' },
  { name: 'a picture says Enhanced RTMP of no codec', kind: 'video', head: 0xa1, code: 'pictureCorrupt' },
  { name: 'a picture says several tracks', kind: 'video', head: 0xa6, code: 'pictureCorrupt' },
  { name: 'a frame says MP3', kind: 'audio', head: 0x2f, code: 'audioCorrupt' },
  { name: 'a frame says Enhanced RTMP of no codec', kind: 'audio', head: 0x91, code: 'audioCorrupt' },
] as const)(
  'a codec id is hearsay: where now and then $name it is dropped, counted and told, and the feed goes on',
  ({ kind, head: first, code }) => {
    for (const everyTags of [2, 40]) {
      const tags = withDamage(kind, everyTags, first);
      const played = play(tags, { wallMs: wallOfMedia() });
      expect(codes(played)).toEqual([]);
      expect(warningsOf(played)).toContain(code);
      const count = tags.filter((tag) => tag.payload[0] === first).length;
      expect(countedOf(played, code)).toBe(count);
      if (kind === 'video') expect(pictures(played)).toBe(225 - count);
    }
  },
);

test('another codec that is really sent in mid-stream is refused by its name, at any frame rate', () => {
  for (const [kind, first, says] of [
    ['video', 0x22, 'H.263'],
    ['audio', 0x2f, 'MP3'],
  ] as const) {
    const [refusal, ...more] = refusalsOf(play(withDamage(kind, 1, first), { wallMs: wallOfMedia() }));
    expect(refusal).toEqual({ code: 'CODEC_REFUSED', detail: expect.stringContaining(says) });
    expect(more).toEqual([]);
  }
});

test('tags of many codec ids in a row are damaged tags, and fifty of them are refused as such', () => {
  const noise = Array.from({ length: 60 }, (_, i) => video(5000 + i, Uint8Array.of(0x22 + (i % 4), 1, 2, 3)));
  expect(refusalsOf(play([...feed({ seconds: 5 }), ...noise]))).toMatchObject([
    { code: 'MEDIA_INVALID', detail: expect.stringContaining('damaged FLV video tags in a row') },
  ]);
});

test('a codec that is named first of all is refused at once', () => {
  expect(codes(play([audio(0, Uint8Array.of(0x2f, 0xff, 0xfb))], { closes: false }))).toEqual([
    'CODEC_REFUSED',
  ]);
});

// Found by reading: the pictures of H.264 were taken apart by the rules of HEVC.
test('H.264 without a header behind HEVC is taken apart by its own rules', () => {
  const hevcPicture = (i: number): Uint8Array =>
    bytes([0, 0, 0], joinLengthPrefixed([hevcSegment(i % 50 === 0 ? 20 : 1, true, i)]));
  const hevc = [
    enhanced(0, 0, 'hvc1', configurations.hevc),
    ...Array.from({ length: 75 }, (_, i) => enhanced(i * 40, 1, 'hvc1', hevcPicture(i))),
  ];
  const avcPicture = (i: number): Uint8Array =>
    joinLengthPrefixed([
      ...(i % 50 === 0 ? [...avcSets.sps, ...avcSets.pps] : []),
      avcSlice({ isIdr: i % 50 === 0, frameNum: i % 50, orderLsb: 2 * (i % 50), content: i }),
    ]);
  const avc = Array.from({ length: 100 }, (_, i) =>
    video(3000 + i * 40, bytes([0x27, 1, 0, 0, 0], avcPicture(i))),
  );
  const played = play([...hevc, ...avc], { wallMs: wallOfMedia() });
  expect(codes(played)).toEqual([]);
  expect(periodsOf(played).map(({ video: one }) => one?.source.codec)).toEqual(['hevc', 'h264']);
  expect(segmentsOf(played, 1).map(({ times90k }) => times90k.length)).toEqual([50]);
  expect(pictures(played)).toBe(175);
});
