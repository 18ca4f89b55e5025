/** Reads open bitstream units of AV1 (AV1 specification 5.3): low-overhead format, every unit with its size. */
import { mediaInvalid } from '../bits/byte-reader.ts';

export interface Obu {
  readonly type: number;
  /** A view of the whole unit, with its header. */
  readonly whole: Uint8Array;
  readonly payload: Uint8Array;
}

export const obuType = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  frameHeader: 3,
  tileGroup: 4,
  metadata: 5,
  frame: 6,
} as const;

/** No temporal unit holds nearly as many; it bounds what a hostile one can make us allocate. */
const maxUnits = 1024;

function readSize(data: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let i = 0; i < 8; i += 1) {
    const byte = data[start + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return { value, end: start + i + 1 };
  }
  throw mediaInvalid('an OBU has no readable size');
}

/** @throws TangazaError `MEDIA_INVALID` when a size points past the end, or there are over 1,024 units */
export function splitObus(data: Uint8Array): readonly Obu[] {
  const units: Obu[] = [];
  for (let offset = 0; offset < data.length;) {
    if (units.length >= maxUnits) throw mediaInvalid(`a temporal unit has more than ${maxUnits} OBUs`);
    const header = data[offset] ?? 0;
    if ((header & 0x80) !== 0) throw mediaInvalid('an OBU has its forbidden bit set');
    const headerEnd = offset + ((header & 4) === 0 ? 1 : 2);
    const size =
      (header & 2) === 0 ? { value: data.length - headerEnd, end: headerEnd } : readSize(data, headerEnd);
    const end = size.end + size.value;
    if (size.value < 0 || end > data.length) throw mediaInvalid('an OBU does not fit in its temporal unit');
    units.push({
      type: (header >> 3) & 0xf,
      whole: data.subarray(offset, end),
      payload: data.subarray(size.end, end),
    });
    offset = end;
  }
  return units;
}

/** Whether a frame header (5.9.2) says that its frame is shown, or shows one that was decoded before. */
export function isShownFrame({ payload }: Obu): boolean {
  const first = payload[0] ?? 0;
  // show_existing_frame (1 bit), else frame_type (2 bits) and show_frame
  return (first & 0x80) !== 0 || (first & 0x10) !== 0;
}

/** `spatial_id` of the extension header; 0 without one. */
export function spatialLayer({ whole }: Obu): number {
  return ((whole[0] ?? 0) & 4) === 0 ? 0 : ((whole[1] ?? 0) >> 3) & 3;
}

/**
 * The unit with its size in it. Only the last unit of a temporal unit may lack the size; others come back as they are.
 */
export function withSize({ whole, payload }: Obu): Uint8Array {
  const header = whole[0] ?? 0;
  if ((header & 2) !== 0) return whole;
  const size: number[] = [];
  for (let left = payload.length; left > 0 || size.length === 0; left >>= 7)
    size.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  const extension = whole.subarray(1, whole.length - payload.length);
  return Buffer.concat([Uint8Array.of(header | 2), extension, Uint8Array.from(size), payload]);
}

/**
 * Whether this is a key frame that is shown as it is decoded: behind a sequence header, a segment may start with it
 * (M3).
 */
export function isShownKeyFrame({ payload }: Obu): boolean {
  // show_existing_frame = 0, frame_type = KEY_FRAME (0), show_frame = 1
  return payload[0] !== undefined && payload[0] >> 4 === 0b0001;
}
