/** How the comments of one region come to another one, where each region has a database of its own (A14): what changed, row by row. */
import { z } from 'zod';
import { CommentMode } from '../api/audience-views.ts';
import { CommentId, StreamId, UserId } from '../../model/ids.ts';
import { ChangedEvent, changesCall } from './changes.ts';
import type { RegionEvent } from './crossing.ts';

const timeMs = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER);
/** A cell as the database has it, as JSON. */
const cell = z.string().max(20_000);
const by = z.union([z.literal('operator'), UserId]);
const reason = z.string().max(2000).nullable();
/** '': of all streams. */
const streamOrAll = z.union([StreamId, z.literal('')]);

/** A value of which the later one stays. */
const versioned = z.object({ cell: cell.nullable(), atMs: timeMs });

const CommentState = z.object({
  kind: z.literal('comment'),
  id: CommentId,
  streamId: StreamId,
  authorId: UserId,
  createdAtMs: timeMs,
  /** All that its author sent. */
  body: cell,
  isErased: z.boolean(),
  isHeld: z.boolean(),
  releasedAtMs: timeMs.nullable(),
  /** What moderators said of it, and what its author did. */
  hiding: versioned.nullable(),
  withdrawal: versioned.nullable(),
});
export type CommentState = z.infer<typeof CommentState>;

export const CommentChange = z.discriminatedUnion('kind', [
  CommentState,
  z.object({
    kind: z.literal('like'),
    commentId: CommentId,
    userId: UserId,
    isOn: z.boolean(),
    atMs: timeMs,
  }),
  z.object({
    kind: z.literal('ban'),
    streamId: streamOrAll,
    userId: UserId,
    isOn: z.boolean(),
    by: by.nullable(),
    atMs: timeMs,
    untilMs: timeMs.nullable(),
    reason,
  }),
  // The API refuses a word that it does not know, as a moderator would think that it has an effect. What crosses is borne.
  z.object({
    kind: z.literal('mode'),
    streamId: StreamId,
    mode: z.object(CommentMode.shape),
    atMs: timeMs,
  }),
  z.object({
    kind: z.literal('audit'),
    streamId: StreamId,
    atMs: timeMs,
    by,
    act: z.string().max(100),
    on: z.string().max(500),
    reason,
  }),
  z.object({
    kind: z.literal('report'),
    commentId: CommentId,
    userId: UserId,
    voice: z.string().max(200).nullable(),
    atMs: timeMs,
    reason,
  }),
  /** All that the user wrote until then is to be emptied. */
  z.object({ kind: z.literal('erased'), userId: UserId, atMs: timeMs }),
  z.object({
    kind: z.literal('reactions'),
    streamId: StreamId,
    minuteMs: timeMs,
    reaction: z.string().max(50),
    source: z.string().max(200),
    count: z.number().int().nonnegative(),
  }),
]);
export type CommentChange = z.infer<typeof CommentChange>;

export const commentChanges = changesCall('comment-changes', CommentChange, 100);

export const commentsChanged: RegionEvent<ChangedEvent> = {
  name: 'comments-changed',
  event: ChangedEvent,
  maxBytes: 500,
  perSecond: 500,
};
