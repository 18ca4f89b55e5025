/**
 * What of the segment store fails now, in words for operators: each kind of operation until one of it works again. Nobody asks the store for
 * this, so what nobody has tried for a minute is not said any more.
 */
import type { Clock } from '../../cluster/time/clock.ts';

export type StoreUse = 'read' | 'write' | 'delete';

const mostWords = 300;
const saidForMs = 60_000;
const names = { read: 'reading', write: 'storing', delete: 'deleting' } as const;

interface Fault {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly why: string;
}

export class StoreHealth {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #faults = new Map<StoreUse, Fault>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** @param why undefined: an operation has shown that this kind works */
  note(use: StoreUse, why: string | undefined): void {
    if (why === undefined) return void this.#faults.delete(use);
    const nowMs = this.#clock.monotonicMs();
    const known = this.#faults.get(use);
    const firstMs = known === undefined || isOld(known, nowMs) ? nowMs : known.firstMs;
    this.#faults.set(use, { firstMs, lastMs: nowMs, why: why.slice(0, mostWords) });
  }

  /** One part of `/readyz` while something fails. The node stays ready: it serves what it has, and others have the same store. */
  parts(): readonly { readonly name: string; readonly isReady: true; readonly detail: string }[] {
    const nowMs = this.#clock.monotonicMs();
    const words = [...this.#faults].flatMap(([use, fault]) =>
      isOld(fault, nowMs) ? [] : [`${names[use]} fails, ${agesOf(fault, nowMs)}: ${fault.why}`],
    );
    return words.length === 0 ? [] : [{ name: 'segment store', isReady: true, detail: words.join('; ') }];
  }
}

const isOld = ({ lastMs }: Fault, nowMs: number): boolean => nowMs - lastMs > saidForMs;

/** e.g. `first 43 s ago, last 3 s ago`: one fault is told from one that lasts. */
function agesOf({ firstMs, lastMs }: Fault, nowMs: number): string {
  const ago = (atMs: number): string => `${Math.round((nowMs - atMs) / 1000)} s ago`;
  return firstMs === lastMs ? `once, ${ago(lastMs)}` : `first ${ago(firstMs)}, last ${ago(lastMs)}`;
}
