/** HEVC configuration: a record of x265, and what chance makes of it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseHevcConfig } from '../../../../../actors/media/hevc/hevc-config.ts';
import {
  hevcNalType,
  isHevcLeading,
  isHevcRandomAccess,
  isHevcRasl,
  mayHaveLeading,
} from '../../../../../actors/media/hevc/hevc-nal.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';
import { configurations } from '../../../../support/ingest/flv-builders.ts';

test('a record of x265 says what ffprobe says of the same file', () => {
  expect(parseHevcConfig(configurations.hevc)).toMatchObject({
    codecs: 'hvc1.1.6.L63.90',
    width: 640,
    height: 360,
    bitDepth: 8,
    chromaFormat: 1,
    frameRate: [25, 1],
    sampleAspectRatio: [1, 1],
    lengthSize: 4,
  });
});

test('a record without its VPS is refused', () => {
  const withoutVps = Buffer.from(configurations.hevc);
  withoutVps[23] = 0x27;
  withoutVps[28] = 0x4e;
  expect(() => parseHevcConfig(withoutVps)).toThrow(expect.objectContaining({ code: 'MEDIA_INVALID' }));
});

test('every cut-off or altered record parses or is MEDIA_INVALID', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(130), fc.nat(255)), { maxLength: 6 }),
      fc.nat(130),
      (changes, length) => {
        const record = configurations.hevc.slice(0, length);
        for (const [at, value] of changes) if (at < record.length) record[at] = value;
        try {
          expect(parseHevcConfig(record).width).toBeGreaterThan(0);
        } catch (error) {
          expect(errorCodeOf(error)).toBe('MEDIA_INVALID');
        }
      },
    ),
    { numRuns: 1500 },
  );
});

test('picture types are told apart: CRA and IDR_W_RADL may have leading pictures, RASL cannot be decoded after a cut', () => {
  const types = [1, 6, 8, 9, 16, 19, 20, 21].map((type) => hevcNalType(Uint8Array.of(type << 1, 1)));
  expect(types.filter(isHevcRandomAccess)).toEqual([16, 19, 20, 21]);
  expect(types.filter(mayHaveLeading)).toEqual([16, 19, 21]);
  expect(types.filter(isHevcLeading)).toEqual([6, 8, 9]);
  expect(types.filter(isHevcRasl)).toEqual([8, 9]);
  expect(isHevcRandomAccess(hevcNalType(new Uint8Array(0)))).toBe(false);
});
