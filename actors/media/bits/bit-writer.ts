/** Writes bit fields, most significant bit first. */
export class BitWriter {
  readonly #bytes: number[] = [];
  #free = 0;

  /** @param count at most 32 bits of `value`, unsigned */
  put(value: number, count: number): this {
    for (let i = count - 1; i >= 0; i -= 1) this.#putBit(Math.floor(value / 2 ** i) % 2);
    return this;
  }

  #putBit(bit: number): void {
    if (this.#free === 0) {
      this.#bytes.push(0);
      this.#free = 8;
    }
    this.#free -= 1;
    const last = this.#bytes.length - 1;
    this.#bytes[last] = (this.#bytes[last] ?? 0) | (bit << this.#free);
  }

  /** What was written; zeros fill the last byte. */
  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
