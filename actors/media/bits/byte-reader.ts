/** Reads big-endian fields out of untrusted bytes, never past their end. */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';

/** The error of every parser of media when the bytes are not what they should be. */
export function mediaInvalid(detail: string): TangazaError {
  return new TangazaError('MEDIA_INVALID', detail);
}

/** All reads throw TangazaError `MEDIA_INVALID` naming `what` when too few bytes are left. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #offset = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Reads 1 to 6 bytes, unsigned. */
  unsigned(byteCount: number): number {
    let value = 0;
    for (const byte of this.bytes(byteCount)) value = value * 256 + byte;
    return value;
  }

  u8(): number {
    return this.unsigned(1);
  }

  u16(): number {
    return this.unsigned(2);
  }

  u24(): number {
    return this.unsigned(3);
  }

  u32(): number {
    return this.unsigned(4);
  }

  /** Reads 24 bits in two's complement. */
  i24(): number {
    return (this.u24() << 8) >> 8;
  }

  /** A view, not a copy. */
  bytes(byteCount: number): Uint8Array {
    if (byteCount > this.remaining)
      throw mediaInvalid(`${this.#what} ends early: ${byteCount} bytes wanted, ${this.remaining} left`);
    const start = this.#offset;
    this.#offset += byteCount;
    return this.#bytes.subarray(start, this.#offset);
  }

  /** A view of all that is left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }
}
