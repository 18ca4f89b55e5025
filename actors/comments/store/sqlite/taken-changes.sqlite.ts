/**
 * Takes into the region's file what has changed in another region's (A14). Of each row the same comes out in all regions, in whatever order and
 * however often changes come: what only grows grows, of two acts the later one stays, and of two at once always the same one.
 */
import type { Changes } from '../../../../cluster/contract/regions/changes.ts';
import type { CommentChange, CommentState } from '../../../../cluster/contract/regions/comments.ts';
import type { CommentId, RegionId, StreamId } from '../../../../cluster/model/ids.ts';
import { reportsThatHold } from '../moderation-store.ts';
import type { ErasedUser, TakenChanges } from '../change-store.ts';
import type { StoredComment } from '../comment-store.ts';
import type { ChangeTables } from './change-tables.sqlite.ts';
import { mergedComment, type CommentCells } from '../../regions/merged-comment.ts';
import type { CommentRows } from './comment-rows.sqlite.ts';
import type { CommentTables } from './comment-tables.sqlite.ts';
import type { CommentDatabase } from './database.sqlite.ts';
import { isOwnFault } from './faults.sqlite.ts';
import type { ModerationTables } from './moderation-tables.sqlite.ts';
import { commentCells, commentOf } from './rows.sqlite.ts';
import type { ThreadTables } from './thread-tables.sqlite.ts';

interface Tables {
  readonly database: CommentDatabase;
  readonly rows: CommentRows;
  readonly comments: CommentTables;
  readonly threads: ThreadTables;
  readonly moderation: ModerationTables;
  readonly changes: ChangeTables;
}

type Of<Kind extends CommentChange['kind']> = Extract<CommentChange, { kind: Kind }>;

class News {
  readonly added = new Map<CommentId, StoredComment>();
  readonly changed = new Map<CommentId, StoredComment>();
  readonly liked = new Set<CommentId>();
  readonly banned = new Set<StreamId | ''>();
  readonly modes = new Set<StreamId>();
  refused = 0;

  tell(): TakenChanges {
    return {
      added: [...this.added.values()],
      changed: [...this.changed.values()].filter(({ id }) => !this.added.has(id)),
      liked: [...this.liked],
      banned: [...this.banned],
      modes: [...this.modes],
      refused: this.refused,
    };
  }
}

export class TakenTables {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  unerased(users: readonly ErasedUser[]): readonly ErasedUser[] {
    const { database } = this.#tables;
    return users.filter(({ userId, atMs }) => {
      const row = database.one('SELECT atMs FROM erasedUsers WHERE userId = ?', userId);
      if (Number(row?.['atMs'] ?? -1) < atMs) return true;
      // The mark comes first: an erasure that was interrupted has it, and is not done.
      const left = 'SELECT 1 FROM comments WHERE authorId = ? AND isErased = 0 AND createdAtMs <= ? LIMIT 1';
      return database.one(left, userId, atMs) !== undefined;
    });
  }

  /** A change that cannot be read costs itself alone. */
  take(
    region: RegionId,
    answer: Changes<CommentChange>,
    { nowMs, askedAtMs }: { readonly nowMs: number; readonly askedAtMs: number },
  ): TakenChanges {
    const { database, changes } = this.#tables;
    const news = new News();
    for (const change of answer.changes)
      try {
        database.part(() => this.#takeOne(change, news, nowMs));
      } catch (error) {
        if (!isOwnFault(error)) throw error;
        news.refused += 1;
      }
    changes.taken(region, answer, askedAtMs);
    return news.tell();
  }

  #takeOne(change: CommentChange, news: News, nowMs: number): void {
    switch (change.kind) {
      case 'comment':
        return this.#takeComment(change, news, nowMs);
      case 'like':
        return this.#takeLike(change, news);
      case 'ban':
        return this.#takeBan(change, news);
      case 'mode':
        return this.#takeMode(change, news);
      case 'audit':
        return this.#takeAudit(change);
      case 'report':
        return this.#takeReport(change, news, nowMs);
      case 'erased':
        return this.#takeErased(change);
      case 'reactions':
        return this.#takeReactions(change);
      default:
        return change satisfies never;
    }
  }

