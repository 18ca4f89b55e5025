/** Reads what arrived or was changed since a time, from the rows by their writing and from the entries by their change (A3, A7). */
import type { CommentId, StreamId } from '../../../../cluster/model/ids.ts';
import type { StoredComment } from '../comment-store.ts';
import { minuteOf, startOf } from './comment-row.ts';
import type { CommentPages } from './comment-pages.cassandra.ts';
import { lateAfterMs, type CommentTables } from './comment-tables.cassandra.ts';
import type { MinuteKind, Minutes } from './minutes.cassandra.ts';

/** What is written by a clock that is ahead. */
const aheadMs = 2000;
/** So many minutes are read without asking which of them have anything. */
const fewMinutes = 6;
/** One read takes at most that many rows of a minute: more than the guards let through in it. */
const mostOfMinute = 150_000;
/** Rows that are read to find those of one answer. With more, the answer ends where it is known to be whole. */
const mostRows = 20_000;

export interface Readers {
  readonly tables: CommentTables;
  readonly pages: CommentPages;
  readonly minutes: Minutes;
}

interface Asked {
  readonly stream: StreamId;
  /** From here on all is read. Inclusive. */
  readonly fromMs: number;
  /** Of what has changed since this, as soon as `limit` are known to be the first ones, no more is read. */
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly limit: number;
}

interface Part {
  readonly comments: readonly StoredComment[];
  /** Up to here nothing is left out. */
  readonly wholeToMs: number;
}

/** In order of change, oldest first: all from `fromMs` on, or at least the first `limit` since `sinceMs`. */
export async function changedSince(readers: Readers, asked: Asked): Promise<readonly StoredComment[]> {
  const parts = await Promise.all([lateSince(readers, asked), writtenSince(readers, asked)]);
  const wholeToMs = Math.min(...parts.map((part) => part.wholeToMs));
  const all = new Map<CommentId, StoredComment>();
  // A row that was read twice may have changed in between: the later version counts.
  for (const one of parts.flatMap(({ comments }) => comments))
    if ((all.get(one.id)?.changedAtMs ?? -1) < one.changedAtMs) all.set(one.id, one);
  return [...all.values()]
    .filter(({ changedAtMs }) => changedAtMs >= asked.fromMs && changedAtMs < wholeToMs)
    .toSorted((a, b) => a.changedAtMs - b.changedAtMs || (a.id < b.id ? -1 : 1));
}

async function writtenSince({ minutes, pages }: Readers, asked: Asked): Promise<Part> {
  const { stream, fromMs, sinceMs, limit } = asked;
  const comments: StoredComment[] = [];
  let read = 0;
  for await (const minute of minutesOf(minutes, 'written', asked, fromMs - lateAfterMs - aheadMs)) {
    // What was written from here on has arrived after this.
    const wholeToMs = startOf(minute) - aheadMs;
    const isWhole = ({ changedAtMs }: StoredComment): boolean =>
      changedAtMs >= sinceMs && changedAtMs < wholeToMs;
    if (read >= mostRows || comments.filter(isWhole).length >= limit) return { comments, wholeToMs };
    const found = await pages.ofMinute(stream, minute, mostOfMinute);
    read += found.length;
    comments.push(...found.filter(({ changedAtMs }) => changedAtMs >= fromMs));
  }
  return { comments, wholeToMs: Infinity };
}

async function lateSince({ minutes, pages, tables }: Readers, asked: Asked): Promise<Part> {
  const { stream, fromMs, sinceMs, limit } = asked;
  const ids = new Set<CommentId>();
  let sinceThen = 0;
  for await (const minute of minutesOf(minutes, 'late', asked, fromMs)) {
    // A row that was changed again has a later place: twice as many leave room for some of them.
    if (sinceThen >= 2 * limit)
      return { comments: await tables.findAll([...ids]), wholeToMs: startOf(minute) };
    const found = await pages.late(stream, minute, fromMs, mostRows);
    for (const id of found) ids.add(id);
    if (minute > minuteOf(sinceMs)) sinceThen += found.length;
  }
  return { comments: await tables.findAll([...ids]), wholeToMs: Infinity };
}

async function* minutesOf(
  minutes: Minutes,
  kind: MinuteKind,
  { stream, nowMs }: Asked,
  fromMs: number,
): AsyncGenerator<number> {
  const [from, to] = [Math.max(0, minuteOf(fromMs)), minuteOf(nowMs + aheadMs)];
  if (to - from >= fewMinutes) return yield* minutes.up(stream, kind, from);
  for (let minute = from; minute <= to; minute += 1) yield minute;
}
