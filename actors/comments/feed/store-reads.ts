/** Reads the comments of a stream from the store, as the feed needs them: at its start, and what arrived since a time. */
import type { CommentMode } from '../../../cluster/contract/api/audience-views.ts';
import { openMode } from '../../../cluster/contract/api/audience-views.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { CommentStore, StoredComment } from '../store/comment-store.ts';
import { backMs } from './resume.ts';
import { ringSize } from './ring.ts';

export type ReadableStore = Pick<CommentStore, 'newest' | 'arrivedSince' | 'get' | 'mode'>;

export interface Start {
  readonly rows: readonly StoredComment[];
  readonly mode: CommentMode;
  /** From when on the rows are complete by arrival. */
  readonly completeFromMs: number;
  /** What is not among the rows and is not later than this was there before; -1 where the rows are all. */
  readonly oldToMs: number;
}

/** How far back a ring begins to be complete by arrival, so that pages that come from an edge that has died need not read the store. */
const startBackMs = 20_000;
const pageRows = 500;

/** @throws TangazaError as the store throws it */
export async function readStart(store: ReadableStore, stream: StreamId, nowMs: number): Promise<Start> {
  const [newest, lately, mode] = await Promise.all([
    store.newest(stream, ringSize),
    store.arrivedSince(stream, nowMs - startBackMs, ringSize),
    store.mode(stream),
  ]);
  const isAll = newest.length < ringSize;
  const isLatelyAll = lately.length < ringSize;
  const completeFromMs = isLatelyAll ? nowMs - startBackMs : nowMs;
  return {
    rows: [...newest.toReversed(), ...lately],
    mode: mode ?? openMode,
    completeFromMs: isAll ? 0 : completeFromMs,
    oldToMs: isAll ? -1 : nowMs - backMs,
  };
}

/**
 * Everything that arrived or was changed since a time, page by page.
 *
 * @returns the oldest ones, up to the page that reaches `mostRows`; `isAll` is false where there may be more
 * @throws TangazaError as the store throws it
 */
export async function readSince(
  store: ReadableStore,
  stream: StreamId,
  { fromMs, mostRows }: { readonly fromMs: number; readonly mostRows: number },
): Promise<{ readonly rows: readonly StoredComment[]; readonly isAll: boolean }> {
  const rows = new Map<string, StoredComment>();
  for (let placeMs = fromMs; ;) {
    const page = await store.arrivedSince(stream, placeMs, pageRows);
    for (const row of page) rows.set(row.id, row);
    const last = page.at(-1);
    if (last === undefined || page.length < pageRows) return { rows: [...rows.values()], isAll: true };
    // A page of one millisecond leads no further.
    if (rows.size >= mostRows || last.changedAtMs <= placeMs)
      return { rows: [...rows.values()], isAll: false };
    placeMs = last.changedAtMs;
  }
}
