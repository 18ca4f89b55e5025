/** AV1 configuration and OBUs: a record of SVT-AV1, key frames, and rubbish. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAv1Config } from '../../../../../actors/media/av1/av1-config.ts';
import { isAv1Key, splitObus } from '../../../../../actors/media/av1/obu.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';
import { configurations } from '../../../../support/flv-builders.ts';

test('a record of SVT-AV1 says what ffprobe says of the same file', () => {
  expect(parseAv1Config(configurations.av1)).toMatchObject({
    codecs: 'av01.0.01M.08',
    width: 640,
    height: 360,
    bitDepth: 8,
    chromaFormat: 1,
  });
});

test('a record without a sequence header is refused', () => {
  expect(() => parseAv1Config(configurations.av1.slice(0, 4))).toThrow(
    expect.objectContaining({ code: 'MEDIA_INVALID' }),
  );
});

const sequenceHeader = configurations.av1.slice(4);
const frame = (firstByte: number): number[] => [0x32, 2, firstByte, 0];

test.each([
  {
    name: 'a shown key frame behind a sequence header',
    unit: [...sequenceHeader, ...frame(0x10)],
    isKey: true,
  },
  { name: 'a key frame without sequence header', unit: frame(0x10), isKey: false },
  {
    name: 'an inter frame behind a sequence header',
    unit: [...sequenceHeader, ...frame(0x30)],
    isKey: false,
  },
  { name: 'a hidden key frame', unit: [...sequenceHeader, ...frame(0x00)], isKey: false },
  { name: 'an existing frame shown again', unit: [...sequenceHeader, ...frame(0x80)], isKey: false },
])('a cut may be at it or not: $name', ({ unit, isKey }) => {
  expect(isAv1Key(splitObus(Uint8Array.from(unit)))).toBe(isKey);
});

test('any bytes split, parse, or are MEDIA_INVALID', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      for (const read of [
        () => splitObus(bytes),
        () => parseAv1Config(Buffer.concat([Buffer.from([0x81, 1, 12, 0, 0x0a]), bytes])),
      ]) {
        try {
          read();
        } catch (error) {
          expect(errorCodeOf(error)).toBe('MEDIA_INVALID');
        }
      }
    }),
    { numRuns: 1500 },
  );
});
