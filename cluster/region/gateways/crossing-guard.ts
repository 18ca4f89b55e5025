/** One end of a link, which lets pass only what the allow-list names, within its sizes and rates (R2). */
import { Buckets } from '../../bounds/buckets.ts';
import type { AllowList } from '../../contract/regions/allow-list.ts';
import { TangazaError } from '../../errors/tangaza-error.ts';

/** Why something does not cross, as the metric names it. */
export type Refusal = 'unknown' | 'too_long' | 'too_often';

interface Bounds {
  readonly maxBytes: number;
  readonly rate: Buckets;
}

export class CrossingGuard {
  readonly #calls: ReadonlyMap<string, Bounds>;
  readonly #events: ReadonlyMap<string, Bounds>;

  constructor({ calls, events }: AllowList) {
    this.#calls = boundsOf(calls);
    this.#events = boundsOf(events);
  }

  allowsEvent = (name: string): boolean => this.#events.has(name);

  event(name: string, bytes: number, nowMs: number): Refusal | undefined {
    return check(this.#events.get(name), bytes, nowMs);
  }

  /** @throws TangazaError `FORBIDDEN`, `BODY_TOO_LARGE` or `OVERLOADED`; `tell` hears of it first */
  call(name: string, bytes: number, nowMs: number, tell: (refusal: Refusal) => void): void {
    const refusal = check(this.#calls.get(name), bytes, nowMs);
    if (refusal === undefined) return;
    tell(refusal);
    throw refused[refusal](name);
  }
}

const boundsOf = (
  list: readonly { readonly name: string; readonly maxBytes: number; readonly perSecond: number }[],
): ReadonlyMap<string, Bounds> =>
  new Map(
    list.map(({ name, maxBytes, perSecond }) => [
      name,
      { maxBytes, rate: new Buckets({ burst: perSecond, perSecond, most: 1 }) },
    ]),
  );

function check(bounds: Bounds | undefined, bytes: number, nowMs: number): Refusal | undefined {
  if (bounds === undefined) return 'unknown';
  if (bytes > bounds.maxBytes) return 'too_long';
  return bounds.rate.take('all', nowMs) > 0 ? 'too_often' : undefined;
}

const refused: Readonly<Record<Refusal, (name: string) => TangazaError>> = {
  unknown: (name) =>
    new TangazaError('FORBIDDEN', `No call ${name} may cross between regions: do both run the same version?`),
  too_long: (name) => new TangazaError('BODY_TOO_LARGE', `The call ${name} is longer than may cross.`),
  too_often: (name) =>
    new TangazaError('OVERLOADED', `${name} is asked of the other region too often: wait a second.`),
};
