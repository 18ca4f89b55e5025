/** Until when this region knows what was accepted in the others: as long as a link is cut, until shortly before that (A8). */
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

/** A cut is noticed some seconds after it has happened. */
const unnoticedMs = 5000;
/** Once a link is back, what was missed is taken within that time. */
const catchingUpMs = 10_000;

export class RegionLag {
  readonly #others: Pick<OtherRegions, 'links'>;
  readonly #clock: Pick<Clock, 'monotonicMs' | 'utcMs'>;
  /** Since when a link has been down, or was so before it came back, in monotonic time. */
  readonly #downSinceMs = new Map<RegionId, number>();

  constructor(others: Pick<OtherRegions, 'links'>, clock: Pick<Clock, 'monotonicMs' | 'utcMs'>) {
    this.#others = others;
    this.#clock = clock;
  }

  /** In UTC of this host. */
  knownToMs(): number {
    const nowMs = this.#clock.monotonicMs();
    let lagMs = 0;
    for (const { region, isUp, sinceMs } of this.#others.links()) {
      if (!isUp) this.#down(region, sinceMs - unnoticedMs);
      if (isUp && nowMs - sinceMs > catchingUpMs) this.#downSinceMs.delete(region);
      const downSinceMs = this.#downSinceMs.get(region);
      if (downSinceMs !== undefined) lagMs = Math.max(lagMs, nowMs - downSinceMs);
    }
    return this.#clock.utcMs() - lagMs;
  }

  /** A node that began during a cut hears from others that it is older. */
  #down(region: RegionId, sinceMs: number): void {
    this.#downSinceMs.set(region, Math.min(sinceMs, this.#downSinceMs.get(region) ?? sinceMs));
  }
}
