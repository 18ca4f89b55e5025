/**
 * Which acknowledged comments still wait to be seen in a second data centre, and which reads are due for them (A6).
 *
 * Two data centres must have a comment: the one that acknowledged it, and one that a read found it in. Where nobody knows which one
 * acknowledged it, reads must find it in two. One read looks for all comments that were written close together, so its cost grows with time
 * and streams, not with comments.
 *
 * Bounds: 50,000 comments, more are refused; 16 reads of a stream and 64 in all for each data centre at once, those that were read least
 * lately first; what is not found is looked for less and less often, down to every 10 s, and given up after 10 minutes. Of a data centre
 * that fails, one read each second finds out whether it is back.
 */
import type { ReplicatedComment } from '../../../cluster/contract/audience/audience-feed.ts';
import type { CommentId, StreamId } from '../../../cluster/model/ids.ts';
import type { Stretch } from './replica-reads.ts';

export interface Acknowledged extends ReplicatedComment {
  readonly streamId: StreamId;
  readonly createdAtMs: number;
}

/** A stretch, and those of its comments that are looked for. */
export interface DueRead extends Stretch {
  readonly ids: readonly CommentId[];
}

/** One that has come to its end. */
export interface Seen {
  readonly comment: Acknowledged;
  /** Since it was first acknowledged here. */
  readonly afterMs: number;
}

export const pendingLimits = {
  most: 50_000,
  readsOfStream: 16,
  reads: 64,
  /** Two comments that are further apart are two reads: what lies between them is not read. */
  gapMs: 1000,
  stretchMs: 5000,
  firstPauseMs: 500,
  lastPauseMs: 10_000,
  failedPauseMs: 1000,
  keptMs: 600_000,
} as const;

const minuteMs = 60_000;
/** It waits a quarter of its age. */
const pauseShare = 4;
const enough = 2;

interface Entry {
  readonly comment: Acknowledged;
  readonly seenIn: Set<string>;
  readonly sinceMs: number;
  untilMs: number;
  /** When it is looked for again in a data centre that did not have it. */
  readonly nextMs: Map<string, number>;
}

