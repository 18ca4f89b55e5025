/** AV1 configuration and OBUs: a record of SVT-AV1, key frames, and rubbish. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAv1Config } from '../../../../../actors/media/av1/av1-config.ts';
import { splitObus } from '../../../../../actors/media/av1/obu.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';
import { configurations } from '../../../../support/ingest/flv-builders.ts';

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
