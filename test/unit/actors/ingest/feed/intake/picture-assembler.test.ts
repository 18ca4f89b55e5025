/** Pictures out of messages: the rules of H.264, HEVC and AV1, and that it never matters how units were sent. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Av1Rules } from '../../../../../../actors/ingest/feed/intake/av1-rules.ts';
import { AvcRules } from '../../../../../../actors/ingest/feed/intake/avc-rules.ts';
import { HevcRules } from '../../../../../../actors/ingest/feed/intake/hevc-rules.ts';
import {
  PictureAssembler,
  type AssembledPicture,
} from '../../../../../../actors/ingest/feed/intake/picture-assembler.ts';
import type { UnitRules } from '../../../../../../actors/ingest/feed/intake/unit-rules.ts';
import { joinLengthPrefixed, splitLengthPrefixed } from '../../../../../../actors/media/avc/nal-units.ts';
import { parseAvcConfig } from '../../../../../../actors/media/avc/avc-config.ts';
import {
  av1Frame,
  avcDelimiter,
  avcRecoveryPoint,
  avcSei,
  avcSets,
  avcSlice,
  hevcSegment,
  hevcUnit,
  obu,
} from '../../../../../support/media/coded-units.ts';
import { configurations } from '../../../../../support/ingest/flv-builders.ts';

const hexOf = (part: Uint8Array): string => Buffer.from(part).toString('hex');
const avcRules = (): UnitRules => new AvcRules(4, [...avcSets.sps, ...avcSets.pps]);
/** Frame or field: 720x576 of Main profile, interlaced. */
const interlaced = parseAvcConfig(
  Buffer.from(
    '014d401effe1001c674d401eeca05a126ffc010000b440000003004000000c87c50a658001000568fba3cb20',
    'hex',
  ),
);
const fieldRules = (): UnitRules => new AvcRules(4, [...interlaced.sps, ...interlaced.pps]);

interface Assembled {
  readonly units: readonly string[];
  readonly role: string;
}

function assemble(
  rules: UnitRules,
  messages: readonly Uint8Array[],
  split: typeof unitsOf,
): readonly Assembled[] {
  const assembler = new PictureAssembler(rules);
  const pictures: AssembledPicture[] = messages.flatMap((message) => [...assembler.push(message)]);
  return pictures.map(({ data, role }) => ({ units: split(data.whole()), role }));
}

const unitsOf = (sample: Uint8Array): readonly string[] => splitLengthPrefixed(sample, 4).map(hexOf);
const oneEach = (units: readonly Uint8Array[]): readonly Uint8Array[] =>
  units.map((unit) => joinLengthPrefixed([unit]));
const countOf = (rules: UnitRules, units: readonly Uint8Array[]): number =>
  assemble(rules, oneEach(units), unitsOf).length;

test.each([
  { name: 'frame_num', other: avcSlice({ frameNum: 2 }) },
  { name: 'order', other: avcSlice({ frameNum: 1, orderLsb: 4 }) },
  { name: 'reference to none', other: avcSlice({ frameNum: 1, referenceIdc: 0 }) },
  { name: 'an IDR', other: avcSlice({ frameNum: 1, isIdr: true }) },
  { name: 'a first macroblock again', other: avcSlice({ frameNum: 1 }) },
])('H.264: a slice that differs in $name begins a picture', ({ other }) => {
  expect(countOf(avcRules(), [avcSlice({ frameNum: 1 }), other])).toBe(2);
});

test.each([
  {
    name: 'further macroblocks',
    units: [avcSlice({ firstMacroblock: 30 }), avcSlice({ firstMacroblock: 60 })],
  },
  {
    name: 'slices out of order',
    units: [avcSlice({ firstMacroblock: 30 }), avcSlice({ firstMacroblock: 10 })],
  },
  { name: 'another reference idc, both above 0', units: [avcSlice({ firstMacroblock: 9, referenceIdc: 1 })] },
  { name: 'filler', units: [Uint8Array.of(12, 0xff, 0x80)] },
  { name: 'SEI between its slices', units: [avcSei(1), avcSlice({ firstMacroblock: 30 })] },
])('H.264: a picture goes on with $name', ({ units }) => {
  expect(countOf(avcRules(), [avcSlice({}), ...units])).toBe(1);
});