export class Pending {
  /** Those that were read least lately first. */
  readonly #streams = new Map<StreamId, Map<CommentId, Entry>>();
  /** Until when a data centre that failed is left alone. */
  readonly #failing = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /**
   * Looks for a comment from now on. Acknowledged once more, it is looked for at once.
   *
   * @param keptIn the data centre that acknowledged it, where that is known
   */
  add(comment: Acknowledged, keptIn: string | undefined, nowMs: number): Seen | 'pending' | 'full' {
    const known = this.#streams.get(comment.streamId)?.get(comment.id);
    if (known === undefined && this.#size >= pendingLimits.most) return 'full';
    const entry = known ?? this.#enter(comment, nowMs);
    entry.untilMs = nowMs + pendingLimits.keptMs;
    entry.nextMs.clear();
    return (keptIn === undefined ? undefined : this.#sawIn(entry, keptIn, nowMs)) ?? 'pending';
  }

  /** Those of one data centre, each of which is to be answered by `found` or `failed`. */
  due(dataCentre: string, nowMs: number): readonly DueRead[] {
    const failedUntilMs = this.#failing.get(dataCentre);
    if (failedUntilMs !== undefined && nowMs < failedUntilMs) return [];
    const most = failedUntilMs === undefined ? pendingLimits.reads : 1;
    const reads: DueRead[] = [];
    for (const [streamId, entries] of this.#streams) {
      const left = Math.min(pendingLimits.readsOfStream, most - reads.length);
      if (left === 0) break;
      const isDue = ({ nextMs, seenIn }: Entry): boolean =>
        !seenIn.has(dataCentre) && (nextMs.get(dataCentre) ?? nowMs) <= nowMs;
      const due = [...entries.values()].filter(isDue).map(({ comment }) => comment);
      const stretches = stretchesOf(due).slice(0, left);
      reads.push(...stretches.map((stretch) => ({ dataCentre, streamId, ...stretch })));
    }
    for (const { streamId } of reads) this.#moveBack(streamId);
    return reads;
  }

  /** @returns those that two data centres have now; they are not looked for any more */
  found(
    { dataCentre, streamId, ids }: DueRead,
    there: ReadonlySet<CommentId>,
    nowMs: number,
  ): readonly Seen[] {
    this.#failing.delete(dataCentre);
    const entries = this.#streams.get(streamId);
    const entriesOf = (all: Iterable<CommentId>): readonly Entry[] =>
      [...all].flatMap((id) => entries?.get(id) ?? []);
    for (const entry of entriesOf(ids))
      if (!there.has(entry.comment.id)) entry.nextMs.set(dataCentre, nowMs + pauseOf(entry, nowMs));
    return entriesOf(there).flatMap((entry) => this.#sawIn(entry, dataCentre, nowMs) ?? []);
  }

  /** The data centre did not answer. */
  failed({ dataCentre }: Pick<DueRead, 'dataCentre'>, nowMs: number): void {
    this.#failing.set(dataCentre, nowMs + pendingLimits.failedPauseMs);
  }

  /** @returns how many were given up: they stay accepted until they are acknowledged once more */
  giveUp(nowMs: number): number {
    const before = this.#size;
    for (const entries of this.#streams.values())
      for (const { comment, untilMs } of entries.values()) if (untilMs <= nowMs) this.#remove(comment);
    return before - this.#size;
  }

  #enter(comment: Acknowledged, nowMs: number): Entry {
    const entry: Entry = { comment, seenIn: new Set(), sinceMs: nowMs, untilMs: nowMs, nextMs: new Map() };
    const entries = this.#streams.get(comment.streamId) ?? new Map<CommentId, Entry>();
    this.#streams.set(comment.streamId, entries.set(comment.id, entry));
    this.#size += 1;
    return entry;
  }

  #sawIn({ comment, seenIn, sinceMs }: Entry, dataCentre: string, nowMs: number): Seen | undefined {
    seenIn.add(dataCentre);
    if (seenIn.size < enough) return undefined;
    this.#remove(comment);
    return { comment, afterMs: nowMs - sinceMs };
  }

  #remove({ streamId, id }: Acknowledged): void {
    const entries = this.#streams.get(streamId);
    if (entries?.delete(id) === true) this.#size -= 1;
    if (entries?.size === 0) this.#streams.delete(streamId);
  }

  #moveBack(streamId: StreamId): void {
    const entries = this.#streams.get(streamId);
    if (entries === undefined || !this.#streams.delete(streamId)) return;
    this.#streams.set(streamId, entries);
  }
}

const pauseOf = ({ sinceMs }: Entry, nowMs: number): number =>
  Math.min(Math.max((nowMs - sinceMs) / pauseShare, pendingLimits.firstPauseMs), pendingLimits.lastPauseMs);

/** Oldest first. Each lies within a minute, as rows do (A3). */
function stretchesOf(comments: readonly Acknowledged[]): readonly Omit<DueRead, 'dataCentre' | 'streamId'>[] {
  const stretches: { fromMs: number; toMs: number; ids: CommentId[] }[] = [];
  for (const { id, createdAtMs } of comments.toSorted((a, b) => a.createdAtMs - b.createdAtMs)) {
    const last = stretches.at(-1);
    if (last === undefined || !isNear(last, createdAtMs))
      stretches.push({ fromMs: createdAtMs, toMs: createdAtMs, ids: [id] });
    else {
      last.toMs = createdAtMs;
      last.ids.push(id);
    }
  }
  return stretches;
}

const isNear = ({ fromMs, toMs }: Pick<Stretch, 'fromMs' | 'toMs'>, atMs: number): boolean =>
  atMs - toMs <= pendingLimits.gapMs &&
  atMs - fromMs <= pendingLimits.stretchMs &&
  Math.floor(atMs / minuteMs) === Math.floor(fromMs / minuteMs);
