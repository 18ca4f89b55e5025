/**
 * Reads and writes an AVCDecoderConfigurationRecord: the body of `avcC` and of FLV's sequence header (ISO/IEC 14496-15
 * 5.3.3.1).
 */
import { ByteReader, mediaInvalid } from '../bits/byte-reader.ts';
import { avcNal, avcNalType } from './nal-units.ts';
import { parseSps, type AvcSps } from './sps.ts';

export interface AvcConfig extends AvcSps {
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
  /** Bytes of the length before each NAL unit: 1, 2 or 4. */
  readonly lengthSize: number;
  /** RFC 6381, e.g. `avc1.64001f`. */
  readonly codecs: string;
}

const hex2 = (byte: number): string => byte.toString(16).padStart(2, '0');

/** Profiles whose record ends with chroma format and bit depths. */
const extendedProfiles: ReadonlySet<number> = new Set([100, 110, 122, 144]);

function readSets(reader: ByteReader, count: number, type: number): readonly Uint8Array[] {
  return Array.from({ length: count }, () => {
    const set = reader.bytes(reader.u16());
    if (avcNalType(set) !== type)
      throw mediaInvalid(`an avcC record holds NAL unit type ${avcNalType(set)} where ${type} belongs`);
    return set;
  });
}

/**
 * Parses a record and its first SPS. The sets are views into `avcC`.
 *
 * @throws TangazaError `MEDIA_INVALID`
 */
export function parseAvcConfig(avcC: Uint8Array): AvcConfig {
  const reader = new ByteReader(avcC, 'an avcC record');
  const version = reader.u8();
  if (version !== 1) throw mediaInvalid(`an avcC record has version ${version}`);
  reader.bytes(3);
  const lengthSize = (reader.u8() & 3) + 1;
  if (lengthSize === 3) throw mediaInvalid('an avcC record has NAL unit lengths of 3 bytes');
  const sps = readSets(reader, reader.u8() & 0x1f, avcNal.sps);
  const pps = readSets(reader, reader.u8(), avcNal.pps);
  return describe(sps, pps, lengthSize);
}

function describe(sps: readonly Uint8Array[], pps: readonly Uint8Array[], lengthSize: number): AvcConfig {
  const first = sps[0];
  if (first === undefined || pps.length === 0) throw mediaInvalid('an avcC record lacks an SPS or a PPS');
  const parsed = parseSps(first);
  const codecs = `avc1.${hex2(parsed.profile)}${hex2(parsed.constraints)}${hex2(parsed.level)}`;
  return { ...parsed, sps, pps, lengthSize, codecs };
}

function withLengths(sets: readonly Uint8Array[]): readonly Uint8Array[] {
  return sets.flatMap((set) => [Uint8Array.of(set.length >> 8, set.length & 255), set]);
}

/**
 * Builds the canonical record of these sets: equal sets give equal bytes.
 *
 * @throws TangazaError `MEDIA_INVALID` without an SPS or a PPS, for too many or too long sets, or for an SPS that does
 *   not parse
 */
export function buildAvcConfig(
  sps: readonly Uint8Array[],
  pps: readonly Uint8Array[],
  lengthSize = 4,
): Uint8Array {
  const { profile, constraints, level, chromaFormat, bitDepth } = describe(sps, pps, lengthSize);
  if (sps.length > 31 || pps.length > 255)
    throw mediaInvalid(`${sps.length} SPS and ${pps.length} PPS do not fit in an avcC record`);
  if ([...sps, ...pps].some((set) => set.length > 0xffff))
    throw mediaInvalid('a parameter set is over 65,535 bytes');
  const head = Uint8Array.of(1, profile, constraints, level, 0xfc | (lengthSize - 1), 0xe0 | sps.length);
  const depth = 0xf8 | (bitDepth - 8);
  const tail = extendedProfiles.has(profile)
    ? Uint8Array.of(0xfc | chromaFormat, depth, depth, 0)
    : new Uint8Array(0);
  return Buffer.concat([head, ...withLengths(sps), Uint8Array.of(pps.length), ...withLengths(pps), tail]);
}
