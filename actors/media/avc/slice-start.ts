/**
 * Reads the beginning of an H.264 slice header (ISO/IEC 14496-10 7.3.3), and decides whether a slice begins another
 * picture (7.4.1.2.4).
 *
 * The clause compares what must differ between two pictures. But some encoders repeat all of it (`idr_pic_id` 0 in a
 * feed of IDRs alone). So a second slice that starts at the first macroblock also begins a picture, unless it is
 * redundant.
 */
import { BitReader } from '../bits/bit-reader.ts';
import { avcNal, avcNalType, unescapeNal } from './nal-units.ts';
import type { AvcPps } from './pps.ts';
import type { AvcSps } from './sps.ts';

export interface SliceStart {
  readonly firstMacroblock: number;
  /** 2 and 7 are I slices (table 7-6). */
  readonly sliceType: number;
  readonly isReference: boolean;
  readonly isIdr: boolean;
  readonly ppsId: number;
  readonly frameNum: number;
  readonly isField: boolean;
  readonly isBottom: boolean;
  readonly idrId: number;
  /** `pic_order_cnt_lsb`, `delta_pic_order_cnt_bottom`, and both of `delta_pic_order_cnt`; 0 where absent. */
  readonly order: readonly [number, number, number, number];
  readonly isRedundant: boolean;
}

export interface ParameterSets {
  readonly sps: (id: number) => AvcSps | undefined;
  readonly pps: (id: number) => AvcPps | undefined;
}

/** More bytes than all of the fields below take together. */
const headerBytes = 48;

/**
 * @param nal a slice or partition A, with its emulation prevention bytes
 * @returns undefined for a header that cannot be read, because it is cut short or names missing parameter sets
 */
export function readSliceStart(nal: Uint8Array, sets: ParameterSets): SliceStart | undefined {
  try {
    return read(nal, sets);
  } catch {
    return undefined;
  }
}

function read(nal: Uint8Array, sets: ParameterSets): SliceStart | undefined {
  const bits = new BitReader(unescapeNal(nal.subarray(1, headerBytes)), 'a slice header');
  const firstMacroblock = bits.ue();
  const sliceType = bits.ue();
  const ppsId = bits.ue();
  const pps = sets.pps(ppsId);
  const sps = pps === undefined ? undefined : sets.sps(pps.spsId);
  if (pps === undefined || sps === undefined) return undefined;
  if (sps.hasSeparatePlanes) bits.skip(2);
  const frameNum = bits.bits(sps.frameNumBits);
  const isField = !sps.isProgressive && bits.flag();
  const isBottom = isField && bits.flag();
  const isIdr = avcNalType(nal) === avcNal.idr;
  const idrId = isIdr ? bits.ue() : 0;
  const order = readOrder(bits, sps, pps.hasFieldOrder && !isField);
  const isRedundant = pps.mayBeRedundant && bits.ue() > 0;
  const isReference = ((nal[0] ?? 0) & 0x60) !== 0;
  return {
    firstMacroblock,
    sliceType,
    isReference,
    isIdr,
    ppsId,
    frameNum,
    isField,
    isBottom,
    idrId,
    order,
    isRedundant,
  };
}

function readOrder(bits: BitReader, { pictureOrder }: AvcSps, hasBottom: boolean): SliceStart['order'] {
  switch (pictureOrder.type) {
    case 0:
      return [bits.bits(pictureOrder.lsbBits), hasBottom ? bits.se() : 0, 0, 0];
    case 1:
      return pictureOrder.isDeltaZero ? [0, 0, 0, 0] : [0, 0, bits.se(), hasBottom ? bits.se() : 0];
    default:
      return [0, 0, 0, 0];
  }
}

/** Whether `next` belongs to another picture than `slice`, by what 7.4.1.2.4 compares. */
export function isOtherPicture(slice: SliceStart, next: SliceStart): boolean {
  return (
    slice.frameNum !== next.frameNum ||
    slice.ppsId !== next.ppsId ||
    slice.isField !== next.isField ||
    slice.isBottom !== next.isBottom ||
    slice.isReference !== next.isReference ||
    slice.isIdr !== next.isIdr ||
    slice.idrId !== next.idrId ||
    slice.order.some((value, i) => value !== next.order[i])
  );
}

/** Whether `next` is the second field of the frame whose first field is `slice`. */
export function isSecondField(slice: SliceStart, next: SliceStart): boolean {
  return (
    slice.isField &&
    next.isField &&
    slice.isBottom !== next.isBottom &&
    slice.frameNum === next.frameNum &&
    !next.isIdr
  );
}

export const isIntra = ({ sliceType }: SliceStart): boolean => sliceType % 5 === 2;
