/**
 * Reads the parts of video usability information that H.264 (E.1.1) and HEVC (E.2.1) share: aspect ratio and colour.
 */
import type { Ratio } from '../../../cluster/contract/renditions.ts';
import type { BitReader } from '../bits/bit-reader.ts';

/** Sample aspect ratios by `aspect_ratio_idc` 1 to 16 (table E-1). */
const sampleAspectRatios: readonly Ratio[] = [
  [1, 1],
  [12, 11],
  [10, 11],
  [16, 11],
  [40, 33],
  [24, 11],
  [20, 11],
  [32, 11],
  [80, 33],
  [18, 11],
  [15, 11],
  [64, 33],
  [160, 99],
  [4, 3],
  [3, 2],
  [2, 1],
];

const extendedSar = 255;

/** Code points of ISO/IEC 23091-2; 2 is "unspecified". */
export interface Colour {
  readonly isFullRange: boolean;
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
}

export const unspecifiedColour: Colour = { isFullRange: false, primaries: 2, transfer: 2, matrix: 2 };

/** Reduces a ratio to lowest terms. @returns undefined when either side is not a positive integer */
export function ratio(numerator: number, denominator: number): Ratio | undefined {
  if (
    !Number.isSafeInteger(numerator) ||
    !Number.isSafeInteger(denominator) ||
    numerator < 1 ||
    denominator < 1
  )
    return undefined;
  let [a, b] = [numerator, denominator];
  while (b > 0) [a, b] = [b, a % b];
  return [numerator / a, denominator / a];
}

/** Reads from `aspect_ratio_info_present_flag` on. A ratio that is absent, unknown or nonsense counts as square. */
export function readSampleAspectRatio(bits: BitReader): Ratio {
  if (!bits.flag()) return [1, 1];
  const idc = bits.bits(8);
  if (idc !== extendedSar) return sampleAspectRatios[idc - 1] ?? [1, 1];
  return ratio(bits.bits(16), bits.bits(16)) ?? [1, 1];
}

/** Reads from `overscan_info_present_flag` to the chroma location, both included. */
export function readColour(bits: BitReader): Colour {
  if (bits.flag()) bits.skip(1);
  const colour = bits.flag() ? readSignalType(bits) : unspecifiedColour;
  if (bits.flag()) {
    bits.ue();
    bits.ue();
  }
  return colour;
}

function readSignalType(bits: BitReader): Colour {
  bits.skip(3);
  const isFullRange = bits.flag();
  if (!bits.flag()) return { ...unspecifiedColour, isFullRange };
  return { isFullRange, primaries: bits.bits(8), transfer: bits.bits(8), matrix: bits.bits(8) };
}

/** Whether the colour is high dynamic range, PQ (16) or HLG (18), which is refused here (M15). */
export function isHdr(colour: Colour): boolean {
  return colour.transfer === 16 || colour.transfer === 18;
}
