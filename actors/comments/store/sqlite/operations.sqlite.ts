/** All calls of the audience's database, and the tables that each goes to. */
import type { Operations } from './calls.ts';
import { ChangeTables } from './change-tables.sqlite.ts';
import { CommentRows } from './comment-rows.sqlite.ts';
import { CommentTables } from './comment-tables.sqlite.ts';
import type { CommentDatabase } from './database.sqlite.ts';
import { ModerationTables } from './moderation-tables.sqlite.ts';
import { ReactionTables } from './reaction-tables.sqlite.ts';
import { TakenTables } from './taken-changes.sqlite.ts';
import { ThreadTables } from './thread-tables.sqlite.ts';

export function operationsOn(database: CommentDatabase): Operations {
  const rows = new CommentRows(database);
  const comments = new CommentTables(database, rows);
  const threads = new ThreadTables(database, rows);
  const moderation = new ModerationTables(database, rows);
  const reactions = new ReactionTables(database);
  const changes = new ChangeTables(database);
  const taken = new TakenTables({ database, rows, comments, threads, moderation, changes });
  return {
    add: (...args) => comments.add(...args),
    get: (...args) => comments.get(...args),
    newest: (...args) => comments.newest(...args),
    following: (...args) => comments.following(...args),
    arrivedSince: (...args) => comments.arrivedSince(...args),
    setHidden: (...args) => comments.setHidden(...args),
    withdraw: (...args) => comments.withdraw(...args),
    mode: (...args) => comments.mode(...args),
    setMode: (...args) => comments.setMode(...args),
    audit: (...args) => comments.audit(...args),
    thread: (...args) => threads.thread(...args),
    replies: (...args) => threads.replies(...args),
    like: (...args) => threads.like(...args),
    likes: (...args) => threads.likes(...args),
    likedBy: (...args) => threads.likedBy(...args),
    lastActMs: (...args) => moderation.lastActMs(...args),
    ban: (...args) => moderation.ban(...args),
    unban: (...args) => moderation.unban(...args),
    banOf: (...args) => moderation.banOf(...args),
    bans: (...args) => moderation.bans(...args),
    report: (...args) => moderation.report(...args),
    release: (...args) => moderation.release(...args),
    listed: (...args) => moderation.listed(...args),
    audited: (...args) => moderation.audited(...args),
    latestOf: (...args) => moderation.latestOf(...args),
    eraseSome: (...args) => moderation.eraseSome(...args),
    keepReactions: (...args) => reactions.keepReactions(...args),
    reactions: (...args) => reactions.reactions(...args),
    changes: (...args) => changes.changes(...args),
    noteTaken: (...args) => changes.noteTaken(...args),
    cursor: (...args) => changes.cursor(...args),
    numberSome: () => changes.numberSome(),
    unerased: (...args) => taken.unerased(...args),
    takeChanges: (...args) => taken.take(...args),
    wholeTo: (...args) => changes.wholeTo(...args),
    takenBy: (...args) => changes.takenBy(...args),
    lastChange: () => changes.lastChange(),
    behind: (...args) => changes.behind(...args),
  };
}
