/** Splits pictures of H.264 and HEVC into NAL units: length-prefixed ones (ISO/IEC 14496-15) and Annex B. */
import { maxNalUnitsOfPicture } from '../../../cluster/model/media-limits.ts';
import { mediaInvalid } from '../bits/byte-reader.ts';

const startCode = Buffer.from([0, 0, 1]);

/** The NAL unit types of H.264 that matter here (ISO/IEC 14496-10 table 7-1). */
export const avcNal = {
  slice: 1,
  partitionA: 2,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  delimiter: 9,
  filler: 12,
} as const;

/** `nal_unit_type` of an H.264 NAL unit; 0 (unspecified) for an empty one. */
export function avcNalType(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 0x1f;
}

/** Whether a unit holds part of the picture itself: a slice or a partition. */
export function isAvcVcl(nal: Uint8Array): boolean {
  const type = avcNalType(nal);
  return type >= avcNal.slice && type <= avcNal.idr;
}

function lengthAt(data: Uint8Array, offset: number, lengthSize: number): number {
  let length = 0;
  for (let i = 0; i < lengthSize; i += 1) length = length * 256 + (data[offset + i] ?? 0);
  return length;
}

/**
 * Splits a length-prefixed picture into NAL units, as views, without empty ones. Reads only the prefixes.
 *
 * @param lengthSize bytes of a length prefix: 1, 2 or 4
 * @throws TangazaError `MEDIA_INVALID` when a length points past the end, or there are over 1,024 units
 */
export function splitLengthPrefixed(data: Uint8Array, lengthSize: number): readonly Uint8Array[] {
  const nals: Uint8Array[] = [];
  let offset = 0;
  for (let count = 0; offset < data.length; count += 1) {
    const start = offset + lengthSize;
    if (count >= maxNalUnitsOfPicture)
      throw mediaInvalid(`a picture has more than ${maxNalUnitsOfPicture} NAL units`);
    if (start > data.length) throw mediaInvalid('a picture ends inside the length of a NAL unit');
    const end = start + lengthAt(data, offset, lengthSize);
    if (end > data.length)
      throw mediaInvalid(
        `a NAL unit of ${end - start} bytes does not fit in its picture (${data.length - start} left)`,
      );
    if (end > start) nals.push(data.subarray(start, end));
    offset = end;
  }
  return nals;
}

/** Joins NAL units as a sample holds them, each behind its length of 4 bytes. */
export function joinLengthPrefixed(nals: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(nals.reduce((sum, nal) => sum + 4 + nal.length, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const nal of nals) {
    view.setUint32(offset, nal.length);
    bytes.set(nal, offset + 4);
    offset += 4 + nal.length;
  }
  return bytes;
}

/**
 * Whether the bytes begin as an Annex B byte stream does. What splits by lengths is no such stream, whatever it begins
 * with.
 */
export function hasStartCode(data: Uint8Array): boolean {
  const [a, b, c, d] = data;
  return a === 0 && b === 0 && (c === 1 || (c === 0 && d === 1));
}

function withoutTrailingZeros(nal: Uint8Array): Uint8Array {
  let end = nal.length;
  while (end > 0 && nal[end - 1] === 0) end -= 1;
  return nal.subarray(0, end);
}

/**
 * Splits an Annex B byte stream into NAL units, as views, without empty ones and without bytes before the first start
 * code.
 *
 * @param maxUnits of one picture, or of all the pictures in the stream
 * @throws TangazaError `MEDIA_INVALID` when there is no start code, or there are over `maxUnits` units
 */
export function splitAnnexB(data: Uint8Array, maxUnits: number): readonly Uint8Array[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const nals: Uint8Array[] = [];
  let code = bytes.indexOf(startCode);
  if (code < 0) throw mediaInvalid('a byte stream has no start code');
  while (code >= 0) {
    const next = bytes.indexOf(startCode, code + startCode.length);
    const nal = withoutTrailingZeros(data.subarray(code + startCode.length, next < 0 ? data.length : next));
    if (nal.length > 0) nals.push(nal);
    if (nals.length > maxUnits) throw mediaInvalid(`a byte stream has more than ${maxUnits} NAL units`);
    code = next;
  }
  return nals;
}

/**
 * The raw byte sequence payload of a NAL unit, with its header and without emulation prevention bytes (00 00 03). It is
 * a copy only when there is something to take out.
 */
export function unescapeNal(nal: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let i = 2; i < nal.length; i += 1) {
    if (nal[i] === 3 && nal[i - 1] === 0 && nal[i - 2] === 0) {
      parts.push(nal.subarray(from, i));
      from = i + 1;
      i += 2;
    }
  }
  return parts.length === 0 ? nal : Buffer.concat([...parts, nal.subarray(from)]);
}
