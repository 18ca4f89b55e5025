/** Splits pictures into NAL units: length-prefixed (ISO/IEC 14496-15) and Annex B, of H.264 and HEVC alike. */
import { maxNalUnitsOfPicture } from '../../../cluster/model/media-limits.ts';
import { mediaInvalid } from '../bits/byte-reader.ts';

const startCode = Buffer.from([0, 0, 1]);

/** NAL unit types of H.264 that are told apart here (ISO/IEC 14496-10 table 7-1). */
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

/** Slices and partitions: what holds the picture itself. */
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
 * NAL units of a length-prefixed picture, as views; empty ones are left out. Only the prefixes are read.
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

/** The NAL units as a sample holds them, each behind its length of 4 bytes. */
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

/** Whether it begins as an Annex B byte stream does. What splits by lengths is none, whatever it begins with. */
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
 * NAL units of an Annex B byte stream, as views; empty ones are left out, bytes before the first start code too.
 *
 * @param maxUnits of a picture, or of all the pictures that it holds
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
 * The raw byte sequence payload of a NAL unit: emulation prevention bytes (00 00 03) taken out, header kept.
 * A copy only where there is something to take out.
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
