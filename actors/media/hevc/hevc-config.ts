/**
 * Reads an HEVCDecoderConfigurationRecord: the body of `hvcC` and of Enhanced RTMP's hvc1 (ISO/IEC 14496-15 8.3.3.1).
 */
import { BitWriter } from '../bits/bit-writer.ts';
import { ByteReader, mediaInvalid } from '../bits/byte-reader.ts';
import { hevcNal, hevcNalType } from './hevc-nal.ts';
import { parseHevcSps, type HevcSps } from './hevc-sps.ts';

export interface HevcConfig extends HevcSps {
  /** Bytes of the length before each NAL unit: 1, 2 or 4. */
  readonly lengthSize: number;
  /** All parameter sets and SEI of the record; views. */
  readonly sets: readonly Uint8Array[];
  /** RFC 6381 as ISO/IEC 14496-15 E.3 spells it, e.g. `hvc1.1.6.L93.B0`. */
  readonly codecs: string;
}

function reverse32(value: number): number {
  let reversed = 0;
  for (let i = 0, left = value; i < 32; i += 1, left = Math.floor(left / 2))
    reversed = reversed * 2 + (left % 2);
  return reversed;
}

function spell(general: number, compatibility: number, constraints: Uint8Array, level: number): string {
  const space = ['', 'A', 'B', 'C'][general >> 6] ?? '';
  const tier = (general & 0x20) === 0 ? 'L' : 'H';
  const used = constraints.subarray(0, constraints.findLastIndex((byte) => byte !== 0) + 1);
  const flags = [...used].map((byte) => `.${byte.toString(16).toUpperCase()}`).join('');
  return `hvc1.${space}${general & 0x1f}.${reverse32(compatibility).toString(16).toUpperCase()}.${tier}${level}${flags}`;
}

function readParameterSets(reader: ByteReader): readonly Uint8Array[] {
  const sets: Uint8Array[] = [];
  const arrays = reader.u8();
  for (let i = 0; i < arrays; i += 1) {
    reader.u8();
    const count = reader.u16();
    for (let j = 0; j < count; j += 1) sets.push(reader.bytes(reader.u16()));
  }
  return sets;
}

/** @throws TangazaError `MEDIA_INVALID` */
export function parseHevcConfig(hvcC: Uint8Array): HevcConfig {
  const reader = new ByteReader(hvcC, 'an hvcC record');
  const version = reader.u8();
  if (version !== 1) throw mediaInvalid(`an hvcC record has version ${version}`);
  const codecs = spell(reader.u8(), reader.u32(), reader.bytes(6), reader.u8());
  reader.bytes(8);
  const lengthSize = (reader.u8() & 3) + 1;
  if (lengthSize === 3) throw mediaInvalid('an hvcC record has NAL unit lengths of 3 bytes');
  const sets = readParameterSets(reader);
  const sps = sets.find((set) => hevcNalType(set) === hevcNal.sps);
  const isWhole = [hevcNal.vps, hevcNal.pps].every((type) => sets.some((set) => hevcNalType(set) === type));
  if (sps === undefined || !isWhole) throw mediaInvalid('an hvcC record lacks a VPS, an SPS or a PPS');
  return { ...parseHevcSps(sps), lengthSize, codecs, sets };
}

/**
 * The record that these parameter sets amount to, with NAL unit lengths of 4 bytes.
 *
 * @throws TangazaError `MEDIA_INVALID` when there is no SPS that can be read
 */
export function buildHevcConfig(sets: readonly Uint8Array[]): Uint8Array {
  const ofType = (type: number): readonly Uint8Array[] => sets.filter((set) => hevcNalType(set) === type);
  const [sps] = ofType(hevcNal.sps);
  if (sps === undefined) throw mediaInvalid('HEVC parameter sets lack an SPS');
  const { chromaFormat, record } = parseHevcSps(sps);
  const { profileTierLevel, temporalLayers, isTemporalIdNested, lumaDepth, chromaDepth } = record;
  const head = new BitWriter().put(0b1111 << 12, 16).put(0b111111 << 2, 8); // segmentation, parallelism: unknown
  head.put(0b111111, 6).put(chromaFormat, 2);
  head.put(0b11111, 5).put(lumaDepth - 8, 3);
  head.put(0b11111, 5).put(chromaDepth - 8, 3);
  head.put(0, 16).put(0, 2).put(temporalLayers, 3); // frame rates: unknown
  head.put(isTemporalIdNested ? 1 : 0, 1).put(3, 2);
  const arrays = [hevcNal.vps, hevcNal.sps, hevcNal.pps].map((type) => arrayOf(type, ofType(type)));
  return Buffer.concat([Uint8Array.of(1), profileTierLevel, head.put(arrays.length, 8).finish(), ...arrays]);
}

/** `array_completeness` is 1: what is in force stands here, and in pictures it is only repeated. */
function arrayOf(type: number, sets: readonly Uint8Array[]): Uint8Array {
  const head = new BitWriter().put(1, 1).put(0, 1).put(type, 6).put(sets.length, 16).finish();
  return Buffer.concat([head, ...sets.flatMap((set) => [new BitWriter().put(set.length, 16).finish(), set])]);
}
