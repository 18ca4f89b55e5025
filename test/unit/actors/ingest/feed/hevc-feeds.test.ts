/** HEVC whose parameter sets come otherwise than in a record at the start, and HEVC that is interlaced. */
import { expect, test } from 'vitest';
import type { FlvTag } from '../../../../../actors/ingest/ingest-port.ts';
import { joinLengthPrefixed } from '../../../../../actors/media/avc/nal-units.ts';
import { buildHevcConfig, parseHevcConfig } from '../../../../../actors/media/hevc/hevc-config.ts';
import { hevcSegment } from '../../../../support/media/coded-units.ts';
import {
  bytes,
  configurations,
  enhanced,
  periodsOf,
  play,
  refusalsOf,
  segmentsOf,
  wallOfMedia,
  warningsOf,
} from '../../../../support/ingest/flv-builders.ts';

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
/** Records of x265: 320x180, and the same with `interlace=tff`. */
const small = fromHex(
  '0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959809a10001002b42010101600000030090000003000003003ca00a080b9f796566924caf016808000003000800000300c840a2000100074401c172b46240',
);
const inFields = fromHex(
  '0101600000004000000000003cf000fcfdf8f800000f04a00001001840010c01ffff01600000030040000003000003003c959809a10001002b42010101600000030040000003000003003ca00a080b9f796566924caf016868000003000800000300c840a2000100074401c172b4624027000100064e0181010f80',
);

const setsOf = (record: Uint8Array): readonly Uint8Array[] =>
  parseHevcConfig(record).sets.filter((set) => (set[0] ?? 0) >> 1 < 35);
const startCode = Uint8Array.of(0, 0, 0, 1);
const annexB = (nals: readonly Uint8Array[]): Uint8Array => bytes(...nals.flatMap((nal) => [startCode, nal]));

type Join = (nals: readonly Uint8Array[]) => Uint8Array;
interface Pictures {
  readonly count: number;
  readonly startMs?: number;
  readonly keyType?: number;
  readonly sets?: readonly Uint8Array[];
  readonly join?: Join;
}

function pictures({
  count,
  startMs = 0,
  keyType = 20,
  sets = [],
  join = joinLengthPrefixed,
}: Pictures): readonly FlvTag[] {
  return Array.from({ length: count }, (_, i) => {
    const isKey = i % 50 === 0;
    const nals = [...(isKey ? sets : []), hevcSegment(isKey ? keyType : 1, true, i)];
    return enhanced(startMs + i * 40, 1, 'hvc1', bytes([0, 0, 0], join(nals)));
  });
}
const header = (body: Uint8Array): FlvTag => enhanced(0, 0, 'hvc1', body);

test.each([
  { name: '640x360', record: configurations.hevc },
  { name: '320x180', record: small },
])("a record made of parameter sets says what x265's own does: $name", ({ record }) => {
  const { sets, ...own } = parseHevcConfig(record);
  expect(parseHevcConfig(buildHevcConfig(sets))).toMatchObject(own);
  // Frame rates, parallelism and the order of arrays aside, its first 23 bytes are the very same.
  const head = (some: Uint8Array): string => Buffer.from(some.subarray(0, 22)).toString('hex');
  expect(head(buildHevcConfig(sets))).toBe(head(record));
});

test.each([
  {
    name: 'a header that is Annex B, and pictures that are',
    tags: [header(annexB(setsOf(configurations.hevc))), ...pictures({ count: 125, join: annexB })],
    warning: 'annexB',
  },
  {
    name: 'no header, parameter sets in front of keyframes',
    tags: pictures({ count: 125, sets: setsOf(configurations.hevc) }),
    warning: 'videoHeaderMissing',
  },
  {
    name: 'neither header nor lengths',
    tags: pictures({ count: 125, sets: setsOf(configurations.hevc), join: annexB }),
    warning: 'annexB',
  },
  {
    name: 'parameter sets repeated in front of keyframes that may have leading pictures',
    tags: [
      header(configurations.hevc),
      ...pictures({ count: 125, keyType: 19, sets: setsOf(configurations.hevc) }),
    ],
    warning: undefined,
  },
])('HEVC is taken, in one period: $name', ({ tags, warning }) => {
  const played = play(tags, { wallMs: wallOfMedia() });
  expect(refusalsOf(played)).toEqual([]);
  expect(periodsOf(played).map(({ video }) => [video?.source.codecs, video?.source.width])).toEqual([
    ['hvc1.1.6.L63.90', 640],
  ]);
  expect(segmentsOf(played).map(({ times90k }) => times90k.length)).toEqual([50, 50]);
  expect(warningsOf(played)).toEqual(expect.arrayContaining(warning === undefined ? [] : [warning]));
  expect(warningsOf(played)).not.toContain('configurationChanged');
});

// Found by asking: an encoder that changes its picture size in mid-stream told it in the pictures alone, and nobody read it.
test.each([20, 19, 21])(
  'HEVC parameter sets that change in front of a keyframe of type %i open a period',
  (keyType) => {
    const played = play(
      [
        header(configurations.hevc),
        ...pictures({ count: 100 }),
        ...pictures({ count: 125, startMs: 4000, keyType, sets: setsOf(small) }),
      ],
      { wallMs: wallOfMedia() },
    );
    expect(refusalsOf(played)).toEqual([]);
    expect(periodsOf(played).map(({ video }) => video?.source.width)).toEqual([640, 320]);
    expect(segmentsOf(played).map(({ times90k }) => times90k.length)).toEqual([50, 50, 50, 50]);
  },
);

test('HEVC whose pictures are fields is refused with what to set', () => {
  const [refusal] = refusalsOf(play([header(inFields), ...pictures({ count: 100 })]));
  expect(refusal).toEqual({
    code: 'CODEC_REFUSED',
    detail: expect.stringContaining('HEVC in fields is not taken: send progressive'),
  });
});

test('HEVC in frames of an interlaced source is deinterlaced, and that is told', () => {
  const [vps, sps, pps] = setsOf(inFields);
  if (vps === undefined || sps === undefined || pps === undefined) throw new Error('no sets');
  const inFrames = Uint8Array.from(sps, (byte, i) => (byte === 0x68 && sps[i - 1] === 0x68 ? 0x08 : byte));
  const played = play([header(buildHevcConfig([vps, inFrames, pps])), ...pictures({ count: 100 })], {
    wallMs: wallOfMedia(),
  });
  expect(refusalsOf(played)).toEqual([]);
  expect(periodsOf(played)[0]?.video?.source.isInterlaced).toBe(true);
  expect(warningsOf(played)).toContain('interlaced');
});
