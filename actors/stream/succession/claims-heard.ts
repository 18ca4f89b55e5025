/**
 * Which regions claim which streams at this moment, as their nodes say it (R7, across.ts J2).
 *
 * A claim that nobody ended is forgotten after 4 s: a claim that goes on longer is said again before. Bound: so many streams of each region; the oldest goes.
 */
import { claiming } from '../../../cluster/contract/regions/claims.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

const claimLastsMs = 4000;
const maxClaims = 1000;

export class ClaimsHeard {
  readonly #region: RegionId;
  readonly #clock: Clock;
  readonly #byRegion = new Map<RegionId, Map<StreamId, number>>();
  readonly #listeners = new Set<() => void>();
  readonly #stops: readonly (() => void)[];

  constructor(region: RegionId, others: Pick<OtherRegions, 'listen' | 'regions'>, clock: Clock) {
    this.#region = region;
    this.#clock = clock;
    this.#stops = [region, ...others.regions].map((id) =>
      others.listen(id, claiming, ({ stream, isOver }) =>
        isOver ? this.#noteOver(id, stream) : this.note(id, stream),
      ),
    );
  }

  /** The other regions that claim the stream now. */
  rivals(stream: StreamId): readonly RegionId[] {
    return [...this.#byRegion.keys()].filter((id) => id !== this.#region && this.#isClaiming(id, stream));
  }

  /** Whether a node of this region claims it now. */
  isClaimedHere(stream: StreamId): boolean {
    return this.#isClaiming(this.#region, stream);
  }

  /** A region says that it claims the stream. */
  note(region: RegionId, stream: StreamId): void {
    const claims = this.#byRegion.get(region) ?? new Map<StreamId, number>();
    this.#byRegion.set(region, claims);
    claims.delete(stream);
    claims.set(stream, this.#clock.monotonicMs());
    const [oldest] = claims.keys();
    if (claims.size > maxClaims && oldest !== undefined) claims.delete(oldest);
  }

  /** Calls the listener whenever a region says that a claim is over. @returns what ends it */
  onOver(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #isClaiming(region: RegionId, stream: StreamId): boolean {
    const sinceMs = this.#byRegion.get(region)?.get(stream);
    return sinceMs !== undefined && this.#clock.monotonicMs() - sinceMs < claimLastsMs;
  }

  #noteOver(region: RegionId, stream: StreamId): void {
    if (this.#byRegion.get(region)?.delete(stream) !== true) return;
    for (const listener of this.#listeners) listener();
  }
}
