/** How a comment lies in its rows on Cassandra: keys, one cell with all that its author sent, and its state (A3). */
import { z } from 'zod';
import type { StreamId } from '../../../../cluster/model/ids.ts';
import { ClientId, CommentId, RegionId, UserId } from '../../../../cluster/model/ids.ts';
import { placeOfComment } from '../../ids/comment-id.ts';
import type { CommentBody, Hiding, StoredComment } from '../comment-store.ts';

const minuteMs = 60_000;
const minutesOfDay = 1440;
const usInMs = 1000;

/** A column of the type `int` holds no later one: all that anybody makes up beyond it is in this one. */
const lastMinute = 2 ** 31 - 1;
export const minuteOf = (ms: number): number => Math.min(Math.floor(ms / minuteMs), lastMinute);
export const startOf = (minute: number): number => minute * minuteMs;
export const dayOf = (minute: number): number => Math.floor(minute / minutesOfDay);

/** An id without its stream, which is in the key of its partition. */
export const localOf = (id: CommentId): string => id.slice(id.indexOf('~') + 1);
export const idOf = (stream: StreamId, local: string): CommentId => CommentId.parse(`${stream}~${local}`);

/** By its id alone a comment is found: the id holds its time (A2). */
export interface CommentKey {
  readonly stream: StreamId;
  readonly minute: number;
  readonly createdAt: Date;
  readonly local: string;
}

export function keyOf(id: CommentId): CommentKey {
  const { streamId: stream, createdAtMs } = placeOfComment(id);
  return { stream, minute: minuteOf(createdAtMs), createdAt: new Date(createdAtMs), local: localOf(id) };
}

/**
 * The timestamp of what an author sent, in us. It follows from the comment, not from the moment of the write: a retry writes the same
 * once more, and what a moderator did since stays.
 */
export const sentAt = (createdAtMs: number): number => createdAtMs * usInMs;

/** The timestamp of an act. Of two of one millisecond a hide wins over showing again. */
export const actAt = (atMs: number, isHide: boolean): number => Math.round(atMs) * usInMs + (isHide ? 1 : 0);

const Body = z.object({
  authorId: UserId,
  name: z.string(),
  isStaff: z.boolean().optional(),
  clientId: ClientId,
  text: z.string(),
  mediaTime: z.number().optional(),
  parentId: CommentId.optional(),
  rootId: CommentId.optional(),
  path: z.array(CommentId),
  region: RegionId,
  isErased: z.boolean().optional(),
});

export function bodyCell(body: CommentBody & { readonly isErased?: boolean | undefined }): string {
  const { author, clientId, text, mediaTime, parentId, rootId, path, region, isErased } = body;
  const { id: authorId, name, isStaff } = author;
  const cell = {
    authorId,
    name,
    isStaff,
    clientId,
    text,
    mediaTime,
    parentId,
    rootId,
    path,
    region,
    isErased,
  };
  return JSON.stringify(cell);
}

/** It is written where a comment is shown again as well: of two writes the later wins, and a null would be no write. */
const HidingCell = z.union([
  z.object({ by: z.union([z.literal('operator'), UserId]), atMs: z.number(), reason: z.string().optional() }),
  z.object({ shownAtMs: z.number() }),
]);

export const hidingCell = (hiding: Hiding | undefined, nowMs: number): string =>
  JSON.stringify((hiding ?? { shownAtMs: nowMs }) satisfies z.input<typeof HidingCell>);

export function hidingOf(cell: string | null): Hiding | undefined {
  if (cell === null) return undefined;
  const hiding = HidingCell.parse(JSON.parse(cell));
  return 'by' in hiding ? hiding : undefined;
}

/** When it was hidden or shown again; -1 where nobody did. */
export function actMsOf(cell: string | null): number {
  if (cell === null) return -1;
  const hiding = HidingCell.parse(JSON.parse(cell));
  return 'by' in hiding ? hiding.atMs : hiding.shownAtMs;
}

/** The columns of a row beside those of its partition. */
export const columns =
  'created_at, id, body, arrived_at, held, hidden, withdrawn, changed_at, reports, released_at';

export const CommentRow = z.object({
  created_at: z.date(),
  id: z.string(),
  /** Null in a row that was hidden before it came. */
  body: z.string().nullable(),
  arrived_at: z.number().nullable(),
  held: z.boolean().nullable(),
  hidden: z.string().nullable(),
  /** By its author. */
  withdrawn: z.string().nullable(),
  changed_at: z.number().nullable(),
  reports: z.number().nullable(),
  /** When a moderator released it last, in ms. */
  released_at: z.number().nullable(),
});
export type CommentRow = z.infer<typeof CommentRow>;

/** @returns undefined for a row without a body: its comment has not come */
export function commentOf(stream: StreamId, row: CommentRow): StoredComment | undefined {
  if (row.body === null) return undefined;
  const { authorId, name, isStaff, isErased, ...body } = Body.parse(JSON.parse(row.body));
  const createdAtMs = row.created_at.getTime();
  const arrivedAtMs = row.arrived_at ?? createdAtMs;
  return {
    id: idOf(stream, row.id),
    streamId: stream,
    createdAtMs,
    arrivedAtMs,
    ...body,
    author: { id: authorId, name, isStaff },
    changedAtMs: row.changed_at ?? arrivedAtMs,
    hidden: hidingOf(row.hidden) ?? hidingOf(row.withdrawn),
    moderatedAtMs: row.hidden === null ? undefined : actMsOf(row.hidden),
    isHeld: row.held === true,
    reports: row.reports === null || row.reports === 0 ? undefined : row.reports,
    isErased: isErased === true ? true : undefined,
  };
}

/** Where it stands in its thread: its level, and the ids of its path and its own. */
export interface ThreadKey {
  readonly root: string;
  readonly depth: number;
  readonly path: string;
}

/** @returns undefined for a comment that answers none */
export function threadKeyOf(comment: Pick<CommentBody, 'id' | 'rootId' | 'path'>): ThreadKey | undefined {
  const { rootId, path } = comment;
  if (rootId === undefined) return undefined;
  return { root: localOf(rootId), depth: path.length, path: threadPathOf(comment) };
}

/** Within a level it sorts as the paths do, and then the ids. */
export const threadPathOf = ({ id, path }: Pick<CommentBody, 'id' | 'path'>): string =>
  [...path, id].map(localOf).join('');
