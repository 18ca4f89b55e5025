/** The link of this region to each other one, as a node knows it from what the gateways announced: its changes, and what people should know. */
import type { RegionId } from '../../model/ids.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Clock } from '../../time/clock.ts';
import { maxSkewMs } from './hello.ts';
import type { RegionLink } from '../other-regions.ts';
import type { Announcement, Serving } from './serving.ts';
import { regionNamed } from '../../model/region-words.ts';

interface KnownLinksOptions {
  readonly regions: readonly RegionId[];
  readonly serving: Serving;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What else people should know of a region. */
  readonly alsoWrong: (region: RegionId) => readonly string[];
}

interface Turn {
  readonly isUp: boolean;
  readonly sinceMs: number;
}

interface Fault {
  /** It is said once for as long as it lasts. */
  readonly about: string;
  readonly fault: string;
}

export class KnownLinks {
  readonly #options: KnownLinksOptions;
  readonly #turns = new Map<RegionId, Turn>();
  /** The clocks there as they were measured last, or as another node remembers them. */
  readonly #offsets = new Map<RegionId, number>();
  readonly #listeners = new Set<(link: RegionLink) => void>();
  #said: ReadonlySet<string> = new Set();

  constructor(options: KnownLinksOptions) {
    this.#options = options;
    const sinceMs = options.clock.monotonicMs();
    for (const region of options.regions) this.#turns.set(region, { isUp: false, sinceMs });
  }

  all(): readonly RegionLink[] {
    return this.#options.regions.map((region) => this.#link(region));
  }

  onChange(listener: (link: RegionLink) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Notices what has changed since the last look. */
  look(): void {
    const { regions, serving, clock, logger } = this.#options;
    for (const region of regions) {
      const working = serving.working(region, clock.runningMs());
      const isUp = working.length > 0;
      const offsetMs = nearestOf(working)?.offsetMs;
      if (offsetMs !== undefined) this.#offsets.set(region, offsetMs);
      if (this.#turns.get(region)?.isUp === isUp) continue;
      this.#turns.set(region, { isUp, sinceMs: clock.monotonicMs() });
      for (const listener of this.#listeners) listener(this.#link(region));
    }
    const faults = this.#faults();
    for (const { about, fault } of faults)
      if (!this.#said.has(about))
        logger.warn({ fault }, 'something between this region and another one wants a look');
    this.#said = new Set(faults.map(({ about }) => about));
  }

  /** For how long no link to that region has worked, and what is remembered of the clock there; empty while one does. */
  whileDown(region: RegionId): { readonly downForMs?: number; readonly offsetMs?: number } {
    const { isUp, sinceMs, offsetMs } = this.#link(region);
    if (isUp) return {};
    const downForMs = Math.max(0, this.#options.clock.monotonicMs() - sinceMs);
    return { downForMs, ...(offsetMs === undefined ? {} : { offsetMs }) };
  }

  /**
   * Another node of this region tells for how long it has been so, and what it remembers of the clock there. A node that began during a cut learns
   * by this when that began, and acts by the same time as its neighbours.
   */
  heardDown(region: RegionId, forMs: number, offsetMs?: number): void {
    const turn = this.#turns.get(region);
    if (turn === undefined || turn.isUp) return;
    if (offsetMs !== undefined && !this.#offsets.has(region)) this.#offsets.set(region, offsetMs);
    const sinceMs = this.#options.clock.monotonicMs() - forMs;
    if (sinceMs < turn.sinceMs) this.#turns.set(region, { isUp: false, sinceMs });
  }

  warnings(): readonly string[] {
    return this.#faults().map(({ fault }) => fault);
  }

  #faults(): readonly Fault[] {
    return this.all().flatMap(({ region, isUp, offsetMs }) => [
      ...(!isUp || offsetMs === undefined || Math.abs(offsetMs) <= maxSkewMs
        ? []
        : [
            {
              about: `${region} clock`,
              fault: `the clock of ${regionNamed(region)} is ${Math.round(offsetMs / 1000)} s away from ours: use NTP`,
            },
          ]),
      // Their numbers change, so each is said once for its region.
      ...this.#options.alsoWrong(region).map((fault, at) => ({ about: `${region} more ${at}`, fault })),
    ]);
  }

  #link(region: RegionId): RegionLink {
    const { serving, clock } = this.#options;
    const working = serving.working(region, clock.runningMs());
    const { isUp, sinceMs } = this.#turns.get(region) ?? { isUp: false, sinceMs: 0 };
    const nearest = nearestOf(working);
    return {
      region,
      isUp: working.length > 0,
      sinceMs: isUp === working.length > 0 ? sinceMs : clock.monotonicMs(),
      roundTripMs: nearest?.roundTripMs,
      offsetMs: working.length > 0 ? nearest?.offsetMs : this.#offsets.get(region),
      topologyVersion: nearest?.topologyVersion,
      gateways: working.map(({ node }) => node),
      bytesIn: sumOf(working, 'bytesIn'),
      bytesOut: sumOf(working, 'bytesOut'),
    };
  }
}

const nearestOf = (working: readonly Announcement[]): Announcement | undefined =>
  working.toSorted((a, b) => (a.roundTripMs ?? Infinity) - (b.roundTripMs ?? Infinity)).at(0);

const sumOf = <K extends string>(all: readonly Readonly<Record<K, number>>[], key: K): number =>
  all.reduce((sum, one) => sum + one[key], 0);
