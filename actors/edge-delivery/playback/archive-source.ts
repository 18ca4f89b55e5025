/** Where the archives of a stream come from (C7). */
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { abortAfter, type Clock } from '../../../cluster/time/clock.ts';
import { archivePrefix } from '../../segment-store/archive-key.ts';
import type { SegmentStore } from '../../segment-store/segment-store.ts';

export interface ArchiveSource {
  /** The other region whose edges are asked for what this region's store lacks of the stream. */
  homeOf(stream: StreamId): RegionId | undefined;
  /** The keys of a stream's archives, in no order. */
  list(stream: StreamId): Promise<readonly string[]>;
  /** @throws TangazaError `SEGMENT_NOT_FOUND` for one that is there no more, and those of the store */
  read(stream: StreamId, key: string): Promise<Uint8Array>;
}

const storeMs = 10_000;

/** Those in this region's store. */
export function archivesInStore(store: Pick<SegmentStore, 'list' | 'get'>, clock: Clock): ArchiveSource {
  return {
    homeOf: () => undefined,
    list: async (stream) => {
      using late = abortAfter(clock, storeMs);
      const keys: string[] = [];
      for await (const { key } of store.list(archivePrefix(stream), late.signal)) keys.push(key);
      return keys;
    },
    read: async (_stream, key) => {
      using late = abortAfter(clock, storeMs);
      return await store.get(key, late.signal);
    },
  };
}
