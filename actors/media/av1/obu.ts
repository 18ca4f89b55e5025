/** Open bitstream units of AV1 (AV1 specification 5.3), low-overhead format, every unit with its size. */
import { mediaInvalid } from '../bits/byte-reader.ts';

export interface Obu {
  readonly type: number;
  /** The whole unit, header included; a view. */
  readonly whole: Uint8Array;
  readonly payload: Uint8Array;
}

export const obuType = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  frameHeader: 3,
  tileGroup: 4,
  frame: 6,
} as const;

/** Far above what a temporal unit holds; bounds what a hostile one can make us allocate. */
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

/** A shown key frame with a sequence header before it: where a segment may start (M3). */
export function isAv1Key(units: readonly Obu[]): boolean {
  if (!units.some(({ type }) => type === obuType.sequenceHeader)) return false;
  const first = units.find(({ type }) => type === obuType.frameHeader || type === obuType.frame)?.payload[0];
  // show_existing_frame = 0, frame_type = KEY_FRAME (0), show_frame = 1
  return first !== undefined && first >> 4 === 0b0001;
}

export function hasAv1Frame(units: readonly Obu[]): boolean {
  return units.some(({ type }) => type === obuType.frameHeader || type === obuType.frame);
}
