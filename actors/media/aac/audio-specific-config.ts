/**
 * Reads an AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1): which AAC a feed carries, and how long its frames are (M9).
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { BitReader } from '../bits/bit-reader.ts';
import { mediaInvalid } from '../bits/byte-reader.ts';

export interface AacConfig {
  /** The object type that listeners get: 2 AAC-LC, 5 HE-AAC (SBR), 29 HE-AAC v2 (parametric stereo). */
  readonly objectType: 2 | 5 | 29;
  /** The rate that listeners get: doubled by SBR. */
  readonly sampleRate: number;
  /** The channels that listeners get. */
  readonly channels: number;
  /** 1 to 7 of table 1.19; 0 when a program config element describes the channels. */
  readonly channelConfiguration: number;
  /** 960 or 1,024, doubled for SBR. */
  readonly samplesPerFrame: number;
  /** RFC 6381, e.g. `mp4a.40.2`. */
  readonly codecs: string;
}

const sampleRates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
];
const channelCounts = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8];

const low = 2;
const sbr = 5;
const parametricStereo = 29;

const objectTypeNames: Readonly<Record<number, string>> = {
  1: 'AAC Main',
  3: 'AAC SSR',
  4: 'AAC LTP',
  8: 'CELP',
  23: 'AAC-LD',
  32: 'MPEG Layer 1',
  33: 'MPEG Layer 2',
  34: 'MP3',
  36: 'MPEG-4 ALS',
  39: 'AAC-ELD',
  42: 'xHE-AAC',
};

function readObjectType(bits: BitReader): number {
  const type = bits.bits(5);
  return type === 31 ? 32 + bits.bits(6) : type;
}

function readSampleRate(bits: BitReader): number {
  const index = bits.bits(4);
  const rate = index === 15 ? bits.bits(24) : sampleRates[index];
  if (rate === undefined || rate < 1000 || rate > 192_000)
    throw mediaInvalid(`an AAC configuration has sample rate index ${index}, rate ${rate ?? 'none'}`);
  return rate;
}

/** Counts the channels of a program config element (4.4.1.1): those of single, pair and effect elements. */
function readProgramChannels(bits: BitReader): number {
  bits.skip(10);
  const [front, side, back, effects, data, coupling] = [
    bits.bits(4),
    bits.bits(4),
    bits.bits(4),
    bits.bits(2),
    bits.bits(3),
    bits.bits(4),
  ];
  for (const width of [4, 4, 3]) if (bits.flag()) bits.skip(width);
  let channels = effects;
  for (let i = 0; i < front + side + back; i += 1) {
    channels += bits.flag() ? 2 : 1;
    bits.skip(4);
  }
  bits.skip(4 * effects + 4 * data + 5 * coupling);
  return channels;
}

interface Core {
  readonly frameLength: number;
  readonly channels: number;
}

function readCore(bits: BitReader, channelConfiguration: number): Core {
  const frameLength = bits.flag() ? 960 : 1024;
  if (bits.flag()) bits.skip(14);
  bits.skip(1);
  const channels =
    channelConfiguration === 0 ? readProgramChannels(bits) : (channelCounts[channelConfiguration] ?? 0);
  if (channels < 1 || channels > 8)
    throw mediaInvalid(`an AAC configuration has channel configuration ${channelConfiguration}`);
  return { frameLength, channels };
}

interface Extension {
  readonly objectType: AacConfig['objectType'];
  readonly sampleRate: number;
}

/** SBR signalled before the core's configuration. */
function readLeadingExtension(bits: BitReader, objectType: number): Extension | undefined {
  if (objectType !== sbr && objectType !== parametricStereo) return undefined;
  return { objectType, sampleRate: readSampleRate(bits) };
}

/** SBR signalled behind the core's configuration, so that old decoders do not trip over it (1.6.5.2). */
function readTrailingExtension(bits: BitReader, coreRate: number): Extension {
  const none: Extension = { objectType: low, sampleRate: coreRate };
  if (bits.remaining < 16 || bits.bits(11) !== 0x2b7 || readObjectType(bits) !== sbr || !bits.flag())
    return none;
  const sampleRate = readSampleRate(bits);
  const hasStereo = bits.remaining >= 12 && bits.bits(11) === 0x548 && bits.flag();
  return { objectType: hasStereo ? parametricStereo : sbr, sampleRate };
}

/**
 * @throws TangazaError `CODEC_REFUSED` for object types that browsers do not play, `MEDIA_INVALID` for what is no
 *   configuration
 */
export function parseAudioSpecificConfig(bytes: Uint8Array): AacConfig {
  const bits = new BitReader(bytes, 'an AAC configuration');
  const first = readObjectType(bits);
  const coreRate = readSampleRate(bits);
  const channelConfiguration = bits.bits(4);
  const explicit = readLeadingExtension(bits, first);
  const core = explicit === undefined ? first : readObjectType(bits);
  if (core !== low) throw unusable(core);
  const { frameLength, channels } = readCore(bits, channelConfiguration);
  const { objectType, sampleRate }: Extension = explicit ?? readTrailingExtension(bits, coreRate);
  if (sampleRate !== coreRate && sampleRate !== 2 * coreRate)
    throw mediaInvalid(`SBR from ${coreRate} Hz to ${sampleRate} Hz is not possible`);
  return {
    objectType,
    sampleRate,
    channels: objectType === parametricStereo ? 2 : channels,
    channelConfiguration,
    samplesPerFrame: frameLength * (sampleRate / coreRate),
    codecs: `mp4a.40.${objectType}`,
  };
}

/** A type without a name is a damaged configuration, not an encoder's choice. */
function unusable(objectType: number): TangazaError {
  const name = objectTypeNames[objectType];
  if (name === undefined) return mediaInvalid(`an AAC configuration has audio object type ${objectType}`);
  return new TangazaError('CODEC_REFUSED', `${name} is not taken: send AAC-LC or HE-AAC (ffmpeg: -c:a aac)`);
}
