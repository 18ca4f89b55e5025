/** How a comment lies in its row: keys, one cell with all that its author sent, and its state (A3). */
import { z } from 'zod';
import { ClientId, CommentId, RegionId, StreamId, UserId } from '../../../../cluster/model/ids.ts';
import type { CommentBody, Hiding, StoredComment } from '../comment-store.ts';
import type { Row } from './database.sqlite.ts';
import type { CommentCells } from '../../regions/merged-comment.ts';

const usInMs = 1000;

const Body = z.object({
  name: z.string(),
  isStaff: z.boolean().optional(),
  clientId: ClientId,
  text: z.string(),
  mediaTime: z.number().optional(),
  parentId: CommentId.optional(),
  rootId: CommentId.optional(),
  path: z.array(CommentId),
  region: RegionId,
});

const HidingCell = z.object({
  by: z.union([z.literal('operator'), UserId]),
  atMs: z.number(),
  reason: z.string().optional(),
});

const CommentRow = z.object({
  id: CommentId,
  streamId: StreamId,
  createdAtMs: z.number(),
  authorId: UserId,
  body: z.string(),
  arrivedAtUs: z.number(),
  changedAtUs: z.number(),
  isHeld: z.number(),
  hiding: z.string().nullable(),
  hidingAtMs: z.number().nullish(),
  /** By its author. */
  withdrawal: z.string().nullable(),
  reports: z.number(),
  isErased: z.number(),
});

const Cells = z.object({
  body: z.string(),
  isErased: z.number(),
  isHeld: z.number(),
  releasedAtMs: z.number().nullable(),
  hiding: z.string().nullable(),
  hidingAtMs: z.number().nullable(),
  withdrawal: z.string().nullable(),
  withdrawalAtMs: z.number().nullable(),
});

/** What other regions have to know of a row beside its keys. */
export const commentCells = (row: Row | undefined): CommentCells => Cells.parse({ ...row });

export function bodyCell({ author, clientId, text, mediaTime, parentId, rootId, path, region }: CommentBody) {
  const { name, isStaff } = author;
  return JSON.stringify({ name, isStaff, clientId, text, mediaTime, parentId, rootId, path, region });
}

export function hidingCell(hiding: Hiding | undefined): string | null {
  return hiding === undefined ? null : JSON.stringify(hiding);
}

export function commentOf(raw: Row): StoredComment {
  const row = CommentRow.parse(raw);
  const { name, isStaff, ...body } = Body.parse(JSON.parse(row.body));
  const { id, streamId, createdAtMs } = row;
  return {
    id,
    streamId,
    createdAtMs,
    ...body,
    author: { id: row.authorId, name, isStaff },
    arrivedAtMs: row.arrivedAtUs / usInMs,
    changedAtMs: row.changedAtUs / usInMs,
    hidden: hidingOf(row.hiding ?? row.withdrawal),
    moderatedAtMs: row.hidingAtMs ?? undefined,
    isHeld: row.isHeld === 1,
    reports: row.reports === 0 ? undefined : row.reports,
    isErased: row.isErased === 1 ? true : undefined,
  };
}

function hidingOf(cell: string | null): Hiding | undefined {
  return cell === null ? undefined : HidingCell.parse(JSON.parse(cell));
}

/** Where it stands among the answers of its thread: the ids of its path and its own, without the stream, which they share. */
export function threadKey({ id, path }: Pick<CommentBody, 'id' | 'path'>): string {
  return [...path, id].map((one) => one.slice(one.indexOf('~') + 1)).join('');
}

/** The first change at or after a time that `changedAtMs` may have given. */
export function changeAt(ms: number): number {
  return Math.round(ms * usInMs);
}
