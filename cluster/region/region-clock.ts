/**
 * The wall clocks of other regions, as their links have measured them (C6), and one clock for all regions: that of the region whose id comes
 * first. What several regions write is compared by it, so that a clock that is wrong wins nothing (R12).
 */
import type { RegionId } from '../model/ids.ts';
import type { OtherRegions, RegionLink } from './other-regions.ts';

export class RegionClock {
  readonly #others: Pick<OtherRegions, 'regions' | 'links'>;
  readonly #first: RegionId | undefined;
  /** As it was before a link was cut. */
  readonly #last = new Map<RegionId, number>();

  /** It lives as long as its node. */
  constructor(region: RegionId, others: Pick<OtherRegions, 'regions' | 'links' | 'onLink'>) {
    this.#others = others;
    if (others.regions.length > 0) others.onLink((link) => this.#note(link));
    const first = [region, ...others.regions].toSorted((a, b) => (a < b ? -1 : 1))[0];
    this.#first = first === region ? undefined : first;
  }

  /** @param utcMs of this host @returns the same moment by the clock that all regions go by */
  common(utcMs: number): number {
    return this.#first === undefined ? utcMs : Math.round(utcMs + this.aheadMs(this.#first));
  }

  /** @param utcMs of this host @returns the same moment by the clock that is furthest ahead: nothing that was written anywhere until now has a later time */
  latest(utcMs: number): number {
    return Math.round(utcMs + Math.max(0, ...this.#others.regions.map((region) => this.aheadMs(region))));
  }

  /** How far the clock of a region is ahead of this host's; 0 as long as nobody has measured it. */
  aheadMs(region: RegionId): number {
    for (const link of this.#others.links()) if (link.region === region) this.#note(link);
    return this.#last.get(region) ?? 0;
  }

  #note({ region, offsetMs }: RegionLink): void {
    if (offsetMs !== undefined) this.#last.set(region, offsetMs);
  }
}
