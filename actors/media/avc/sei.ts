/** Supplemental enhancement information of H.264 (ISO/IEC 14496-10 7.3.2.3 and annex D), as far as it is of use here. */
import { BitReader } from '../bits/bit-reader.ts';
import { unescapeNal } from './nal-units.ts';

export const seiType = { userDataRegistered: 4, recoveryPoint: 6 } as const;

/** A run of 255s and the byte behind it (`ff_byte`), as types and sizes are told. */
function readRun(data: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let at = start;
  while (data[at] === 0xff) {
    value += 255;
    at += 1;
  }
  return { value: value + (data[at] ?? 0), end: at + 1 };
}

/** The first message of that type in an SEI NAL unit; undefined where there is none. */
export function findSei(nal: Uint8Array, wanted: number): Uint8Array | undefined {
  const data = unescapeNal(nal);
  // The last byte is the trailing bits.
  for (let at = 1; at < data.length - 1;) {
    const type = readRun(data, at);
    const size = readRun(data, type.end);
    const end = size.end + size.value;
    if (end > data.length) return undefined;
    if (type.value === wanted) return data.subarray(size.end, end);
    at = end;
  }
  return undefined;
}

/**
 * `recovery_frame_cnt` (D.1.8): after so many pictures one that began to decode here is whole.
 *
 * @returns 0 at an I picture of an open GOP, more in a feed with intra refresh; undefined where the unit tells of none
 */
export function recoveryFrames(nal: Uint8Array): number | undefined {
  const message = findSei(nal, seiType.recoveryPoint);
  if (message === undefined) return undefined;
  try {
    return new BitReader(message, 'a recovery point').ue();
  } catch {
    return undefined;
  }
}
