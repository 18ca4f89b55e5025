/** `onMetaData`: hearsay, read within bounds. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Amf0Reader } from '../../../../../actors/media/flv/amf0.ts';
import { parseScriptTag } from '../../../../../actors/media/flv/script-tag.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';
import { bytes, metadata } from '../../../../support/ingest/flv-builders.ts';

const told = metadata({
  width: 640,
  framerate: 29.97,
  videodatarate: 2500,
  audiodatarate: 128,
  videocodecid: 7,
  encoder: 'Lavf60',
}).payload;

test('metadata is read, with setDataFrame before it or without', () => {
  const expected = {
    kind: 'metadata',
    metadata: {
      frameRate: 29.97,
      videoBitrateBps: 2_500_000,
      audioBitrateBps: 128_000,
      hasVideo: true,
      hasAudio: false,
      encoder: 'Lavf60',
    },
  };
  expect(parseScriptTag(told)).toEqual(expected);
  expect(parseScriptTag(bytes([2, 0, 13], Buffer.from('@setDataFrame'), told))).toEqual(expected);
});

test('numbers that are no numbers are left out', () => {
  expect(parseScriptTag(metadata({ framerate: Number.NaN, videodatarate: -1, width: 0 }).payload)).toEqual({
    kind: 'metadata',
    metadata: { hasVideo: false, hasAudio: false },
  });
});

test('another script message is ignored by name', () => {
  expect(parseScriptTag(bytes([2, 0, 10], Buffer.from('onTextData')))).toEqual({
    kind: 'ignored',
    name: 'onTextData',
  });
});

test('depth and number of values are bounded', () => {
  const nested = bytes(...Array.from({ length: 12 }, () => [10, 0, 0, 0, 1]), [5]);
  expect(() => new Amf0Reader(nested).value()).toThrow(expect.objectContaining({ code: 'MEDIA_INVALID' }));
  expect(() => new Amf0Reader(bytes([10, 0x7f, 0xff, 0xff, 0xff])).value()).toThrow(
    expect.objectContaining({ code: 'MEDIA_INVALID' }),
  );
  expect(() => new Amf0Reader(bytes([10, 0, 0, 8, 0], new Uint8Array(3000).fill(5))).value()).toThrow(
    /more than 2048 values/,
  );
});

test('any bytes are a value or MEDIA_INVALID', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(12), (tail, marker) => {
      try {
        new Amf0Reader(bytes([marker], tail)).value();
      } catch (error) {
        expect(errorCodeOf(error)).toBe('MEDIA_INVALID');
      }
    }),
    { numRuns: 2000 },
  );
});
