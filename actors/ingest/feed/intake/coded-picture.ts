/**
 * Holds the bytes of one coded picture, in the parts in which they came.
 *
 * A picture is passed on when its first slice is here, so that a cut is seen at once, and may grow until the next one
 * begins. The usual picture is one part, and never copied again.
 */
export class CodedPicture {
  #parts: Uint8Array[];
  #length: number;

  /** @param part kept as it is */
  constructor(part: Uint8Array) {
    this.#parts = [part];
    this.#length = part.length;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  append(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  /** All parts as one. */
  whole(): Uint8Array {
    const [first] = this.#parts;
    if (first !== undefined && this.#parts.length === 1) return first;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [whole];
    return whole;
  }
}