test('H.264: IDRs that follow each other are told apart by idr_pic_id, and without it too', () => {
  const idr = (idrId: number) => avcSlice({ isIdr: true, idrId });
  const second = (idrId: number) => avcSlice({ isIdr: true, idrId, firstMacroblock: 40 });
  expect(countOf(avcRules(), [idr(0), second(0), idr(1), second(1)])).toBe(2);
  expect(countOf(avcRules(), [idr(0), second(0), idr(0), second(0)])).toBe(2);
});

test('H.264: behind a delimiter a picture begins, though its header tells nothing', () => {
  const same = [avcSlice({ firstMacroblock: 30 }), avcDelimiter, avcSlice({ firstMacroblock: 30 })];
  expect(countOf(avcRules(), same)).toBe(2);
});

test('H.264: slices whose headers cannot be read are told apart by their first macroblock', () => {
  const unread = (first: number) => Uint8Array.of(0x41, first, 0, 0, 0);
  expect(countOf(new AvcRules(4, []), [unread(0x80), unread(0x40), unread(0x80)])).toBe(2);
});

// Goal: a frame of two fields is one picture: decoders give one frame for it, and the encoder's list counts frames.
test('H.264: two fields of a frame are one picture, also of an IDR, and behind a delimiter', () => {
  const field = (frameNum: number, parity: 'top' | 'bottom', isIdr = false) =>
    avcSlice({ frameNum, field: parity, isIdr, orderLsb: 2 * frameNum }, interlaced);
  const units = [
    ...[avcDelimiter, field(0, 'top', true), avcDelimiter, field(0, 'bottom')],
    ...[field(1, 'bottom'), field(1, 'top')],
    ...[field(2, 'top'), field(3, 'top'), field(3, 'bottom')],
  ];
  const pictures = assemble(fieldRules(), oneEach(units), unitsOf);
  expect(pictures.map(({ role, units: some }) => [role, some.length])).toEqual([
    ['key', 4],
    ['other', 2],
    ['other', 1],
    ['other', 2],
  ]);
});

test.each([
  {
    name: 'one I picture',
    units: [avcSlice({ sliceType: 7 }), avcSlice({ frameNum: 1 })],
    nearKey: undefined,
  },
  {
    name: 'I pictures that come again and again',
    units: [0, 1, 2, 3].map((frameNum) => avcSlice({ frameNum, sliceType: frameNum % 2 === 0 ? 7 : 5 })),
    nearKey: 'openGop',
  },
  {
    name: 'I slices at the top of P pictures',
    units: [0, 1, 2, 3].flatMap((frameNum) => [
      avcSlice({ frameNum, sliceType: 2 }),
      avcSlice({ frameNum, firstMacroblock: 30 }),
    ]),
    nearKey: undefined,
  },
  {
    name: 'IDRs among P pictures',
    units: [0, 1, 2, 3].map((i) => avcSlice({ isIdr: i % 2 === 0, frameNum: i % 2 })),
    nearKey: undefined,
  },
  { name: 'a recovery point', units: [avcRecoveryPoint(0), avcSlice({})], nearKey: 'openGop' },
  { name: 'a gradual recovery', units: [avcRecoveryPoint(2), avcSlice({})], nearKey: 'intraRefresh' },
  { name: 'a P picture', units: [avcSlice({})], nearKey: undefined },
  { name: 'an IDR', units: [avcSlice({ isIdr: true })], nearKey: undefined },
])('H.264: what looks like a keyframe and is none is known: $name', ({ units, nearKey }) => {
  const picture = new PictureAssembler(avcRules()).push(joinLengthPrefixed(units)).at(-1);
  expect(picture?.nearKey).toBe(nearKey);
});

test.each([
  { name: 'IDR_N_LP', type: 20, role: 'key' },
  { name: 'CRA', type: 21, role: 'maybeKey' },
  { name: 'RASL', type: 9, role: 'rasl' },
  { name: 'RADL', type: 6, role: 'leading' },
  { name: 'TRAIL', type: 1, role: 'other' },
])('HEVC: $name is $role', ({ type, role }) => {
  const message = joinLengthPrefixed([hevcUnit(39), hevcSegment(type, true, 1), hevcSegment(type, false, 2)]);
  expect(assemble(new HevcRules(4), [message], unitsOf)).toMatchObject([{ role }]);
});

