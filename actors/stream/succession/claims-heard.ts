/**
 * Which regions claim which streams at this moment, as their nodes say it (R7, across.ts J2). A region claims a stream until each node of it that
 * said so has said that it is over: two may claim at once, and the one that loses has not ended the claim of the other.
 *
 * A claim that nobody ended is forgotten after 4 s: a claim that goes on longer is said again before. Bounds: so many streams of each region, so many nodes of each; the
 * oldest goes.
 */
import { claiming } from '../../../cluster/contract/regions/claims.ts';
import type { NodeId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

const claimLastsMs = 4000;
const maxClaims = 1000;
const maxNodes = 16;
/** A region that claims, as it answered, without the name of the node. */
const somebody = '';
type Claimant = NodeId | typeof somebody;

export class ClaimsHeard {
  readonly #region: RegionId;
  readonly #clock: Clock;
  /** Since when, by node. */
  readonly #byRegion = new Map<RegionId, Map<StreamId, Map<Claimant, number>>>();
  readonly #listeners = new Set<() => void>();
  readonly #stops: readonly (() => void)[];

  constructor(region: RegionId, others: Pick<OtherRegions, 'listen' | 'regions'>, clock: Clock) {
    this.#region = region;
    this.#clock = clock;
    this.#stops = [region, ...others.regions].map((id) =>
      others.listen(id, claiming, ({ stream, isOver, node }) =>
        isOver ? this.#noteOver(id, stream, node) : this.note(id, stream, node),
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
  note(region: RegionId, stream: StreamId, node: Claimant = somebody): void {
    const claims = this.#byRegion.get(region) ?? new Map<StreamId, Map<Claimant, number>>();
    this.#byRegion.set(region, claims);
    const nodes = claims.get(stream) ?? new Map<Claimant, number>();
    putLast(nodes, { key: node, value: this.#clock.monotonicMs(), most: maxNodes });
    putLast(claims, { key: stream, value: nodes, most: maxClaims });
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
    const nodes = this.#byRegion.get(region)?.get(stream)?.values() ?? [];
    return [...nodes].some((sinceMs) => this.#clock.monotonicMs() - sinceMs < claimLastsMs);
  }

  /** Whoever answered that its region claims was this one, as far as is known. */
  #noteOver(region: RegionId, stream: StreamId, node: Claimant = somebody): void {
    const claims = this.#byRegion.get(region);
    const nodes = claims?.get(stream);
    if (nodes === undefined) return;
    nodes.delete(node);
    nodes.delete(somebody);
    if (nodes.size === 0) claims?.delete(stream);
    for (const listener of this.#listeners) listener();
  }
}

function putLast<K, V>(map: Map<K, V>, { key, value, most }: { key: K; value: V; most: number }): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
