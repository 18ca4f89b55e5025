/** Synthetic NAL units and OBUs whose headers are as their specifications want them; what is behind them is a number. */
import { parseAvcConfig } from '../../../actors/media/avc/avc-config.ts';
import { BitWriter } from '../../../actors/media/bits/bit-writer.ts';
import { bytes, configurations } from '../ingest/flv-builders.ts';

const avc = parseAvcConfig(configurations.h264);
/** Of `configurations.h264`: frame numbers of `frameNumBits`, order told by its low bits, frames only. */
export const avcSets = { sps: avc.sps, pps: avc.pps };

export interface AvcSliceFields {
  readonly firstMacroblock?: number;
  readonly isIdr?: boolean;
  /** `nal_ref_idc`. */
  readonly referenceIdc?: number;
  readonly sliceType?: number;
  readonly ppsId?: number;
  readonly frameNum?: number;
  /** In a stream that may hold fields. */
  readonly field?: 'frame' | 'top' | 'bottom';
  readonly idrId?: number;
  readonly orderLsb?: number;
  /** Told in place of what is coded. */
  readonly content?: number;
}

function ue(bits: BitWriter, value: number): BitWriter {
  const length = Math.floor(Math.log2(value + 1));
  return bits.put(0, length).put(value + 1, length + 1);
}

/** Emulation prevention put in, as every encoder must. */
function escaped(payload: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (const byte of payload) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
    out.push(byte);
  }
  return Uint8Array.from(out);
}

/** A slice by the SPS of `sps` (frame numbers and order of so many bits); its content follows the header. */
export function avcSlice(fields: AvcSliceFields = {}, sps = avc): Uint8Array {
  const { firstMacroblock = 0, isIdr = false, sliceType = isIdr ? 7 : 5, ppsId = 0, content = 0 } = fields;
  const { frameNum = 0, idrId = 0, orderLsb = 0, field, referenceIdc = isIdr ? 3 : 2 } = fields;
  const bits = new BitWriter();
  ue(ue(ue(bits, firstMacroblock), sliceType), ppsId);
  bits.put(frameNum % 2 ** sps.frameNumBits, sps.frameNumBits);
  if (field !== undefined) bits.put(field === 'frame' ? 0 : 1, 1);
  if (field === 'top' || field === 'bottom') bits.put(field === 'bottom' ? 1 : 0, 1);
  if (isIdr) ue(bits, idrId);
  if (sps.pictureOrder.type === 0)
    bits.put(orderLsb % 2 ** sps.pictureOrder.lsbBits, sps.pictureOrder.lsbBits);
  bits.put(1, 1).put(content, 32).put(1, 1);
  return bytes([(referenceIdc << 5) | (isIdr ? 5 : 1)], escaped(bits.finish()));
}

export const avcDelimiter = Uint8Array.of(9, 0xf0);
/** User data of three bytes. */
export const avcSei = (content: number): Uint8Array => Uint8Array.of(6, 5, 1, content & 255, 0x80);
/** `recovery_frame_cnt` below 4. */
export const avcRecoveryPoint = (frames: number): Uint8Array =>
  Uint8Array.of(6, 6, 1, ue(new BitWriter(), frames).put(0b1001, 4).finish()[0] ?? 0, 0x80);

/** An HEVC slice segment. */
export const hevcSegment = (type: number, isFirst: boolean, content: number): Uint8Array =>
  Uint8Array.of(type << 1, 1, isFirst ? 0x80 : 0x20, content >> 8, content & 255, 0x80);
/** HEVC units without slices: delimiter 35, prefix SEI 39, suffix SEI 40, parameter sets 32 to 34. */
export const hevcUnit = (type: number, content = 0): Uint8Array =>
  Uint8Array.of(type << 1, 1, content & 255, 0x80);

/** An OBU with its size. */
export const obu = (type: number, payload: readonly number[]): Uint8Array =>
  Uint8Array.of((type << 3) | 2, payload.length, ...payload);
/** The first byte of AV1 frame headers: which frame it is, and whether it is shown. */
export const av1Frame = { key: 0x10, shown: 0x30, hidden: 0x20, shownAgain: 0x80 } as const;