const obusOf = (sample: Uint8Array): readonly string[] => [hexOf(sample)];
const delimiter = obu(2, []);
const sequence = configurations.av1.slice(4);

test.each([
  {
    name: 'a shown key frame behind a sequence header',
    units: [sequence, obu(6, [av1Frame.key, 1])],
    role: 'key',
  },
  { name: 'a key frame without', units: [obu(6, [av1Frame.key, 1])], role: 'other' },
  { name: 'an inter frame behind one', units: [sequence, obu(6, [av1Frame.shown, 1])], role: 'other' },
  { name: 'a hidden key frame', units: [sequence, obu(6, [0, 1])], role: 'other' },
  { name: 'a frame shown again', units: [sequence, obu(3, [av1Frame.shownAgain])], role: 'other' },
])('AV1: a cut may be at it or not: $name', ({ units, role }) => {
  expect(assemble(new Av1Rules(), units, obusOf)).toMatchObject([{ role }]);
});

test('AV1: a unit without a size at the end of a message gets one, so that more may follow it', () => {
  const hidden = Uint8Array.of(6 << 3, av1Frame.hidden, 7);
  const shown = Uint8Array.of(6 << 3, av1Frame.shown, 8);
  expect(assemble(new Av1Rules(), [hidden, shown], obusOf)).toEqual([
    { role: 'other', units: ['3202200732023008'] },
  ]);
});

test('what stands in front of a picture that never comes is bounded', () => {
  const assembler = new PictureAssembler(avcRules());
  const sei = joinLengthPrefixed([Uint8Array.from([6, 5, ...Array<number>(1000).fill(1)])]);
  const held: number[] = [];
  const push = (): void => {
    for (let i = 0; i < 2000; i += 1) {
      assembler.push(sei);
      held.push(assembler.heldBytes);
    }
  };
  expect(push).toThrow(/parameter sets and SEI/);
  expect(Math.max(...held)).toBeLessThan(1.1 * 2 ** 20);
  expect(assembler.heldBytes).toBe(0);
});

// Goal: how units are sent never matters. Method: pictures of random make-up are laid end to end and cut into messages at
// random unit borders, also in the middle of a picture and across two; each time the very same pictures must come out.
const splits = (count: number) => fc.array(fc.boolean(), { minLength: count, maxLength: count });

interface Made {
  readonly units: readonly Uint8Array[];
  readonly isKey: boolean;
}

function partition(
  units: readonly Uint8Array[],
  ends: readonly boolean[],
): readonly (readonly Uint8Array[])[] {
  const messages: Uint8Array[][] = [[]];
  for (const [i, unit] of units.entries()) {
    messages.at(-1)?.push(unit);
    if (ends[i] === true) messages.push([]);
  }
  return messages.filter((message) => message.length > 0);
}