  #takeComment(change: CommentState, news: News, nowMs: number): void {
    const { rows, comments, moderation } = this.#tables;
    const isNew = rows.get(change.id) === undefined;
    if (isNew) comments.add(commentOf(rawRow(change)), { isHeld: false, nowMs });
    const after = this.#merge(change, nowMs);
    const recounted = moderation.recountReports(change.id, reportsThatHold, nowMs);
    const now = recounted ?? after;
    if (isNew) news.added.set(change.id, now ?? rows.mustGet(change.id));
    else if (now !== undefined) news.changed.set(change.id, now);
  }

  /** @returns the row, if that changed it */
  #merge(change: CommentState, nowMs: number): StoredComment | undefined {
    const { database, rows } = this.#tables;
    const there = commentCells(database.one('SELECT * FROM comments WHERE id = ?', change.id));
    const { body, ...merged } = mergedComment(there, cellsOf(change));
    const after =
      body === there.body ? undefined : rows.replace(commentOf(rawRow({ ...change, body })), body, nowMs);
    const sets = Object.entries(merged).filter(([name, value]) => Reflect.get(there, name) !== value);
    if (sets.length === 0) return after;
    const names = sets.map(([name]) => `${name} = ?`).join(', ');
    return rows.change(
      change.id,
      names,
      sets.map(([, value]) => value),
      nowMs,
    );
  }

  #takeLike({ commentId, userId, isOn, atMs }: Of<'like'>, news: News): void {
    const { database, threads } = this.#tables;
    const there = database.one(
      'SELECT isOn, atMs FROM likes WHERE commentId = ? AND userId = ?',
      commentId,
      userId,
    );
    // Of two at once, the one that takes out (A4).
    const isOther = there === undefined || there['atMs'] !== atMs || (there['isOn'] === 1 && !isOn);
    if (!isOther) return;
    threads.like(commentId, userId, isOn, atMs);
    news.liked.add(commentId);
  }

  #takeBan({ streamId, userId, isOn, by, atMs, untilMs, reason }: Of<'ban'>, news: News): void {
    const { database } = this.#tables;
    const there = database.one('SELECT * FROM bans WHERE streamId = ? AND userId = ?', streamId, userId);
    const cells = [Number(isOn), by, untilMs, reason];
    const before = there && [there['isOn'], there['byId'], there['untilMs'], there['reason']];
    if (there !== undefined && !isLater([atMs, cells], [Number(there['atMs']), before])) return;
    database.run(
      'INSERT OR REPLACE INTO bans (streamId, userId, isOn, byId, untilMs, reason, atMs) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[streamId, userId, ...cells, atMs],
    );
    news.banned.add(streamId);
  }

  #takeMode({ streamId, mode, atMs }: Of<'mode'>, news: News): void {
    const { database } = this.#tables;
    const there = database.one('SELECT mode, slowSeconds, atMs FROM modes WHERE streamId = ?', streamId);
    const cells = [mode.mode, mode.slowSeconds];
    const before = there && [there['mode'], there['slowSeconds']];
    if (there !== undefined && !isLater([atMs, cells], [Number(there['atMs']), before])) return;
    database.run(
      'INSERT OR REPLACE INTO modes (streamId, mode, slowSeconds, atMs) VALUES (?, ?, ?, ?)',
      ...[streamId, ...cells, atMs],
    );
    news.modes.add(streamId);
  }

  #takeAudit({ streamId, atMs, by, act, on, reason }: Of<'audit'>): void {
    this.#tables.comments.audit({ streamId, atMs, by, act, on, reason: reason ?? undefined });
  }

  #takeReport({ commentId, userId, voice, atMs, reason }: Of<'report'>, news: News, nowMs: number): void {
    const { database, moderation, rows } = this.#tables;
    const there = database.one(
      'SELECT voice, atMs, reason FROM reports WHERE commentId = ? AND userId = ?',
      ...[commentId, userId],
    );
    const before = there && [there['voice'], there['reason']];
    if (there !== undefined && !isLater([atMs, [voice, reason]], [Number(there['atMs']), before])) return;
    database.run(
      'INSERT OR REPLACE INTO reports (commentId, userId, voice, atMs, reason) VALUES (?, ?, ?, ?, ?)',
      ...[commentId, userId, voice, atMs, reason],
    );
    if (rows.get(commentId) === undefined) return;
    const comment = moderation.recountReports(commentId, reportsThatHold, nowMs);
    if (comment !== undefined) news.changed.set(commentId, comment);
  }

  /** What is here of the user was emptied before; here it is written down, for what comes later. */
  #takeErased({ userId, atMs }: Of<'erased'>): void {
    this.#tables.database.run(
      `INSERT INTO erasedUsers (userId, atMs) VALUES (?, ?) ON CONFLICT DO UPDATE SET atMs = excluded.atMs WHERE atMs < excluded.atMs`,
      ...[userId, atMs],
    );
  }

  #takeReactions({ streamId, minuteMs, reaction, source, count }: Of<'reactions'>): void {
    this.#tables.database.run(
      `INSERT INTO reactionCounts (streamId, minuteMs, kind, source, count) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET count = excluded.count WHERE count < excluded.count`,
      ...[streamId, minuteMs, reaction, source, count],
    );
  }
}

/** The later act, and of two at once the one whose text is the higher: the same one everywhere. */
function isLater(
  [atMs, cells]: readonly [number, unknown],
  [beforeMs, before]: readonly [number, unknown],
): boolean {
  return atMs > beforeMs || (atMs === beforeMs && JSON.stringify(cells) > JSON.stringify(before));
}

function cellsOf({ body, isErased, isHeld, releasedAtMs, hiding, withdrawal }: CommentState): CommentCells {
  return {
    body,
    isErased: Number(isErased),
    isHeld: Number(isHeld),
    releasedAtMs,
    hiding: hiding?.cell ?? null,
    hidingAtMs: hiding?.atMs ?? null,
    withdrawal: withdrawal?.cell ?? null,
    withdrawalAtMs: withdrawal?.atMs ?? null,
  };
}

/** As a row without a state would be. */
const rawRow = ({ id, streamId, createdAtMs, authorId, body }: CommentState) => ({
  id,
  streamId,
  createdAtMs,
  authorId,
  body,
  arrivedAtUs: 0,
  changedAtUs: 0,
  isHeld: 0,
  hiding: null,
  withdrawal: null,
  reports: 0,
  isErased: 0,
});
