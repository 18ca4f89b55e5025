/** Reads the picture parameter set of H.264 (ISO/IEC 14496-10 7.3.2.2), as far as slice headers need it. */
import { atMost, BitReader } from '../bits/bit-reader.ts';
import { mediaInvalid } from '../bits/byte-reader.ts';
import { avcNal, avcNalType, unescapeNal } from './nal-units.ts';

export interface AvcPps {
  readonly id: number;
  readonly spsId: number;
  /** `bottom_field_pic_order_in_frame_present_flag`. */
  readonly hasFieldOrder: boolean;
  /** `redundant_pic_cnt_present_flag`. */
  readonly mayBeRedundant: boolean;
}

const bitsFor = (values: number): number => Math.ceil(Math.log2(values));

function skipSliceGroups(bits: BitReader): void {
  const groups = atMost(bits.ue(), 7, 'num_slice_groups_minus1') + 1;
  if (groups === 1) return;
  const type = atMost(bits.ue(), 6, 'slice_group_map_type');
  if (type === 0) for (let i = 0; i < groups; i += 1) bits.ue();
  if (type === 2) for (let i = 0; i < 2 * (groups - 1); i += 1) bits.ue();
  if (type >= 3 && type <= 5) {
    bits.skip(1);
    bits.ue();
  }
  if (type === 6) bits.skip((bits.ue() + 1) * bitsFor(groups));
}

/**
 * @param pps the NAL unit, header included, emulation prevention in place
 * @throws TangazaError `MEDIA_INVALID`
 */
export function parsePps(pps: Uint8Array): AvcPps {
  if (avcNalType(pps) !== avcNal.pps)
    throw mediaInvalid(`NAL unit type ${avcNalType(pps)} stands where a PPS should`);
  const bits = new BitReader(unescapeNal(pps).subarray(1), 'a PPS');
  const id = atMost(bits.ue(), 255, 'pic_parameter_set_id');
  const spsId = atMost(bits.ue(), 31, 'seq_parameter_set_id');
  bits.skip(1);
  const hasFieldOrder = bits.flag();
  skipSliceGroups(bits);
  bits.ue();
  bits.ue();
  bits.skip(3);
  for (let i = 0; i < 3; i += 1) bits.se();
  bits.skip(2);
  return { id, spsId, hasFieldOrder, mayBeRedundant: bits.flag() };
}
