/** What the registry of a region gives to other regions and takes from them, where each has one of its own (R12). */
import type { Changes, ChangesQuery } from '../../../cluster/contract/regions/changes.ts';
import type { RegistryChange, StreamQuery } from '../../../cluster/contract/regions/registry.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { StreamRegistry } from '../stream-registry.ts';

/** How far the registry of another region was read here. */
export interface Pulled {
  /** Its database was read to its end at least once. */
  readonly isWhole: boolean;
  /** When the last read that reached the end began, UTC of this host; undefined: none has. */
  readonly atMs: number | undefined;
}

/** What came from another region, and concerns who publishes here. */
export interface Taken {
  readonly removed: readonly StreamId[];
  readonly withOtherKey: readonly StreamId[];
  /** Ids under which another region had made a stream earlier: it stays, and the one that was known here is no more. */
  readonly lost: readonly StreamId[];
  /** Ids that were left out: their key is another stream's. */
  readonly refused: readonly StreamId[];
}

/** Every method rejects with `UNAVAILABLE` when the file cannot be asked. */
export interface RegistryFeed {
  databaseId(): Promise<string>;
  /** What another region asks for. */
  changes(query: ChangesQuery): Promise<Changes<RegistryChange>>;
  /** What is known of one stream. */
  known(query: StreamQuery): Promise<readonly RegistryChange[]>;
  /** What to ask another region for. */
  cursor(region: RegionId): Promise<ChangesQuery>;
  /** Takes an answer and the place of its end in one transaction. @param askedAtMs when it was asked for, UTC of this host */
  take(region: RegionId, answer: Changes<RegistryChange>, askedAtMs: number): Promise<Taken>;
  /** Takes what was asked for beside the changes. @param query by which */
  learn(known: readonly RegistryChange[], query: StreamQuery, nowMs: number): Promise<Taken>;
  pulled(): Promise<ReadonlyMap<RegionId, Pulled>>;
}

export type RegionalRegistry = StreamRegistry & RegistryFeed;
