/** H.264 configuration: records written by x264, hand-checked against ffprobe, and whatever chance sends. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildAvcConfig, parseAvcConfig } from '../../../../../actors/media/avc/avc-config.ts';
import { isHdr } from '../../../../../actors/media/avc/vui.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

/** Made by ffmpeg 5.1 with libx264; the second column is what ffprobe says of the same file. */
const records = [
  {
    name: 'the 640x360 clip, High',
    hex: '0164001effe1001e6764001eacd980a02ff97016a04040a80000030008000003019078b16cd001000668e9786cb22cfdf8f800',
    is: {
      codecs: 'avc1.64001e',
      width: 640,
      height: 360,
      bitDepth: 8,
      chromaFormat: 1,
      frameRate: [25, 1],
      sampleAspectRatio: [1, 1],
    },
  },
  {
    name: '1080 lines out of 1088 coded, 29.97 fps',
    hex: '0142c028ffe1001b6742c028da01e0089f97016a020202800001f480007530078c195001000468ce0fc8',
    is: { codecs: 'avc1.42c028', width: 1920, height: 1080, frameRate: [30000, 1001], isProgressive: true },
  },
  {
    name: 'anamorphic, interlaced PAL',
    hex: '014d401effe1001c674d401eeca05a126ffc010000b440000003004000000c87c50a658001000568fba3cb20',
    is: { codecs: 'avc1.4d401e', width: 720, height: 576, sampleAspectRatio: [64, 45], isProgressive: false },
  },
  {
    name: '10 bit, PQ, cropped on both axes',
    hex: '016e000dffe1001e676e000da6cd941519e226c05a81080120000003002000000601e28532c001000668ebe3cb22c0fdfafa00',
    is: { codecs: 'avc1.6e000d', width: 322, height: 182, bitDepth: 10, chromaFormat: 1 },
  },
  {
    name: '4:2:2',
    hex: '017a000cffe1001a677a000cbcd941419f8dc044000003000400000300c03c50a65801000668ebe3cb22c0fef8f800',
    is: { codecs: 'avc1.7a000c', width: 320, height: 180, bitDepth: 8, chromaFormat: 2 },
  },
  {
    name: 'Baseline, 15 fps',
    hex: '0142c00cffe100196742c00cd901419f9f0110000003001000000301e0f142a48001000568cb83cb20',
    is: {
      codecs: 'avc1.42c00c',
      profile: 66,
      constraints: 0xc0,
      level: 12,
      frameRate: [15, 1],
      lengthSize: 4,
    },
  },
];

test.each(records)('a record says what ffprobe says: $name', ({ hex, is }) => {
  expect(parseAvcConfig(fromHex(hex))).toMatchObject(is);
});

test.each(records)('a record is rebuilt from its sets to the bytes that x264 wrote: $name', ({ hex }) => {
  const { sps, pps } = parseAvcConfig(fromHex(hex));
  expect(Buffer.from(buildAvcConfig(sps, pps)).toString('hex')).toBe(hex);
});

test('PQ is told from standard range', () => {
  expect(records.map(({ hex }) => isHdr(parseAvcConfig(fromHex(hex)).colour))).toEqual([
    false,
    false,
    false,
    true,
    false,
    false,
  ]);
});

test.each([
  ['nothing', ''],
  ['a wrong version', `02${records[0]?.hex.slice(2)}`],
  ['lengths of 3 bytes', '0164001efe'],
  ['no SPS', '0164001effe0010004deadbeef'],
  ['no PPS', '0142c00cffe100196742c00cd901419f9f0110000003001000000301e0f142a48000'],
  ['a PPS where the SPS belongs', '0142c00cffe1000568cb83cb2001000568cb83cb20'],
])('refuses %s', (_, hex) => {
  expect(() => parseAvcConfig(fromHex(hex))).toThrow(expect.objectContaining({ code: 'MEDIA_INVALID' }));
});

test('every cut-off or altered record parses or is MEDIA_INVALID, and never anything else', () => {
  const seeds = fc.constantFrom(...records.map(({ hex }) => fromHex(hex)));
  const damage = fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(seeds, damage, fc.nat(60), (seed, changes, length) => {
      const bytes = seed.slice(0, Math.max(length, 6));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      try {
        const { width, height } = parseAvcConfig(bytes);
        expect(width * height).toBeGreaterThan(0);
      } catch (error) {
        expect(errorCodeOf(error)).toBe('MEDIA_INVALID');
      }
    }),
    { numRuns: 2000 },
  );
});
