/** ISO base media boxes as byte strings: big-endian integers, boxes with their size, and what they are joined from. */

/** Joins byte strings into a new one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

export function u8(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

export function u16(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint16(2 * index, value));
  return bytes;
}

/** Negative values are written as their two's complement. */
export function u32(...values: readonly number[]): Uint8Array {
  return u32Table(values);
}

/** As `u32`, for tables too long to be arguments. */
export function u32Table(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(4 * index, value));
  return bytes;
}

/** @param value a safe integer, not negative */
export function u64(value: number): Uint8Array {
  return u32(Math.floor(value / 2 ** 32), value % 2 ** 32);
}

/** ASCII without a terminator. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export const zeros = (length: number): Uint8Array => new Uint8Array(length);

/** The 8 byte header of a box whose body has `bodyBytes`; shorter than 4 GiB together. */
export function boxHeader(type: string, bodyBytes: number): Uint8Array {
  return concat([u32(8 + bodyBytes), ascii(type)]);
}

export function box(type: string, ...body: readonly Uint8Array[]): Uint8Array {
  const bodyBytes = body.reduce((sum, part) => sum + part.length, 0);
  return concat([boxHeader(type, bodyBytes), ...body]);
}

/** A box with version and 24 bits of flags (ISO/IEC 14496-12, 4.2). */
export function fullBox(
  type: string,
  versionAndFlags: { version?: number; flags?: number },
  ...body: readonly Uint8Array[]
): Uint8Array {
  const { version = 0, flags = 0 } = versionAndFlags;
  return box(type, u32(version * 2 ** 24 + flags), ...body);
}
