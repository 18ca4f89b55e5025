/** NAL units out of both packings, and out of rubbish. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  avcNalType,
  isAvcVcl,
  splitAnnexB,
  splitLengthPrefixed,
  unescapeNal,
} from '../../../../../actors/media/avc/nal-units.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';

const nal = fc.uint8Array({ minLength: 1, maxLength: 20 });

function prefixed(nals: readonly Uint8Array[], lengthSize: number): Uint8Array {
  const lengths = nals.map(({ length }) => Buffer.from([0, 0, 0, length]).subarray(4 - lengthSize));
  return Buffer.concat(nals.flatMap((one, i) => [lengths[i] ?? Buffer.alloc(0), one]));
}

const plain = (nals: readonly Uint8Array[]): number[][] => nals.map((one) => [...one]);

test('what was packed with lengths of 1, 2 or 4 bytes comes back', () => {
  fc.assert(
    fc.property(fc.array(nal, { maxLength: 12 }), fc.constantFrom(1, 2, 4), (nals, lengthSize) => {
      expect(plain(splitLengthPrefixed(prefixed(nals, lengthSize), lengthSize))).toEqual(plain(nals));
    }),
  );
});

test('any bytes split or are MEDIA_INVALID', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(1, 2, 4), (bytes, lengthSize) => {
      try {
        const total = splitLengthPrefixed(bytes, lengthSize).reduce((sum, { length }) => sum + length, 0);
        expect(total).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(errorCodeOf(error)).toBe('MEDIA_INVALID');
      }
    }),
    { numRuns: 1000 },
  );
});

test('a picture of thousands of units is refused before it costs memory', () => {
  const many = Buffer.concat(Array.from({ length: 1025 }, () => Buffer.from([0, 0, 0, 1, 9])));
  expect(() => splitLengthPrefixed(many, 4)).toThrow(expect.objectContaining({ code: 'MEDIA_INVALID' }));
});

test('a byte stream splits at start codes of 3 and 4 bytes, zero padding taken off', () => {
  const stream = Buffer.from([0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 0, 1, 0x65, 4, 0, 0]);
  expect(plain(splitAnnexB(stream, 3))).toEqual([
    [0x67, 1, 2],
    [0x68, 3],
    [0x65, 4],
  ]);
  expect(() => splitAnnexB(stream, 2)).toThrow(expect.objectContaining({ code: 'MEDIA_INVALID' }));
  expect(() => splitAnnexB(Buffer.from([1, 2, 3]), 3)).toThrow(
    expect.objectContaining({ code: 'MEDIA_INVALID' }),
  );
});

test('types are read from the header, and only slices are pictures', () => {
  expect([0x67, 0x68, 0x65, 0x41, 0x06].map((byte) => avcNalType(Uint8Array.of(byte)))).toEqual([
    7, 8, 5, 1, 6,
  ]);
  expect([0x67, 0x68, 0x65, 0x41, 0x06].map((byte) => isAvcVcl(Uint8Array.of(byte)))).toEqual([
    false,
    false,
    true,
    true,
    false,
  ]);
  expect(avcNalType(new Uint8Array(0))).toBe(0);
});

test('emulation prevention is taken out wherever it stands', () => {
  expect([...unescapeNal(Uint8Array.of(0x67, 0, 0, 3, 0, 0, 3, 1, 0, 0, 3))]).toEqual([
    0x67, 0, 0, 0, 0, 1, 0, 0,
  ]);
  expect([...unescapeNal(Uint8Array.of(0x67, 0, 3, 0, 3))]).toEqual([0x67, 0, 3, 0, 3]);
});