const shape = fc.record({
  isKey: fc.boolean(),
  isDelimited: fc.boolean(),
  hasSei: fc.boolean(),
  isReference: fc.boolean(),
  slices: fc.integer({ min: 1, max: 5 }),
  hasSuffix: fc.boolean(),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

function avcPictures(shapes: readonly Shape[]): readonly Made[] {
  let frameNum = 0;
  let previousWasReference = false;
  return shapes.map(({ isKey, isDelimited, hasSei, isReference, slices, hasSuffix }, index) => {
    frameNum = isKey ? 0 : frameNum + (previousWasReference ? 1 : 0);
    previousWasReference = isKey || isReference;
    const units = [
      ...(isDelimited ? [avcDelimiter] : []),
      ...(isKey ? [...avcSets.sps, ...avcSets.pps] : []),
      ...(hasSei ? [avcSei(index)] : []),
      ...Array.from({ length: slices }, (_, i) =>
        avcSlice({
          isIdr: isKey,
          frameNum,
          idrId: index % 2,
          orderLsb: 2 * index,
          firstMacroblock: i * 40,
          referenceIdc: previousWasReference ? 2 : 0,
          content: index * 16 + i,
        }),
      ),
      ...(hasSuffix ? [Uint8Array.of(12, 0xff, 0x80)] : []),
    ];
    return { units, isKey };
  });
}

function hevcPictures(shapes: readonly Shape[]): readonly Made[] {
  return shapes.map(({ isKey, isDelimited, hasSei, slices, hasSuffix }, index) => ({
    isKey,
    units: [
      ...(isDelimited ? [hevcUnit(35)] : []),
      ...(isKey ? [hevcUnit(32), hevcUnit(33), hevcUnit(34)] : []),
      ...(hasSei ? [hevcUnit(39, index)] : []),
      ...Array.from({ length: slices }, (_, i) => hevcSegment(isKey ? 20 : 1, i === 0, index * 16 + i)),
      ...(hasSuffix ? [hevcUnit(40, index)] : []),
    ],
  }));
}

test.each([
  { codec: 'H.264', rules: avcRules, make: avcPictures },
  { codec: 'HEVC', rules: (): UnitRules => new HevcRules(4), make: hevcPictures },
])('$codec: however its NAL units are split into messages, the same pictures come out', ({ rules, make }) => {
  fc.assert(
    fc.property(fc.array(shape, { minLength: 1, maxLength: 12 }), splits(150), (shapes, ends) => {
      const made = make(shapes);
      const messages = partition(
        made.flatMap(({ units }) => units),
        ends,
      );
      const pictures = assemble(rules(), messages.map(joinLengthPrefixed), unitsOf);
      expect(pictures).toEqual(
        made.map(({ units, isKey }) => ({ units: units.map(hexOf), role: isKey ? 'key' : 'other' })),
      );
    }),
    { numRuns: 300 },
  );
});

test.each([{ hasDelimiters: true }, { hasDelimiters: false }])(
  'AV1: however its units are split into messages, the same temporal units come out (delimiters: $hasDelimiters)',
  ({ hasDelimiters }) => {
    fc.assert(
      fc.property(fc.array(shape, { minLength: 1, maxLength: 12 }), splits(150), (shapes, ends) => {
        const made = shapes.map(({ isKey, hasSei, slices }, index): Made => ({
          isKey,
          units: [
            ...(hasDelimiters ? [delimiter] : []),
            ...(isKey ? [sequence] : []),
            ...(hasSei ? [obu(5, [1, index])] : []),
            ...(isKey
              ? []
              : Array.from({ length: slices - 1 }, (_, i) => obu(6, [av1Frame.hidden, index, i]))),
            obu(3, [isKey ? av1Frame.key : av1Frame.shown, index]),
            ...Array.from({ length: slices }, (_, i) => obu(4, [index, i])),
          ],
        }));
        const messages = partition(
          made.flatMap(({ units }) => units),
          ends,
        );
        const pictures = assemble(
          new Av1Rules(),
          messages.map((units) => Buffer.concat(units)),
          obusOf,
        );
        expect(pictures).toEqual(
          made.map(({ units, isKey }) => ({
            units: [hexOf(Buffer.concat(units.filter((unit) => unit !== delimiter)))],
            role: isKey ? 'key' : 'other',
          })),
        );
      }),
      { numRuns: 300 },
    );
  },
);

test('what is dropped in front of a picture is forgotten with all that was learned of it: no sets, no AV1 header', () => {
  const set = new Uint8Array(60_000);
  set[0] = 7;
  const sets = joinLengthPrefixed(Array.from({ length: 20 }, () => set));
  const avc = new PictureAssembler(avcRules());
  for (let i = 0; i < 3; i += 1) expect(() => avc.push(sets)).toThrow('without a picture');
  const [idr] = avc.push(joinLengthPrefixed([avcSlice({ isIdr: true })]));
  expect(idr).toMatchObject({ role: 'key', parameterSets: [] });

  const av1 = new PictureAssembler(new Av1Rules());
  const metadata = Buffer.concat([Uint8Array.of((5 << 3) | 2, 0x80, 0x80, 0x48), new Uint8Array(1_179_648)]);
  expect(() => av1.push(Buffer.concat([obu(1, [1, 2]), metadata]))).toThrow('without a picture');
  expect(av1.push(obu(6, [av1Frame.key]))).toMatchObject([{ role: 'other', nearKey: 'noHeader' }]);
});
