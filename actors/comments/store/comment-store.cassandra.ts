/**
 * The audience of a cluster in Cassandra (A3). Every write can be done again: what an author sent bears the time of its writing, and what
 * a moderator did the time of the act, so of two writes the same one wins everywhere.
 */
import { z } from 'zod';
import type { Database, LoneDatabase } from '../../../cluster/cassandra/database.cassandra.ts';
import { CommentMode } from '../../../cluster/contract/api/audience-views.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { CommentId, StreamId, UserId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { clockWindow } from '../ids/client-id.ts';
import { placeOfComment } from '../ids/comment-id.ts';
import type { AudienceStore } from './audience-store.ts';
import { changedSince } from './cassandra/arrivals.cassandra.ts';
import { actAt, bodyCell, hidingCell } from './cassandra/comment-row.ts';
import { CommentPages } from './cassandra/comment-pages.cassandra.ts';
import { CommentTables, type Change, type FoundRow } from './cassandra/comment-tables.cassandra.ts';
import { Minutes } from './cassandra/minutes.cassandra.ts';
import { ModerationTables } from './cassandra/moderation.cassandra.ts';
import { ReactionTables } from './cassandra/reactions.cassandra.ts';
import { lookBackMs, SeenChanges } from './cassandra/seen-changes.ts';
import { Stamps } from './cassandra/stamps.ts';
import { ThreadTables } from './cassandra/threads.cassandra.ts';
import type { Added, AuditRow, CommentBody, Hiding, Place, StoredComment } from './comment-store.ts';
import {
  mostErasedStreams,
  type ActedOn,
  type Ban,
  type ListedState,
  type Report,
} from './moderation-store.ts';
import type { ReactionMinute } from './reaction-store.ts';
import type { ThreadQuery } from './thread-store.ts';

/** A hide of a comment that is not here yet is kept that long (A12). */
const keptAheadSeconds = 600;
const erasedAtOnce = 32;
const ModeRow = z.object({ mode: z.string() });

export interface CassandraStore extends AudienceStore {
  /**
   * Counts the sets of likes anew, and keeps what it finds: counts are behind where another data centre was cut off (A4).
   *
   * @throws TangazaError `UNAVAILABLE`, `OVERLOADED`
   */
  recountLikes(ids: readonly CommentId[]): Promise<ReadonlyMap<CommentId, number>>;
}

/** @param database is its opener's to close, after the store */
export function openCassandraCommentStore(database: Database, clock: Pick<Clock, 'utcMs'>): CassandraStore {
  return new CassandraAudienceStore(database, clock);
}

class CassandraAudienceStore implements CassandraStore {
  readonly #database: Database;
  readonly #clock: Pick<Clock, 'utcMs'>;
  readonly #minutes: Minutes;
  readonly #tables: CommentTables;
  readonly #pages: CommentPages;
  readonly #threads: ThreadTables;
  readonly #moderation: ModerationTables;
  readonly #reactions: ReactionTables;
  readonly #stamps = new Stamps();
  readonly #seen = new SeenChanges();
  /** Those of one id are added one after the other, so that of two with other texts one is refused. */
  readonly #adding = new Map<CommentId, Promise<unknown>>();
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(database: Database, clock: Pick<Clock, 'utcMs'>) {
    this.#database = database;
    this.#clock = clock;
    this.#minutes = new Minutes(database);
    this.#tables = new CommentTables(database, this.#minutes);
    this.#pages = new CommentPages(database, this.#minutes);
    this.#threads = new ThreadTables(database, () => this.#stamps.next(clock.utcMs()));
    this.#moderation = new ModerationTables(database, this.#tables);
    this.#reactions = new ReactionTables(database);
  }

  add(body: CommentBody, state: { readonly isHeld: boolean; readonly nowMs: number }) {
    return this.#call(async () => {
      const before = this.#adding.get(body.id) ?? Promise.resolve();
      const adding = before.then(() => this.#add(body, state));
      const settled = adding.catch(() => {});
      this.#adding.set(body.id, settled);
      try {
        return await adding;
      } finally {
        if (this.#adding.get(body.id) === settled) this.#adding.delete(body.id);
      }
    });
  }

