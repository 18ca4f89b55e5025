/**
 * Turns RTMP's timestamps, which wrap, into ms that do not (M15).
 *
 * The wire has 32 bits, but encoders wrap where *they* count: at 2^24 (no extended timestamp), 2^31 (a signed integer)
 * or 2^32. A step that is small once one of the three is added or taken away is a wrap; every other step is taken as it
 * is, and what to make of a big one is the session's to decide. Audio and video share one unwrapper, as they share a
 * clock: tags that straddle a wrap step back over it.
 */
const moduli = [2 ** 32, 2 ** 31, 2 ** 24] as const;

/** A wrap moves time by less than this; what looks like more is a jump. */
export const wrapWindowMs = 30_000;

export class TimestampUnwrapper {
  #lastWireMs: number | undefined;
  #lastMs = 0;

  /** @param wireMs 32 bit, unsigned */
  unwrap(wireMs: number): number {
    const last = this.#lastWireMs;
    this.#lastMs = last === undefined ? wireMs : this.#lastMs + stepBetween(last, wireMs);
    this.#lastWireMs = wireMs;
    return this.#lastMs;
  }
}

function stepBetween(lastMs: number, nextMs: number): number {
  const step = nextMs - lastMs;
  if (Math.abs(step) <= wrapWindowMs) return step;
  const modulus = moduli.find((size) => isWrapOf(size, lastMs, nextMs));
  if (modulus === undefined) return step;
  return step < 0 ? step + modulus : step - modulus;
}

function isWrapOf(modulus: number, lastMs: number, nextMs: number): boolean {
  if (lastMs >= modulus || nextMs >= modulus) return false;
  const distance = modulus - Math.abs(nextMs - lastMs);
  return distance <= wrapWindowMs;
}
