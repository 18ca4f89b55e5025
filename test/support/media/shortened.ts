/** A broadcast whose log was shortened, as its owner does it: what has left the log is in archives (C7). */
import { applyEntry, emptyTimeline } from '../../../actors/media/timeline/fold.ts';
import { toSnapshot } from '../../../actors/media/timeline/snapshot.ts';
import type { SegmentStore } from '../../../actors/segment-store/segment-store.ts';
import type { MemoryIndexLog } from '../ports/memory-index-log.ts';
import { by, stream } from '../ports/records.ts';
import type { Broadcast } from './broadcast.ts';

interface Kept {
  readonly log: MemoryIndexLog;
  readonly store: Pick<SegmentStore, 'putIfAbsent'>;
}

/** As an owner: archives from a number on, puts a snapshot that begins at `firstKept`, purges what is before it. */
export async function shorten({ log, store }: Kept, archiveFrom: number, firstKept: number): Promise<void> {
  const timeline = (await log.read(stream)).reduce(applyEntry, emptyTimeline());
  const { nextNumber, lastSequence } = timeline;
  const state = (from: number): unknown => JSON.parse(JSON.stringify(toSnapshot(timeline, from)));
  await store.putIfAbsent(`index/demo/1-${nextNumber}.json`, Buffer.from(JSON.stringify(state(archiveFrom))));
  const record = { kind: 'snapshot', ...by(), nextNumber, state: state(firstKept) } as const;
  await log.purgeBelow(stream, await log.append(stream, record, lastSequence));
}

/** 40 s of a stream; the log begins at 28 s, the archives hold 0 to 20 s and 12 to 36 s. @param broadcast has 10 segments */
export async function shortenTwice(kept: Kept, broadcast: Broadcast): Promise<void> {
  await shorten(kept, 0, 6);
  await append(kept, broadcast, 8);
  await shorten(kept, 6, 14);
  await append(kept, broadcast, 2);
}

/** The broadcast does not know of the snapshot: its next commits expect the log's own tail. */
async function append({ log }: Kept, broadcast: Broadcast, count: number): Promise<void> {
  broadcast.expectTail((await log.tail(stream))?.sequence ?? 0);
  await broadcast.commit(count);
}