  get(id: CommentId) {
    return this.#call(async () => (await this.#tables.find(id)).comment);
  }

  newest(stream: StreamId, limit: number, before?: Place) {
    return this.#call(() => this.#pages.newest(stream, limit, before));
  }

  following(stream: StreamId, limit: number, after: Place) {
    return this.#call(() => this.#pages.following(stream, limit, after));
  }

  arrivedSince(stream: StreamId, sinceMs: number, limit: number) {
    return this.#call(async () => {
      const nowMs = this.#clock.utcMs();
      const readers = { tables: this.#tables, pages: this.#pages, minutes: this.#minutes };
      const asked = { stream, fromMs: sinceMs - lookBackMs, sinceMs, nowMs, limit };
      const chosen = this.#seen.choose(stream, await changedSince(readers, asked), { sinceMs, limit });
      for (const { changedAtMs } of chosen) this.#stamps.saw(changedAtMs, nowMs);
      return chosen;
    });
  }

  setHidden(id: CommentId, hiding: Hiding | undefined, nowMs: number) {
    return this.#call(async () => {
      const { comment } = await this.#tables.find(id);
      const timestampUs = actAt(hiding?.atMs ?? nowMs, hiding !== undefined);
      const hidden = { value: hidingCell(hiding, nowMs), timestampUs };
      const both = hiding === undefined ? { hidden, withdrawn: hidden } : { hidden };
      if (comment !== undefined) return this.#change(comment, both);
      const ahead = { hidden: { ...hidden, ttlSeconds: keptAheadSeconds } };
      await this.#tables.change(id, undefined, ahead, this.#stamps.next(this.#clock.utcMs()));
      const found = await this.#tables.find(id);
      // It may have come between the two reads.
      return found.comment === undefined ? undefined : this.#change(found.comment, both);
    });
  }

  withdraw(id: CommentId, hiding: Hiding | undefined, nowMs: number) {
    return this.#call(async () => {
      const { comment } = await this.#tables.find(id);
      const timestampUs = actAt(hiding?.atMs ?? nowMs, hiding !== undefined);
      const withdrawn = { value: hidingCell(hiding, nowMs), timestampUs };
      return comment === undefined ? undefined : this.#change(comment, { withdrawn });
    });
  }

  mode(stream: StreamId) {
    return this.#call(async () => {
      const [row] = await this.#database.run('SELECT mode FROM comment_modes WHERE stream = ?', [stream]);
      return row === undefined ? undefined : CommentMode.parse(JSON.parse(ModeRow.parse(row).mode));
    });
  }

  async setMode(stream: StreamId, mode: CommentMode, nowMs: number) {
    const query = 'UPDATE comment_modes USING TIMESTAMP ? SET mode = ? WHERE stream = ?';
    await this.#call(() => this.#database.run(query, [actAt(nowMs, false), JSON.stringify(mode), stream]));
  }

  audit(row: AuditRow) {
    return this.#call(() => this.#moderation.audit(row));
  }

  thread(query: ThreadQuery) {
    return this.#call(() => this.#threads.thread(query));
  }

  replies(ids: readonly CommentId[]) {
    return this.#call(() => this.#threads.replies(ids));
  }

  like(comment: CommentId, user: UserId, on: boolean, atMs: number) {
    return this.#call(() => this.#threads.like(comment, user, on, atMs));
  }

  likes(ids: readonly CommentId[]) {
    return this.#call(() => this.#threads.likes(ids));
  }

  recountLikes(ids: readonly CommentId[]) {
    return this.#call(() => this.#threads.recountLikes(ids));
  }

  likedBy(user: UserId, stream: StreamId, ids: readonly CommentId[]) {
    return this.#call(() => this.#threads.likedBy(user, stream, ids));
  }

  lastActMs(on: ActedOn) {
    return this.#call(() => this.#moderation.lastActMs(on));
  }

  ban(ban: Ban) {
    return this.#call(() => this.#moderation.ban(ban));
  }

  unban(user: UserId, stream: StreamId | undefined, nowMs: number) {
    return this.#call(() => this.#moderation.unban(user, stream, nowMs));
  }

  banOf(user: UserId, stream: StreamId, nowMs: number) {
    return this.#call(() => this.#moderation.banOf(user, stream, nowMs));
  }

  bans(stream: StreamId | undefined, nowMs: number, limit: number, after?: UserId) {
    return this.#call(() => this.#moderation.bans(stream, nowMs, limit, after));
  }

  report(report: Report, heldFrom: number) {
    return this.#call(async () => {
      const { comment, releasedAtMs } = await this.#tables.find(report.commentId);
      if (comment === undefined) return undefined;
      const reports = await this.#moderation.report(report, releasedAtMs);
      const holds = !comment.isHeld && reports >= heldFrom;
      if (reports === (comment.reports ?? 0) && !holds) return comment;
      // A report never writes that it is not held, or what it read: another one may hold it, or a moderator release it, at the same time.
      return this.#change(comment, holds ? { reports, held: true } : { reports });
    });
  }

  release(id: CommentId, nowMs: number) {
    return this.#call(async () => {
      const found = await this.#tables.find(id);
      if (found.comment === undefined) return undefined;
      const releasedAtMs = Math.max(nowMs, found.releasedAtMs);
      const reports = await this.#moderation.reportsSince(id, releasedAtMs);
      return this.#change(found.comment, { held: false, reports, released_at: releasedAtMs });
    });
  }

  listed(stream: StreamId, state: ListedState, limit: number, before?: Place) {
    return this.#call(() => this.#moderation.listed(stream, state, limit, before));
  }

  audited(stream: StreamId, limit: number, before?: AuditRow) {
    return this.#call(() => this.#moderation.audited(stream, limit, before));
  }

  latestOf(author: UserId, stream: StreamId, sinceMs: number, limit: number) {
    return this.#call(() => this.#moderation.latestOf(author, stream, sinceMs, limit));
  }

  eraseUser(user: UserId, nowMs: number) {
    return this.#call(async () => {
      const erased = new Set<CommentId>();
      const toMs = nowMs + clockWindow.afterMs;
      const eraseIn = (one: LoneDatabase) => this.#eraseIn(one, { user, toMs, erased });
      const done = await Promise.allSettled(this.#database.dataCentres.map(eraseIn));
      mustBeEverywhere(this.#database.dataCentres, done);
      const streams = new Set([...erased].map((id) => placeOfComment(id).streamId));
      return { comments: erased.size, streams: [...streams].slice(0, mostErasedStreams) };
    });
  }

  /**
   * In each data centre by itself: what one of them took while it was cut off is in no other one yet. First what is to come is noted, then
   * what is there is emptied: an `add` looks in the other order, so none slips through.
   */
  async #eraseIn(
    database: LoneDatabase,
    { user, toMs, erased }: { readonly user: UserId; readonly toMs: number; readonly erased: Set<CommentId> },
  ): Promise<void> {
    const tables = new CommentTables(database, new Minutes(database));
    const moderation = new ModerationTables(database, tables);
    await moderation.noteErased(user, toMs);
    for await (const ids of moderation.written(user, 0, toMs))
      for (let first = 0; first < ids.length; first += erasedAtOnce) {
        const comments = await tables.findAll(ids.slice(first, first + erasedAtOnce));
        const left = comments.filter(({ isErased }) => isErased !== true);
        await Promise.all(left.map((comment) => this.#erase(comment, tables)));
        for (const { id } of left) erased.add(id);
      }
  }

  keepReactions(stream: StreamId, source: string, minute: ReactionMinute) {
    return this.#call(() => this.#reactions.keepReactions(stream, source, minute));
  }

  reactions(stream: StreamId, fromMs: number, toMs: number) {
    return this.#call(() => this.#reactions.reactions(stream, fromMs, toMs));
  }

  /** What is under way is finished. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#underWay].map((one) => one.catch(() => {})));
  }

  async #add(
    body: CommentBody,
    { isHeld, nowMs }: { readonly isHeld: boolean; readonly nowMs: number },
  ): Promise<Added> {
    const before = await this.#tables.find(body.id);
    if (before.comment !== undefined) {
      await this.#tables.enterMinute(body.id);
      return { comment: mustBeSame(before.comment, body), isNew: false };
    }
    const arrivedAtMs = this.#stamps.next(this.#clock.utcMs());
    const keptIn = await this.#tables.insert(body, { arrivedAtMs, isHeld });
    const [found, isErased] = await Promise.all([
      this.#tables.find(body.id),
      this.#moderation.isErased(body),
    ]);
    const shown = found.endsByItself ? await this.#takeAhead(found, nowMs) : found.comment;
    const comment = isErased && shown !== undefined ? await this.#erase(shown) : shown;
    if (comment === undefined)
      throw new TangazaError('UNAVAILABLE', 'The database does not show yet what was written: try again.');
    // Another node may have written another text under its id since.
    return { comment: mustBeSame(comment, body), isNew: true, keptIn };
  }

  /** What was said of a comment before it came counts for good, or no more. */
  async #takeAhead({ comment }: FoundRow, nowMs: number): Promise<StoredComment | undefined> {
    if (comment === undefined) return undefined;
    const { hidden: hiding } = comment;
    const atMs = hiding?.atMs ?? nowMs;
    const isInTime = hiding !== undefined && atMs > nowMs - keptAheadSeconds * 1000;
    // Behind the act itself, and before any act of a millisecond later.
    const timestampUs = actAt(atMs, true) + 1;
    return this.#change(comment, {
      hidden: { value: hidingCell(isInTime ? hiding : undefined, atMs), timestampUs },
    });
  }

  #erase(comment: StoredComment, tables = this.#tables): Promise<StoredComment | undefined> {
    const author = { ...comment.author, name: '' };
    const body = bodyCell({ ...comment, author, text: '', isErased: true });
    return this.#change(comment, { body }, tables);
  }

  async #change(
    comment: StoredComment,
    change: Change,
    tables = this.#tables,
  ): Promise<StoredComment | undefined> {
    const nowMs = this.#clock.utcMs();
    this.#stamps.saw(comment.changedAtMs, nowMs);
    await tables.change(comment.id, comment, change, this.#stamps.next(nowMs));
    const { comment: changed } = await tables.find(comment.id);
    if (changed !== undefined) await tables.enter(changed);
    return changed;
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new TangazaError('UNAVAILABLE', "The comments' database is closed.");
    const working = work();
    this.#underWay.add(working);
    try {
      return await working;
    } finally {
      this.#underWay.delete(working);
    }
  }
}

/** @throws TangazaError `UNAVAILABLE` that names the data centres in which an erasure is not complete, and says what to do */
function mustBeEverywhere(all: readonly LoneDatabase[], done: readonly PromiseSettledResult<void>[]): void {
  const failed = done.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  const strange = failed.find((reason) => !['UNAVAILABLE', 'OVERLOADED'].includes(errorCodeOf(reason)));
  if (strange !== undefined) throw strange;
  const away = all.filter((_, index) => done[index]?.status === 'rejected').map(({ name }) => name);
  if (away.length > 0)
    throw new TangazaError(
      'UNAVAILABLE',
      `Not all is erased: ${away.join(', ')} of the database did not answer. Erase the user again when it does.`,
      { cause: failed[0] },
    );
}

/** A retry is the same comment. Another text under its id is none (A2). Of an erased one nobody knows the text any more. */
function mustBeSame(there: StoredComment, body: CommentBody): StoredComment {
  const isSame =
    there.text === body.text && there.parentId === body.parentId && there.mediaTime === body.mediaTime;
  if (isSame || there.isErased === true) return there;
  throw new TangazaError(
    'CONFLICT',
    'There is another comment with this clientId: make a new clientId for each comment.',
  );
}
