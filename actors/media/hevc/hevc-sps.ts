/**
 * Reads the sequence parameter set of HEVC (ISO/IEC 23008-2 7.3.2.2), as far as it says what the pictures look like.
 */
import type { Ratio } from '../../../cluster/contract/renditions.ts';
import { unescapeNal } from '../avc/nal-units.ts';
import { ratio, readColour, readSampleAspectRatio, unspecifiedColour, type Colour } from '../avc/vui.ts';
import { atMost, BitReader } from '../bits/bit-reader.ts';
import { mediaInvalid } from '../bits/byte-reader.ts';
import { hevcNal, hevcNalType } from './hevc-nal.ts';

export interface HevcSps {
  readonly width: number;
  readonly height: number;
  readonly sampleAspectRatio: Ratio;
  readonly frameRate?: Ratio;
  readonly bitDepth: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly colour: Colour;
  /** Its source was interlaced, by its own word. */
  readonly isInterlaced: boolean;
  /** Each picture is a field, not a frame (E.3.1, `field_seq_flag`). */
  readonly isFieldSequence: boolean;
  /** What a configuration record repeats of it. */
  readonly record: {
    /** 12 bytes, from `general_profile_space` to `general_level_idc`. */
    readonly profileTierLevel: Uint8Array;
    readonly temporalLayers: number;
    readonly isTemporalIdNested: boolean;
    readonly lumaDepth: number;
    readonly chromaDepth: number;
  };
}

const maxSide = 16_384;
/** Where `general_progressive_source_flag` and `general_interlaced_source_flag` lie in `profileTierLevel`. */
const sourceFlags = 5;

function skipProfileTierLevel(bits: BitReader, subLayers: number): void {
  bits.skip(96);
  const present = Array.from({ length: subLayers }, () => ({ profile: bits.flag(), level: bits.flag() }));
  if (subLayers > 0) bits.skip(2 * (8 - subLayers));
  for (const { profile, level } of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
}

interface Geometry {
  readonly width: number;
  readonly height: number;
  readonly chromaFormat: number;
}

function readGeometry(bits: BitReader): Geometry {
  const chromaFormat = atMost(bits.ue(), 3, 'chroma_format_idc');
  if (chromaFormat === 3) bits.skip(1);
  const codedWidth = atMost(bits.ue(), maxSide, 'pic_width_in_luma_samples');
  const codedHeight = atMost(bits.ue(), maxSide, 'pic_height_in_luma_samples');
  const [left, right, top, bottom] = bits.flag()
    ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()]
    : [0, 0, 0, 0];
  const width = codedWidth - (left + right) * (chromaFormat === 1 || chromaFormat === 2 ? 2 : 1);
  const height = codedHeight - (top + bottom) * (chromaFormat === 1 ? 2 : 1);
  if (width < 1 || height < 1) throw mediaInvalid(`an HEVC SPS describes pictures of ${width}x${height}`);
  return { width, height, chromaFormat };
}

function skipScalingLists(bits: BitReader): void {
  for (let size = 0; size < 4; size += 1) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!bits.flag()) {
        bits.ue();
        continue;
      }
      if (size > 1) bits.se();
      for (let i = 0; i < Math.min(64, 1 << (4 + (size << 1))); i += 1) bits.se();
    }
  }
}

/** Reads the delta picture order counts of one set. Only their number matters for reading on. */
function skipReferenceSet(bits: BitReader, index: number, sizeOfPrevious: number): number {
  if (index > 0 && bits.flag()) {
    bits.skip(1);
    bits.ue();
    let size = 0;
    for (let j = 0; j <= sizeOfPrevious; j += 1) {
      const isUsed = bits.flag();
      if (isUsed || bits.flag()) size += 1;
    }
    return atMost(size, 32, 'a short-term reference picture set');
  }
  const negative = atMost(bits.ue(), 16, 'num_negative_pics');
  const positive = atMost(bits.ue(), 16, 'num_positive_pics');
  for (let i = 0; i < negative + positive; i += 1) {
    bits.ue();
    bits.skip(1);
  }
  return negative + positive;
}

function skipReferenceSets(bits: BitReader, pictureOrderBits: number): void {
  const sets = atMost(bits.ue(), 64, 'num_short_term_ref_pic_sets');
  let size = 0;
  for (let i = 0; i < sets; i += 1) size = skipReferenceSet(bits, i, size);
  if (!bits.flag()) return;
  const longTerm = atMost(bits.ue(), 32, 'num_long_term_ref_pics_sps');
  bits.skip(longTerm * (pictureOrderBits + 1));
}

function skipCodingTools(bits: BitReader, subLayers: number): void {
  const pictureOrderBits = 4 + atMost(bits.ue(), 12, 'log2_max_pic_order_cnt_lsb_minus4');
  const layers = bits.flag() ? subLayers + 1 : 1;
  for (let i = 0; i < layers * 3 + 6; i += 1) bits.ue();
  if (bits.flag() && bits.flag()) skipScalingLists(bits);
  bits.skip(2);
  if (bits.flag()) {
    bits.skip(8);
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  skipReferenceSets(bits, pictureOrderBits);
  bits.skip(2);
}

type Usability = Pick<HevcSps, 'sampleAspectRatio' | 'colour' | 'frameRate' | 'isFieldSequence'>;

function readUsability(bits: BitReader): Usability {
  const sampleAspectRatio = readSampleAspectRatio(bits);
  const colour = readColour(bits);
  bits.skip(1);
  const isFieldSequence = bits.flag();
  bits.skip(1);
  if (bits.flag()) for (let i = 0; i < 4; i += 1) bits.ue();
  const looks = { sampleAspectRatio, colour, isFieldSequence };
  if (!bits.flag()) return looks;
  const ticks = bits.bits(32);
  const frameRate = ratio(bits.bits(32), ticks);
  return frameRate === undefined ? looks : { ...looks, frameRate };
}

/**
 * @param sps the NAL unit, header included, emulation prevention in place
 * @throws TangazaError `MEDIA_INVALID`
 */
export function parseHevcSps(sps: Uint8Array): HevcSps {
  if (hevcNalType(sps) !== hevcNal.sps)
    throw mediaInvalid(`HEVC NAL unit type ${hevcNalType(sps)} stands where an SPS should`);
  const payload = unescapeNal(sps).subarray(2);
  const bits = new BitReader(payload, 'an HEVC SPS');
  bits.skip(4);
  const subLayers = atMost(bits.bits(3), 6, 'sps_max_sub_layers_minus1');
  const isTemporalIdNested = bits.flag();
  skipProfileTierLevel(bits, subLayers);
  atMost(bits.ue(), 15, 'sps_seq_parameter_set_id');
  const geometry = readGeometry(bits);
  const luma = 8 + atMost(bits.ue(), 8, 'bit_depth_luma_minus8');
  const chroma = 8 + atMost(bits.ue(), 8, 'bit_depth_chroma_minus8');
  skipCodingTools(bits, subLayers);
  const usability = bits.flag()
    ? readUsability(bits)
    : { sampleAspectRatio: [1, 1] as const, colour: unspecifiedColour, isFieldSequence: false };
  const profileTierLevel = payload.slice(1, 13);
  return {
    ...geometry,
    record: {
      profileTierLevel,
      isTemporalIdNested,
      lumaDepth: luma,
      chromaDepth: chroma,
      temporalLayers: subLayers + 1,
    },
    isInterlaced: ((profileTierLevel[sourceFlags] ?? 0) & 0xc0) === 0x40,
    bitDepth: Math.max(luma, chroma),
    ...usability,
    sampleAspectRatio: [...usability.sampleAspectRatio],
  };
}
