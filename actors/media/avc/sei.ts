/**
 * Reads supplemental enhancement information of H.264 (ISO/IEC 14496-10 7.3.2.3 and annex D), as far as it is used
 * here.
 */
import { BitReader } from '../bits/bit-reader.ts';
import { unescapeNal } from './nal-units.ts';

export const seiType = { userDataRegistered: 4, recoveryPoint: 6 } as const;

/** Reads a type or a size: a run of 255s (`ff_byte`) and the byte behind it. */
function readRun(data: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let at = start;
  while (data[at] === 0xff) {
    value += 255;
    at += 1;
  }
  return { value: value + (data[at] ?? 0), end: at + 1 };
}

/**
 * Finds the first message of that type in an SEI NAL unit; undefined when there is none.
 *
 * @param headerBytes of the NAL unit: 1 in H.264, 2 in HEVC, which has the same messages
 */
export function findSei(nal: Uint8Array, wanted: number, headerBytes = 1): Uint8Array | undefined {
  const data = unescapeNal(nal);
  // The last byte is the trailing bits.
  for (let at = headerBytes; at < data.length - 1;) {
    const type = readRun(data, at);
    const size = readRun(data, type.end);
    const end = size.end + size.value;
    if (end > data.length) return undefined;
    if (type.value === wanted) return data.subarray(size.end, end);
    at = end;
  }
  return undefined;
}

/** How caption data begins in ITU-T T.35: the United States, ATSC, "GA94", cc_data (ATSC A/53 part 4, 6.2.3). */
const captionMark = [0xb5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03];

/** Whether an SEI NAL unit holds CEA-608/708 captions. An empty place for captions counts. */
export function hasCaptionData(nal: Uint8Array, headerBytes = 1): boolean {
  const message = findSei(nal, seiType.userDataRegistered, headerBytes);
  return message !== undefined && captionMark.every((byte, i) => message[i] === byte);
}

/**
 * Reads `recovery_frame_cnt` (D.1.8): after so many pictures, decoding that began here gives whole pictures.
 *
 * @returns 0 at an I picture of an open GOP, more in a feed with intra refresh; undefined when the unit names none
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
