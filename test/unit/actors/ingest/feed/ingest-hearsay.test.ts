/** Headers that are empty, unreadable, late or missing, and media that names itself: used, or told and refused by name. */
import { expect, test } from 'vitest';
import type { FlvTag } from '../../../../../actors/ingest/ingest-port.ts';
import { joinLengthPrefixed } from '../../../../../actors/media/avc/nal-units.ts';
import {
  avcDelimiter,
  avcRecoveryPoint,
  avcSei,
  avcSets,
  avcSlice,
  hevcSegment,
  hevcUnit,
} from '../../../../support/media/coded-units.ts';
import {
  aacFrame,
  aacHeader,
  audio,
  avcHeader,
  avcPicture,
  bytes,
  configurations,
  enhanced,
  feed,
  periodsOf,
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

const details = (played: Played): readonly string[] => refusalsOf(played).map(({ detail }) => detail);
const countOf = (played: Played, kind: 'video' | 'audio'): number =>
  [...segmentsOf(played), ...tailsOf(played)].reduce((sum, one) => sum + (one[kind]?.samples.length ?? 0), 0);
const inOrder = (...tags: readonly FlvTag[]): readonly FlvTag[] =>
  tags.toSorted((a, b) => a.timestampMs - b.timestampMs);
const garbage = Uint8Array.of(0x7f, 1, 2, 3, 4);

const av1Unit = (i: number): Uint8Array =>
  bytes(i % 50 === 0 ? configurations.av1.slice(4) : [], [0x32, 2, i % 50 === 0 ? 0x10 : 0x30, i & 255]);
const hevcUnitOf = (i: number): Uint8Array =>
  bytes([0, 0, 0], joinLengthPrefixed([hevcSegment(i % 50 === 0 ? 20 : 1, true, i)]));

/** 5 s of a track, and its header with any body. */
const tracks = [
  {
    codec: 'H.264',
    header: (body: Uint8Array) => avcHeader(0, body),
    record: configurations.h264,
    media: feed({ seconds: 5, hasAudio: false, hasHeaders: false }),
  },
  {
    codec: 'HEVC',
    header: (body: Uint8Array) => enhanced(0, 0, 'hvc1', body),
    record: configurations.hevc,
    media: Array.from({ length: 125 }, (_, i) => enhanced(i * 40, 1, 'hvc1', hevcUnitOf(i))),
  },
  {
    codec: 'AV1',
    header: (body: Uint8Array) => enhanced(0, 0, 'av01', body),
    record: configurations.av1,
    media: Array.from({ length: 125 }, (_, i) => enhanced(i * 40, 1, 'av01', av1Unit(i))),
  },
  {
    codec: 'AAC',
    header: (body: Uint8Array) => aacHeader(0, body),
    record: configurations.aac48,
    media: feed({ seconds: 5, hasVideo: false, hasHeaders: false }),
  },
] as const;

// Found by ffmpeg -c copy of MPEG-TS: it sends `AF 00` without a body, then the good one.
test.each(tracks)('$codec: an empty header is passed over without a word', ({ header, record, media }) => {
  const tags = [header(new Uint8Array(0)), header(record), ...media, header(new Uint8Array(0))];
  const played = play(tags, { wallMs: wallOfMedia() });
  expect({ details: details(played), warnings: warningsOf(played) }).toEqual({ details: [], warnings: [] });
  expect(countOf(played, 'video') + countOf(played, 'audio')).toBe(media.length);
});

test.each(tracks)(
  '$codec: a header that cannot be read is told and changes nothing, at the start and in mid-stream',
  ({ header, record, media, codec }) => {
    const half = Math.floor(media.length / 2);
    const rest = [header(garbage), ...media.slice(half)];
    const tags = [header(garbage), header(record), ...media.slice(0, half), ...rest];
    const played = play(tags, { wallMs: wallOfMedia(), closes: false });
    expect(details(played)).toEqual([]);
    expect(periodsOf(played).length).toBe(1);
    expect(played.session.stats(played.now).warnings).toEqual([
      expect.stringMatching(new RegExp(`header of ${codec} is ignored: .*the one in force stays`)),
    ]);
  },
);

test.each(tracks)(
  '$codec: refused by its name when no usable header came in 10 s, beside another track that is sound',
  ({ header, media, codec }) => {
    const other = feed({ seconds: 30, hasVideo: codec === 'AAC', hasAudio: codec !== 'AAC' });
    const long = [0, 5000, 10_000].flatMap((byMs) =>
      media.map((tag) => ({ ...tag, timestampMs: tag.timestampMs + byMs })),
    );
    const [refusal] = refusalsOf(
      play([header(garbage), ...inOrder(...other, ...long)], { wallMs: wallOfMedia() }),
    );
    expect(refusal).toMatchObject({
      code: 'MEDIA_INVALID',
      detail: expect.stringContaining(`no usable sequence header of ${codec} in 10 s`),
    });
    expect(`${refusal?.code}: ${refusal?.detail}`).toMatch(/^[\x20-\x7e]{1,200}$/);
  },
);

test('AAC without any header is told in health at once and once in the log, then refused by name', () => {
  const tags = feed({ seconds: 30 }).filter((_, i) => i !== 1);
  const early = play(tags.slice(0, 300), { wallMs: wallOfMedia(), closes: false });
  expect(early.session.stats(early.now).warnings).toEqual([
    expect.stringContaining('the sound is dropped: no sequence header of AAC'),
  ]);
  const played = play(tags, { wallMs: wallOfMedia() });
  expect(warningsOf(played).filter((code) => code === 'audioHeaderMissing')).toHaveLength(1);
  expect(details(played)).toEqual([
    expect.stringMatching(
      /no usable sequence header of AAC in 10 s \(none came\); send the AudioSpecificConfig/,
    ),
  ]);
});

/** An ADTS frame of AAC-LC, 48 kHz, stereo. */
function adts(content: readonly number[]): readonly number[] {
  const length = content.length + 7;
  return [
    0xff,
    0xf1,
    0x4c,
    0x80 | (length >> 11),
    (length >> 3) & 255,
    ((length & 7) << 5) | 0x1f,
    0xfc,
    ...content,
  ];
}

test('AAC in ADTS needs no header: its own tells all, and is taken off', () => {
  const plain = play(feed({ seconds: 5 }));
  const tags = feed({ seconds: 5 }).flatMap((tag, i) => {
    if (i === 1) return [];
    return tag.kind === 'audio' ? [aacFrame(tag.timestampMs, adts([...tag.payload.slice(2)]))] : [tag];
  });
  const played = play(tags);
  expect(segmentsOf(played)).toEqual(segmentsOf(plain));
  expect(warningsOf(played)).toEqual(['adts']);
});

test('several ADTS frames in one message follow each other; a message that they do not tile is dropped and told', () => {
  const message = (i: number) =>
    aacFrame(Math.round((i * 3 * 1024) / 48), [...adts([1, i]), ...adts([2, i]), ...adts([3, i])]);
  const tags = Array.from({ length: 80 }, (_, i) => message(i));
  const played = play([...tags.slice(0, 40), aacFrame(2560, [...adts([1]), 9]), ...tags.slice(40)]);
  expect(countOf(played, 'audio')).toBe(240);
  expect(warningsOf(played)).toContain('audioCorrupt');
});

// Found with ffmpeg's 5.1(side): what it says of its channels browsers do not read.
test.each([
  {
    name: 'by its header',
    tags: [aacHeader(0, Buffer.from('118004c844002000c40d4c61766335392e33372e31303056e500', 'hex'))],
  },
  {
    name: 'by ADTS',
    tags: [
      aacFrame(
        0,
        adts([1]).map((byte, i) => (i === 3 ? byte & 0x3f : byte)),
      ),
    ],
  },
])('AAC with a channel layout of its own is refused with what to set: $name', ({ tags }) => {
  const [refusal] = refusalsOf(play(tags));
  expect(refusal).toMatchObject({
    code: 'CODEC_REFUSED',
    detail: expect.stringMatching(/own channel layout \(PCE\).*channel_layouts=5\.1/),
  });
  expect(`${refusal?.code}: ${refusal?.detail}`).toMatch(/^[\x20-\x7e]{1,200}$/);
});

// Found by asking what becomes of sound that is never near its pictures: silence for ever, and only health knew.
test.each([
  { name: 'an hour ahead', byMs: 3_600_000, says: /3600\.\d s ahead of the pictures/ },
  { name: '20 s ahead', byMs: 20_000, says: /20\.0 s ahead of the pictures/ },
  { name: '5 s behind', byMs: -5000, says: /[45]\.\d s behind the pictures/ },
])('sound of which not a frame can be used is told to the encoder: $name', ({ byMs, says }) => {
  const tags = feed({ seconds: 40, startMs: 100_000 }).map((tag, i) =>
    tag.kind === 'audio' && i > 1 ? { ...tag, timestampMs: tag.timestampMs + byMs } : tag,
  );
  const [refusal] = refusalsOf(play(tags, { wallMs: (index) => index * 14 }));
  expect(refusal).toMatchObject({ code: 'MEDIA_INVALID', detail: expect.stringMatching(says) });
  expect(`${refusal?.code}: ${refusal?.detail}`).toMatch(/^[\x20-\x7e]{1,200}$/);
});

test('pictures before the first keyframe are dropped, and that is told', () => {
  const tags = feed({ seconds: 5, hasAudio: false, firstFrame: 20 });
  const played = play(tags, { wallMs: wallOfMedia(), closes: false });
  expect(played.session.stats(played.now).warnings).toEqual([
    expect.stringMatching(/pictures before the first keyframe of a period are dropped \(30 times\)/),
  ]);
});

test('the header before ADTS frames wins over theirs', () => {
  const frames = Array.from({ length: 200 }, (_, i) =>
    aacFrame(Math.round((i * 1024) / 24), adts([1, i & 255])),
  );
  const played = play([aacHeader(0, configurations.heAac), ...frames]);
  expect(periodsOf(played).map(({ audio: one }) => one?.source.codecs)).toEqual(['mp4a.40.5']);
});

// Goal: one track's faults are its own. Method: each track damaged beside the other that is sound; every second tag is good.
test.each([
  {
    what: 'H.264 pictures',
    damaged: (ms: number) => video(ms, Uint8Array.of(0x27, 1, 0, 0, 0, 0, 0, 9, 9, 0x41)),
  },
  { what: 'AAC frames', damaged: (ms: number) => aacFrame(ms, [...adts([1]), 9]) },
])('$what that are damaged are counted for themselves, and the refusal names them', ({ what, damaged }) => {
  const sound = feed({ seconds: 9, hasVideo: what.startsWith('AAC'), hasAudio: !what.startsWith('AAC') });
  const bad = Array.from({ length: 60 }, (_, i) => damaged(i * 40));
  const played = play([avcHeader(), aacHeader(), ...inOrder(...sound, ...bad)], { wallMs: wallOfMedia() });
  expect(details(played)).toEqual([expect.stringContaining(`51 damaged ${what} in a row`)]);
});

const startCode = Uint8Array.of(0, 0, 0, 1);
const annexB = (...nals: readonly Uint8Array[]): Uint8Array =>
  bytes(...nals.flatMap((nal) => [startCode, nal]));
const pictureOf = (i: number): Uint8Array =>
  avcSlice({ isIdr: i % 50 === 0, frameNum: i % 50, orderLsb: 2 * (i % 50), content: i });
const setsOf = (i: number): readonly Uint8Array[] => (i % 50 === 0 ? [...avcSets.sps, ...avcSets.pps] : []);
const tag = (ms: number, body: Uint8Array): FlvTag => video(ms, bytes([0x27, 1, 0, 0, 0], body));

test.each([
  { name: 'a good header', header: avcHeader(), sets: () => [] },
  { name: 'a header that is Annex B too', header: avcHeader(0, annexB(...setsOf(0))), sets: () => [] },
  {
    name: 'no header, parameter sets in the pictures',
    header: avcHeader(0, new Uint8Array(0)),
    sets: setsOf,
  },
])('Annex B in FLV is taken and told, beside sound that is good: $name', ({ header, sets }) => {
  const pictures = Array.from({ length: 125 }, (_, i) => tag(i * 40, annexB(...sets(i), pictureOf(i))));
  const played = play([
    header,
    aacHeader(),
    ...inOrder(...feed({ seconds: 5, hasVideo: false }).slice(1), ...pictures),
  ]);
  expect(details(played)).toEqual([]);
  expect(countOf(played, 'video')).toBe(125);
  expect(warningsOf(played)).toContain('annexB');
  const [first] = segmentsOf(played)[0]?.video?.samples ?? [];
  expect(Buffer.from(first?.data ?? [])).toEqual(Buffer.from(joinLengthPrefixed([...sets(0), pictureOf(0)])));
});

test('HEVC as Annex B with no record is refused by that name', () => {
  const header = enhanced(0, 0, 'hvc1', annexB(hevcUnit(32), hevcUnit(33), hevcUnit(34)));
  const pictures = Array.from({ length: 300 }, (_, i) =>
    enhanced(i * 40, 1, 'hvc1', bytes([0, 0, 0], annexB(hevcSegment(i % 50 === 0 ? 20 : 1, true, i)))),
  );
  expect(details(play([header, ...pictures], { wallMs: wallOfMedia() }))).toEqual([
    expect.stringMatching(/sequence header of HEVC in 10 s \(it is Annex B, where a record belongs\)/),
  ]);
});

test('H.264 whose header never comes, with parameter sets in front of its IDRs, is taken and told', () => {
  const pictures = Array.from({ length: 125 }, (_, i) =>
    tag(i * 40, joinLengthPrefixed([...setsOf(i), pictureOf(i)])),
  );
  const played = play(pictures, { wallMs: wallOfMedia() });
  expect(countOf(played, 'video')).toBe(125);
  expect(warningsOf(played)).toEqual(['videoHeaderMissing']);
});

// Goal: a feed that cannot be cut is told why. Method: keyframes by name only, each kind for 12 s beside good sound.
test.each([
  {
    name: 'open GOP',
    nals: (i: number) =>
      i % 25 === 0 ? [avcSlice({ sliceType: 7, frameNum: i })] : [avcSlice({ frameNum: i })],
    says: /I pictures of an open GOP; send closed GOPs/,
  },
  {
    name: 'intra refresh',
    nals: (i: number) => [...(i % 25 === 0 ? [avcRecoveryPoint(2)] : []), avcSlice({ frameNum: i })],
    says: /turn intra refresh off/,
  },
  {
    name: 'no keyframes',
    nals: (i: number) => [avcSlice({ frameNum: i })],
    says: /set the keyframe interval to 2 s/,
  },
])('no keyframe to cut at: the refusal names the cause: $name', ({ nals, says }) => {
  const pictures = Array.from({ length: 400 }, (_, i) =>
    tag(i * 40, joinLengthPrefixed(i === 0 ? [pictureOf(0)] : [...nals(i)])),
  );
  const sound = feed({ seconds: 16, hasVideo: false });
  const [refusal] = refusalsOf(
    play([avcHeader(), ...inOrder(...sound, ...pictures)], { wallMs: wallOfMedia() }),
  );
  expect(refusal).toMatchObject({ code: 'KEYFRAME_INTERVAL', detail: expect.stringMatching(says) });
  expect(`${refusal?.code}: ${refusal?.detail}`).toMatch(/^[\x20-\x7e]{1,200}$/);
});

test('keyframes that cannot be read, among pictures that can, are the cause that is told', () => {
  const pictures = Array.from({ length: 400 }, (_, i) => {
    const whole = joinLengthPrefixed([avcSlice({ isIdr: i % 25 === 0, frameNum: i % 25 })]);
    return tag(i * 40, i > 0 && i % 25 === 0 ? whole.subarray(0, -2) : whole);
  });
  expect(details(play([avcHeader(), ...pictures], { wallMs: wallOfMedia() }))).toEqual([
    expect.stringMatching(
      /no keyframe to cut at for [\d.]+ s: \d+ pictures could not be read \(a NAL unit of/,
    ),
  ]);
});

// Found with x264 slices=4 and one RTMP message for each NAL unit: four times the samples, 100 fps, health well.
test('one message for each NAL unit: pictures, not messages, are counted, cut and hashed', () => {
  const unitsAt = (i: number): readonly Uint8Array[] => [
    ...(i % 50 === 0 ? [avcDelimiter, ...setsOf(0)] : []),
    avcSei(i),
    ...[0, 1, 2, 3].map((part) =>
      avcSlice({
        isIdr: i % 50 === 0,
        frameNum: i % 50,
        orderLsb: 2 * (i % 50),
        firstMacroblock: part * 200,
        content: i,
      }),
    ),
  ];
  const whole = Array.from({ length: 150 }, (_, i) => [tag(i * 40, joinLengthPrefixed(unitsAt(i)))]);
  const single = Array.from({ length: 150 }, (_, i) =>
    unitsAt(i).map((unit) => tag(i * 40, joinLengthPrefixed([unit]))),
  );
  const [one, many] = [whole, single].map((tags) =>
    play([avcHeader(), ...tags.flat()], { wallMs: wallOfMedia(), closes: false }),
  );
  if (one === undefined || many === undefined) throw new Error('not played');
  expect(segmentsOf(many)).toEqual(segmentsOf(one));
  expect(countOf(many, 'video')).toBe(100);
  expect(many.session.stats(many.now)).toMatchObject({ fps: 25, warnings: [] });
});

test('two pictures in one message are two pictures', () => {
  const pairs = Array.from({ length: 75 }, (_, i) =>
    tag(i * 80, joinLengthPrefixed([pictureOf(2 * i), pictureOf(2 * i + 1)])),
  );
  expect(countOf(play([avcHeader(), ...pairs]), 'video')).toBe(150);
});

test('a picture that grows for ever is bounded by the buffer', () => {
  const endless = Array.from({ length: 400 }, (_, i) =>
    tag(0, joinLengthPrefixed([avcSlice({ isIdr: true, firstMacroblock: i })])),
  );
  expect(refusalsOf(play([avcHeader(), ...endless], { limits: { maxBufferedBytes: 50_000 } }))).toMatchObject(
    [{ code: 'KEYFRAME_INTERVAL' }],
  );
});

// Found with an encoder whose SPS alternates between level 3.1 and 3.0: a new period with each IDR, refused after six.
test('a level that alternates with each IDR opens no period, and is told', () => {
  const [sps = new Uint8Array(0)] = avcSets.sps;
  const other = Uint8Array.from(sps, (byte, i) => (i === 3 ? 31 : byte));
  const pictures = Array.from({ length: 500 }, (_, i) => {
    const sets = i % 50 === 0 ? [i % 100 === 0 ? other : sps, ...avcSets.pps] : [];
    return tag(i * 40, joinLengthPrefixed([...sets, pictureOf(i)]));
  });
  const played = play([avcHeader(), ...pictures], { wallMs: wallOfMedia() });
  expect(periodsOf(played).map(({ video: one }) => one?.source.codecs)).toEqual(['avc1.64001e']);
  expect(countOf(played, 'video')).toBe(500);
  expect(warningsOf(played)).toEqual(['levelChanged']);
});

test('a picture size that changes in the parameter sets of an IDR still opens a period', () => {
  const other = [configurations.h264Other.slice(8, 35), configurations.h264Other.slice(38)];
  const played = play([
    ...feed({ seconds: 4, hasAudio: false }),
    tag(4000, joinLengthPrefixed([...other, slice(100, true)])),
    ...Array.from({ length: 60 }, (_, i) => avcPicture(4040 + i * 40, slice(101 + i, false))),
  ]);
  expect(periodsOf(played).map(({ video: one }) => one?.source.width)).toEqual([640, 1920]);
});

test('an audio header of no known type is unreadable, one of a known type that is not taken is refused by name', () => {
  const unknown = aacHeader(0, Uint8Array.of(0xfb, 0x73, 0x40));
  expect(refusalsOf(play([...feed({ seconds: 3 }), unknown, audio(3000, Uint8Array.of(0xaf, 0))]))).toEqual(
    [],
  );
});
