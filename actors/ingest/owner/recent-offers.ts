/**
 * Keeps what a session has offered lately, because a new owner gets it again (C2). Bounded by age and number; the
 * oldest goes first.
 */
import type { SourceOffer } from '../../../cluster/contract/index-records.ts';

const maxAgeMs = 60_000;
const maxOffers = 128;

export interface RecentOffer {
  readonly offer: SourceOffer;
  /** Whether it is the unfinished end of a connection (M4). */
  readonly isTail: boolean;
}

export class RecentOffers {
  #entries: readonly (RecentOffer & { readonly atMs: number })[] = [];

  get size(): number {
    return this.#entries.length;
  }

  add(recent: RecentOffer, nowMs: number): void {
    const young = this.#entries.filter(({ atMs }) => nowMs - atMs <= maxAgeMs);
    this.#entries = [...young, { ...recent, atMs: nowMs }].slice(-maxOffers);
  }

  /** Forgets an offer that is not made again. */
  drop(recent: RecentOffer): void {
    this.#entries = this.#entries.filter((one) => one !== recent);
  }

  /** All offers, oldest first. */
  list(): readonly RecentOffer[] {
    return this.#entries;
  }
}
