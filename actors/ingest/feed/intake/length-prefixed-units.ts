/** H.264 and HEVC have the NAL units of a message behind their lengths: takes them apart, and copies some that stand side by side. */
import { splitLengthPrefixed } from '../../../media/avc/nal-units.ts';
import type { CodedUnit } from './unit-rules.ts';

/** @param lengthSize bytes of a length @throws TangazaError `MEDIA_INVALID` when the lengths do not fit the message */
export function splitUnits(message: Uint8Array, lengthSize: number): readonly CodedUnit[] {
  return splitLengthPrefixed(message, lengthSize).map((bytes) => ({
    start: bytes.byteOffset - message.byteOffset - lengthSize,
    bytes,
  }));
}

/** With the length of each. */
export function copyUnits(message: Uint8Array, units: readonly CodedUnit[], lengthSize: number): Uint8Array {
  const last = units.at(-1);
  const end = last === undefined ? 0 : last.start + lengthSize + last.bytes.length;
  return Buffer.from(message.subarray(units[0]?.start ?? 0, end));
}
