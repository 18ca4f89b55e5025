/**
 * A strict, bounded reader of ISO base media boxes: every read is checked against the box it lies in.
 *
 * Input may be hostile: nothing here allocates by a size that the input names, and every fault is `MEDIA_INVALID`.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';

/** Boxes in one parent; ours have at most a dozen. */
const maxChildren = 4096;

export interface Box {
  readonly type: string;
  /** Where the box begins in the bytes it was read from. */
  readonly start: number;
  /** A view, not a copy. */
  readonly body: Uint8Array;
}

export function invalidMedia(detail: string): TangazaError {
  return new TangazaError('MEDIA_INVALID', `The segment cannot be read: ${detail}.`);
}

/** The boxes that fill `bytes` without a rest. @throws TangazaError `MEDIA_INVALID` */
export function boxesOf(bytes: Uint8Array): readonly Box[] {
  const boxes: Box[] = [];
  for (let start = 0; start < bytes.length;) {
    if (boxes.length === maxChildren) throw invalidMedia(`more than ${maxChildren} boxes in one`);
    const found = boxAt(bytes, start);
    boxes.push(found.box);
    start = found.end;
  }
  return boxes;
}

function boxAt(bytes: Uint8Array, start: number): { readonly box: Box; readonly end: number } {
  const head = new ByteReader(bytes.subarray(start), 'box');
  const size32 = head.u32();
  const type = head.ascii(4);
  const size = size32 === 1 ? head.u64() : size32 === 0 ? bytes.length - start : size32;
  const end = start + size;
  if (size < head.offset || end > bytes.length)
    throw invalidMedia(`box ${type} at ${start} says ${size} bytes`);
  return { box: { type, start, body: bytes.subarray(start + head.offset, end) }, end };
}

/** The one child of that type. @throws TangazaError `MEDIA_INVALID` when there is none, or another */
export function onlyChild(boxes: readonly Box[], type: string): Uint8Array {
  const found = boxes.filter((box) => box.type === type);
  const [first] = found;
  if (first === undefined || found.length > 1)
    throw invalidMedia(`${found.length} boxes ${type} where one is needed`);
  return first.body;
}

/** Follows a path of only children, e.g. `moov`, `trak`, `mdia`. */
export function descend(boxes: readonly Box[], ...path: readonly string[]): Uint8Array {
  const [type, ...rest] = path;
  if (type === undefined) throw new Error('descend needs a path');
  const body = onlyChild(boxes, type);
  return rest.length === 0 ? body : descend(boxesOf(body), ...rest);
}

/** Reads big-endian fields in order. @throws TangazaError `MEDIA_INVALID` when it would read past the end */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  offset = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get left(): number {
    return this.#bytes.length - this.offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  /** A safe integer. */
  u64(): number {
    const value = this.u32() * 2 ** 32 + this.u32();
    if (!Number.isSafeInteger(value)) throw invalidMedia(`${this.#what} has a number over 2^53`);
    return value;
  }

  /** Version and flags of a full box. */
  fullHeader(): { readonly version: number; readonly flags: number } {
    const word = this.u32();
    return { version: word >>> 24, flags: word & 0xff_ffff };
  }

  ascii(length: number): string {
    return String.fromCharCode(...this.bytes(length));
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  skip(length: number): void {
    this.#take(length);
  }

  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  #take(length: number): number {
    const start = this.offset;
    if (length > this.left) throw invalidMedia(`${this.#what} ends ${length - this.left} bytes early`);
    this.offset += length;
    return start;
  }
}
