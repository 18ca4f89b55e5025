/** Reads bit fields (ISO/IEC 14496-10 9.1: u, ue, se) out of untrusted bytes, never past their end. */
import { mediaInvalid } from './byte-reader.ts';

/** All reads throw TangazaError `MEDIA_INVALID` naming `what` when too few bits are left. */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #position = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get remaining(): number {
    return this.#bytes.length * 8 - this.#position;
  }

  get position(): number {
    return this.#position;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** Reads 0 to 32 bits, unsigned. */
  bits(count: number): number {
    if (count > this.remaining)
      throw mediaInvalid(`${this.#what} ends early: ${count} bits wanted, ${this.remaining} left`);
    let value = 0;
    for (let left = count; left > 0;) {
      const byte = this.#bytes[this.#position >> 3] ?? 0;
      const free = 8 - (this.#position & 7);
      const take = Math.min(free, left);
      value = value * 2 ** take + ((byte >> (free - take)) & ((1 << take) - 1));
      this.#position += take;
      left -= take;
    }
    return value;
  }

  skip(count: number): void {
    if (count > this.remaining)
      throw mediaInvalid(`${this.#what} ends early: ${count} bits to skip, ${this.remaining} left`);
    this.#position += count;
  }

  align(): void {
    this.#position = (this.#position + 7) & ~7;
  }

  /** Reads an unsigned Exp-Golomb code. */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros += 1;
      if (zeros > 31) throw mediaInvalid(`${this.#what} holds an Exp-Golomb code of more than 32 bits`);
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** Reads a signed Exp-Golomb code. */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}

/** Returns a value of at most `most`. @throws TangazaError `MEDIA_INVALID` that names a larger one */
export function atMost(value: number, most: number, name: string): number {
  if (value > most) throw mediaInvalid(`${name} is ${value}, at most ${most} is possible`);
  return value;
}
