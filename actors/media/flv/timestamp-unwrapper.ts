/**
 * Turns RTMP's timestamps, which wrap, into ms that do not (M15).
 *
 * The wire has 32 bits, but encoders wrap where *they* count: at 2^24 (no extended timestamp), 2^31 (a signed integer)
 * or 2^32. A step that is small once one of the three is added or taken away is a wrap; every other step is taken as it
 * is, and what to make of a big one is the session's to decide. Audio and video share one unwrapper, as they share a
 * clock: tags that straddle a wrap step back over it.
 *
 * Steps are measured from the last time that followed from the one before it. A time out of line is only remembered: it
 * counts once the next one is near it. So times that mean nothing, on both sides of a wrap, do not move the clock by it.
 */
const moduli = [2 ** 32, 2 ** 31, 2 ** 24] as const;

/** A wrap moves time by less than this; what looks like more is a jump. */
export const wrapWindowMs = 30_000;

interface Place {
  readonly wireMs: number;
  /** Unwrapped. */
  readonly ms: number;
}

export class TimestampUnwrapper {
  #last: Place | undefined;
  #suspect: Place | undefined;

  /** @param wireMs 32 bit, unsigned */
  unwrap(wireMs: number): number {
    const last = this.#last ?? { wireMs, ms: wireMs };
    const step = stepBetween(last.wireMs, wireMs);
    const place = { wireMs, ms: last.ms + step };
    const isSound = Math.abs(step) <= wrapWindowMs || this.#isNearSuspect(wireMs);
    if (isSound) this.#last = place;
    this.#suspect = isSound ? undefined : place;
    return place.ms;
  }

  #isNearSuspect(wireMs: number): boolean {
    return this.#suspect !== undefined && Math.abs(wireMs - this.#suspect.wireMs) <= wrapWindowMs;
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
