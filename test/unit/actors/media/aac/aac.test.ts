/** AudioSpecificConfig by hand-made and known examples, and silent frames read back bit by bit. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitAdts } from '../../../../../actors/media/aac/adts.ts';
import { parseAudioSpecificConfig } from '../../../../../actors/media/aac/audio-specific-config.ts';
import { silentFrame } from '../../../../../actors/media/aac/silent-frame.ts';
import { BitReader } from '../../../../../actors/media/bits/bit-reader.ts';
import { BitWriter } from '../../../../../actors/media/bits/bit-writer.ts';
import { errorCodeOf } from '../../../../../cluster/errors/tangaza-error.ts';

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

const explicitRate = new BitWriter().put(2, 5).put(15, 4).put(50_000, 24).put(1, 4).put(0, 3).finish();
const shortFrames = new BitWriter().put(2, 5).put(3, 4).put(2, 4).put(1, 1).put(0, 2).finish();
const heV2 = new BitWriter().put(29, 5).put(6, 4).put(1, 4).put(3, 4).put(2, 5).put(0, 3).finish();
const trailing = new BitWriter()
  .put(2, 5)
  .put(6, 4)
  .put(2, 4)
  .put(0, 3)
  .put(0x2b7, 11)
  .put(5, 5)
  .put(1, 1)
  .put(3, 4)
  .finish();

test.each([
  {
    name: 'AAC-LC 48 kHz stereo',
    bytes: fromHex('1190'),
    is: { objectType: 2, sampleRate: 48_000, channels: 2, samplesPerFrame: 1024, codecs: 'mp4a.40.2' },
  },
  {
    name: 'AAC-LC 44.1 kHz stereo',
    bytes: fromHex('1210'),
    is: { sampleRate: 44_100, samplesPerFrame: 1024 },
  },
  { name: '5.1', bytes: fromHex('11b0'), is: { channels: 6, channelConfiguration: 6 } },
  {
    name: 'HE-AAC, SBR to 48 kHz',
    bytes: fromHex('2b118800'),
    is: { objectType: 5, sampleRate: 48_000, channels: 2, samplesPerFrame: 2048, codecs: 'mp4a.40.5' },
  },
  {
    name: 'HE-AAC v2 mono core',
    bytes: heV2,
    is: { objectType: 29, sampleRate: 48_000, channels: 2, channelConfiguration: 1, samplesPerFrame: 2048 },
  },
  {
    name: 'SBR signalled behind',
    bytes: trailing,
    is: { objectType: 5, sampleRate: 48_000, samplesPerFrame: 2048 },
  },
  { name: 'frames of 960', bytes: shortFrames, is: { samplesPerFrame: 960 } },
  { name: 'a rate in 24 bits', bytes: explicitRate, is: { sampleRate: 50_000, channels: 1 } },
])('a configuration is read: $name', ({ bytes, is }) => {
  expect(parseAudioSpecificConfig(bytes)).toMatchObject(is);
});

test.each([
  ['MP3', new BitWriter().put(31, 5).put(2, 6).put(3, 4).put(2, 4).finish()],
  ['AAC Main', fromHex('0990')],
  ['xHE-AAC', new BitWriter().put(31, 5).put(10, 6).put(3, 4).put(2, 4).put(0, 8).finish()],
])('%s inside an AAC track is refused by name', (name, bytes) => {
  expect(() => parseAudioSpecificConfig(bytes)).toThrow(
    expect.objectContaining({ code: 'CODEC_REFUSED', message: expect.stringContaining(name) }),
  );
});

test('any bytes parse, or are refused with one of two codes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
      try {
        const { samplesPerFrame, channels } = parseAudioSpecificConfig(bytes);
        expect([960, 1024, 1920, 2048]).toContain(samplesPerFrame);
        expect(channels).toBeGreaterThan(0);
      } catch (error) {
        expect(['MEDIA_INVALID', 'CODEC_REFUSED']).toContain(errorCodeOf(error));
      }
    }),
    { numRuns: 3000 },
  );
});

/** Reads elements as a decoder would, up to the end element; each channel stream must be empty. */
function channelsOfSilence(frame: Uint8Array): number {
  const bits = new BitReader(frame, 'a silent frame');
  let channels = 0;
  for (let element = bits.bits(3); element !== 7; element = bits.bits(3)) {
    bits.skip(4);
    const count = element === 1 ? 2 : 1;
    if (element === 1) expect(bits.flag()).toBe(false);
    for (let i = 0; i < count; i += 1) {
      bits.skip(8);
      expect(bits.bits(14)).toBe(0);
    }
    channels += count;
  }
  expect(bits.remaining).toBeLessThan(8);
  return channels;
}

test('silence exists for the seven standard layouts, with their number of channels, and for no other', () => {
  expect(
    [1, 2, 3, 4, 5, 6, 7].map((layout) => channelsOfSilence(silentFrame(layout) ?? new Uint8Array(0))),
  ).toEqual([1, 2, 3, 4, 5, 6, 8]);
  expect([0, 8, 11, 15].map(silentFrame)).toEqual([undefined, undefined, undefined, undefined]);
});

// Found by reading: a message of 8 MB of the smallest frames was a million of them in one turn of the event loop.
test('a message of more ADTS frames than ten seconds have is damaged', () => {
  const frame = fromHex('fff14c80011ffc21');
  const message = (count: number): Uint8Array => Buffer.concat(Array.from({ length: count }, () => frame));
  expect(splitAdts(message(1024))).toHaveLength(1024);
  expect(() => splitAdts(message(1025))).toThrow('more than 1024 ADTS frames');
});
