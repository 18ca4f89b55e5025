/** Reads the sequence parameter set of H.264 (ISO/IEC 14496-10 7.3.2.1): what the pictures of a stream look like. */
import type { Ratio } from '../../../cluster/contract/renditions.ts';
import { atMost, BitReader } from '../bits/bit-reader.ts';
import { mediaInvalid } from '../bits/byte-reader.ts';
import { avcNal, avcNalType, unescapeNal } from './nal-units.ts';
import { ratio, readColour, readSampleAspectRatio, unspecifiedColour, type Colour } from './vui.ts';

export interface AvcSps {
  readonly id: number;
  /** `profile_idc`: 66 Baseline, 77 Main, 100 High, 110 High 10, 122 High 4:2:2. */
  readonly profile: number;
  /** The constraint flags, as their byte stands in the SPS. */
  readonly constraints: number;
  /** The level times ten: 31 is level 3.1. */
  readonly level: number;
  /** The size of the picture as shown, after cropping, in samples. */
  readonly width: number;
  readonly height: number;
  readonly sampleAspectRatio: Ratio;
  /** Frames per second, when the encoder names them. */
  readonly frameRate?: Ratio;
  readonly bitDepth: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly isProgressive: boolean;
  readonly referenceFrames: number;
  readonly colour: Colour;
  /**
   * How slice headers are read: whether 4:4:4 has its planes apart, the bits of `frame_num`, and how picture order is
   * told.
   */
  readonly hasSeparatePlanes: boolean;
  readonly frameNumBits: number;
  readonly pictureOrder: PictureOrder;
}

/** How picture order is told, by `pic_order_cnt_type`. */
export type PictureOrder =
  | { readonly type: 0; readonly lsbBits: number }
  | { readonly type: 1; readonly isDeltaZero: boolean }
  | { readonly type: 2 };

/** Profiles whose SPS carries chroma format and bit depth. */
const highProfiles: ReadonlySet<number> = new Set([
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
]);

/** 16,384 samples, which is beyond every level. */
const maxSide = 16_384;

interface SampleFormat {
  readonly chromaFormat: number;
  readonly bitDepth: number;
  readonly hasSeparatePlanes: boolean;
}

const usualFormat: SampleFormat = { chromaFormat: 1, bitDepth: 8, hasSeparatePlanes: false };

function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i += 1) {
    if (next !== 0) next = (last + bits.se() + 256) % 256;
    if (next !== 0) last = next;
  }
}

function readSampleFormat(bits: BitReader): SampleFormat {
  const chromaFormat = atMost(bits.ue(), 3, 'chroma_format_idc');
  const hasSeparatePlanes = chromaFormat === 3 && bits.flag();
  const luma = 8 + atMost(bits.ue(), 6, 'bit_depth_luma_minus8');
  const chroma = 8 + atMost(bits.ue(), 6, 'bit_depth_chroma_minus8');
  bits.skip(1);
  if (bits.flag()) {
    const lists = chromaFormat === 3 ? 12 : 8;
    for (let i = 0; i < lists; i += 1) if (bits.flag()) skipScalingList(bits, i < 6 ? 16 : 64);
  }
  return { chromaFormat, bitDepth: Math.max(luma, chroma), hasSeparatePlanes };
}

function readPictureOrder(bits: BitReader): PictureOrder {
  const type = atMost(bits.ue(), 2, 'pic_order_cnt_type');
  if (type === 0) return { type: 0, lsbBits: 4 + atMost(bits.ue(), 12, 'log2_max_pic_order_cnt_lsb_minus4') };
  if (type === 2) return { type: 2 };
  const isDeltaZero = bits.flag();
  bits.se();
  bits.se();
  const cycle = atMost(bits.ue(), 255, 'num_ref_frames_in_pic_order_cnt_cycle');
  for (let i = 0; i < cycle; i += 1) bits.se();
  return { type: 1, isDeltaZero };
}

interface Geometry {
  readonly width: number;
  readonly height: number;
  readonly isProgressive: boolean;
}

function readGeometry(bits: BitReader, chromaFormat: number): Geometry {
  const codedWidth = (bits.ue() + 1) * 16;
  const mapUnits = bits.ue() + 1;
  const isProgressive = bits.flag();
  if (!isProgressive) bits.skip(1);
  const codedHeight = mapUnits * 16 * (isProgressive ? 1 : 2);
  bits.skip(1);
  const unitX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  const unitY = (chromaFormat === 1 ? 2 : 1) * (isProgressive ? 1 : 2);
  const [left, right, top, bottom] = bits.flag()
    ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()]
    : [0, 0, 0, 0];
  const width = codedWidth - (left + right) * unitX;
  const height = codedHeight - (top + bottom) * unitY;
  if (width < 1 || height < 1 || codedWidth > maxSide || codedHeight > maxSide) {
    throw mediaInvalid(`an SPS describes pictures of ${width}x${height}`);
  }
  return { width, height, isProgressive };
}

interface Usability {
  readonly sampleAspectRatio: Ratio;
  readonly colour: Colour;
  readonly frameRate?: Ratio;
}

function readUsability(bits: BitReader): Usability {
  const sampleAspectRatio = readSampleAspectRatio(bits);
  const colour = readColour(bits);
  if (!bits.flag()) return { sampleAspectRatio, colour };
  const ticks = bits.bits(32);
  const timescale = bits.bits(32);
  const frameRate = ratio(timescale, ticks * 2);
  return frameRate === undefined ? { sampleAspectRatio, colour } : { sampleAspectRatio, colour, frameRate };
}

/** Usability information that does not parse is left out. Players do without it, and some encoders cut it short. */
function tryUsability(bits: BitReader): Usability {
  const nothing: Usability = { sampleAspectRatio: [1, 1], colour: unspecifiedColour };
  try {
    return bits.flag() ? readUsability(bits) : nothing;
  } catch {
    return nothing;
  }
}

/**
 * @param sps the NAL unit, with its header and its emulation prevention bytes
 * @throws TangazaError `MEDIA_INVALID`
 */
export function parseSps(sps: Uint8Array): AvcSps {
  if (avcNalType(sps) !== avcNal.sps)
    throw mediaInvalid(`NAL unit type ${avcNalType(sps)} stands where an SPS should`);
  const bits = new BitReader(unescapeNal(sps).subarray(1), 'an SPS');
  const profile = bits.bits(8);
  const constraints = bits.bits(8);
  const level = bits.bits(8);
  const id = atMost(bits.ue(), 31, 'seq_parameter_set_id');
  const format = highProfiles.has(profile) ? readSampleFormat(bits) : usualFormat;
  const frameNumBits = 4 + atMost(bits.ue(), 12, 'log2_max_frame_num_minus4');
  const pictureOrder = readPictureOrder(bits);
  const referenceFrames = atMost(bits.ue(), 16, 'max_num_ref_frames');
  bits.skip(1);
  const geometry = readGeometry(bits, format.chromaFormat);
  return {
    id,
    profile,
    constraints,
    level,
    referenceFrames,
    frameNumBits,
    pictureOrder,
    ...format,
    ...geometry,
    ...tryUsability(bits),
  };
}
