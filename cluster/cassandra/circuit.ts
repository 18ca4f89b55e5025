/**
 * Decides which data centres are asked, and in which order. Pure.
 *
 * One that failed is left alone, and tried each 5 s by a request of nobody. When it answers, it does not have yet what the others took while
 * it was away: its hints took 9 to 19 s to arrive (tried), and who was sent back to it at once read pages without what he had been shown.
 * So it is asked again once it has answered for 30 s; until then only if no other one can be asked. A late answer of that one does not
 * mean that it cannot.
 *
 * Times are those for which this node ran: who stood still has heard nobody, and blames nobody for it.
 */
const tryEveryMs = 5000;
const recoverMs = 30_000;
/** Longer than a request may take, so that one which was late is followed by others that were answered. */
const keptMs = 5000;

type State =
  | { readonly kind: 'closed' }
  /** It fails. */
  | { readonly kind: 'open' }
  /** It answers, and may lack something. In doubt: this node has not seen it fail, and could not have. */
  | { readonly kind: 'recovering'; readonly sinceMs: number; readonly isInDoubt?: boolean };

export class Circuit {
  readonly #recoverMs: number;
  #state: State = { kind: 'closed' };
  #tryAtMs = 0;
  #answeredAtMs = -Infinity;

  /** @param isOnly there is no other data centre, so nobody took what this one could lack */
  constructor(isOnly = false) {
    this.#recoverMs = isOnly ? 0 : recoverMs;
  }

  get state(): State['kind'] {
    return this.#state.kind;
  }

  /** When it answered last; minus infinity: never. */
  get answeredAtMs(): number {
    return this.#answeredAtMs;
  }

  /** True for one request each 5 s, as long as it is not closed. */
  isToTry(nowMs: number): boolean {
    if (this.#state.kind === 'closed' || nowMs < this.#tryAtMs) return false;
    this.#tryAtMs = nowMs + tryEveryMs;
    return true;
  }

  get isInDoubt(): boolean {
    return this.#state.kind === 'recovering' && this.#state.isInDoubt === true;
  }

  /** Has this node seen it fail, and may it lack something since? */
  get hasFailed(): boolean {
    return this.#state.kind !== 'closed' && !this.isInDoubt;
  }

  /** It may have failed while this node could not see it: it counts as one that recovers. @returns whether that is news */
  doubted(nowMs: number): boolean {
    if (this.#state.kind !== 'closed' || this.#recoverMs === 0) return false;
    this.#state = { kind: 'recovering', sinceMs: nowMs, isInDoubt: true };
    return true;
  }

  /** It did not fail meanwhile. */
  vouched(): void {
    if (this.isInDoubt) this.#state = { kind: 'closed' };
  }

  /** This node stood still, and does not know what was away meanwhile: one that recovers may lack more by now, and begins anew. */
  stoodStill(nowMs: number): void {
    if (this.#state.kind === 'recovering') this.#state = { ...this.#state, sinceMs: nowMs };
  }

  /** @returns whether it answered until now */
  failed(nowMs: number): boolean {
    const isNews = this.#state.kind !== 'open';
    this.#state = { kind: 'open' };
    this.#tryAtMs = nowMs + tryEveryMs;
    return isNews;
  }

  /** @returns what is news: it answers again, or it may be asked again; undefined: nothing */
  answered(nowMs: number): 'answers' | 'back' | undefined {
    this.#answeredAtMs = nowMs;
    if (this.#state.kind === 'closed') return undefined;
    const isNews = this.#state.kind === 'open';
    const recovering =
      this.#state.kind === 'open' ? ({ kind: 'recovering', sinceMs: nowMs } as const) : this.#state;
    if (nowMs - recovering.sinceMs >= this.#recoverMs) {
      this.#state = { kind: 'closed' };
      return 'back';
    }
    this.#state = recovering;
    return isNews ? 'answers' : undefined;
  }
}

/**
 * Is one that failed to answer asked on all the same? It is, where it alone has all and the others may lack something, until it has answered
 * nothing for 5 s: it would be left for one from which readers get pages without what they were shown.
 */
export function isKept(one: Circuit, circuits: readonly Circuit[], nowMs: number): boolean {
  const others = circuits.filter((other) => other !== one).map(({ state }) => state);
  const isLast = one.state === 'closed' && others.includes('recovering') && !others.includes('closed');
  return isLast && nowMs - one.answeredAtMs < keptMs;
}

/**
 * @param circuits of the data centres, the own one first
 * @returns the places of those to ask, in order. Where all fail, the one that answered last: one that is dead must not be asked in place of one
 *   that was late once, as that one would be asked by nobody for 5 s, and again after its next late answer
 */
export function orderOf(circuits: readonly Circuit[]): readonly number[] {
  const those = (kind: State['kind']): readonly number[] =>
    circuits.flatMap(({ state }, index) => (state === kind ? [index] : []));
  const order = [...those('closed'), ...those('recovering')];
  if (order.length > 0) return order;
  const lastMs = Math.max(...circuits.map(({ answeredAtMs }) => answeredAtMs));
  return [
    Math.max(
      0,
      circuits.findIndex(({ answeredAtMs }) => answeredAtMs === lastMs),
    ),
  ];
}
