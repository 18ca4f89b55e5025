/** What is on air elsewhere, as a test tells it: the product's memory of it, without other regions (R3). */
import { composeEpoch } from '../../../cluster/ownership/epoch.ts';
import { NodeId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { EdgeTold, StreamOnAir } from '../../../cluster/contract/regions/on-air.ts';
import { ElsewhereState } from '../../../cluster/region/elsewhere-state.ts';
import type { EdgeElsewhere, Elsewhere, StreamElsewhere } from '../../../cluster/region/elsewhere.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

/** A stream that is on air in the region of that ordinal. */
export function onAirAt(ordinal: number, stream: string, more: Partial<StreamOnAir> = {}): StreamOnAir {
  return {
    stream: StreamId.parse(stream),
    epoch: composeEpoch({ term: 0, regionOrdinal: ordinal, n: 1 }),
    nextNumber: 5,
    discontinuities: 0,
    availabilityStartMs: 1_000_000,
    isOnAir: true,
    sinceMs: 1_000_000,
    rtmpUrl: `rtmp://region${ordinal}.example:1935/live`,
    ...more,
  };
}

/** A sound edge of another region. */
export const edgeAt = (region: string, node: string): EdgeElsewhere => ({
  region: RegionId.parse(region),
  node: NodeId.parse(node),
  httpUrl: `http://${node}.test`,
  isSound: true,
  connections: 0,
  room: 1,
  weight: 1,
});

export class MemoryElsewhere implements Elsewhere {
  readonly #state: ElsewhereState;
  readonly #clock: Clock;
  readonly #listeners = new Set<(stream: StreamElsewhere) => void>();

  /** @param regions in order of their ordinals; the first one is this node's */
  constructor(regions: readonly string[], clock: Clock = systemClock) {
    const ids = regions.map((region) => RegionId.parse(region));
    this.#clock = clock;
    this.#state = new ElsewhereState(
      RegionId.parse(regions[0]),
      new Map(ids.map((id, ordinal) => [id, ordinal])),
    );
    for (const id of ids) this.#state.noteLink(id, true, clock.monotonicMs());
  }

  tell(region: string, told: StreamOnAir): void {
    const isNews = this.#state.note(RegionId.parse(region), told, this.#clock.monotonicMs());
    const home = this.homeOf(told.stream);
    if (isNews === true && home !== undefined) for (const listener of this.#listeners) listener(home);
  }

  tellEdges(region: string, edges: readonly EdgeTold[]): void {
    this.#state.noteEdges(RegionId.parse(region), edges, this.#clock.monotonicMs());
  }

  link(region: string, isUp: boolean): void {
    this.#state.noteLink(RegionId.parse(region), isUp, this.#clock.monotonicMs());
  }

  homeOf(stream: StreamId): StreamElsewhere | undefined {
    return this.#state.homeOf(stream, this.#clock.monotonicMs());
  }

  async ask(stream: StreamId): Promise<StreamElsewhere | undefined> {
    return this.homeOf(stream);
  }

  streams(): readonly StreamElsewhere[] {
    return this.#state.streams(this.#clock.monotonicMs());
  }

  edges(): readonly EdgeElsewhere[] {
    return this.#state.edges(this.#clock.monotonicMs());
  }

  get edgesRevision(): number {
    return this.#state.edgesRevision;
  }

  onChange(listener: (stream: StreamElsewhere) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
