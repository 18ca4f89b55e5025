/**
 * Decides which data centres are asked, and in which order. One that failed is left alone for 5 s. Then one request tries it, while the
 * others still go elsewhere.
 */
const openMs = 5000;

export class Circuit {
  #openUntilMs = 0;
  #isOpen = false;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** True where it works, and for one request each 5 s where it does not. */
  mayAsk(nowMs: number): boolean {
    if (!this.#isOpen) return true;
    if (nowMs < this.#openUntilMs) return false;
    this.#openUntilMs = nowMs + openMs;
    return true;
  }

  /** @returns whether that is news */
  failed(nowMs: number): boolean {
    const isNews = !this.#isOpen;
    this.#isOpen = true;
    this.#openUntilMs = nowMs + openMs;
    return isNews;
  }

  /** @returns whether that is news */
  succeeded(): boolean {
    const isNews = this.#isOpen;
    this.#isOpen = false;
    return isNews;
  }
}

/**
 * @param circuits of the data centres, the own one first
 * @returns the places of those to ask, in order; the own one where none may be asked, as it is the likeliest to answer
 */
export function orderOf(circuits: readonly Circuit[], nowMs: number): readonly number[] {
  const open = circuits.flatMap((circuit, index) => (circuit.mayAsk(nowMs) ? [index] : []));
  return open.length > 0 ? open : [0];
}
