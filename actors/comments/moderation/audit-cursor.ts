/** The cursors of an audit's pages, which callers pass back unread: the row that a page ended with, without its reason. */
import { z } from 'zod';
import { UserId, type StreamId } from '../../../cluster/model/ids.ts';
import type { AuditRow } from '../store/comment-store.ts';

/** Of a `Date`. */
const lastMs = 8_640_000_000_000_000;

const Row = z.tuple([
  z.literal('a1'),
  z.number().int().min(0).max(lastMs),
  z.union([z.literal('operator'), UserId]),
  z.string(),
  z.string(),
]);

export function cursorOfAudit({ atMs, by, act, on }: AuditRow): string {
  return Buffer.from(JSON.stringify(['a1', atMs, by, act, on])).toString('base64url');
}

/** @returns undefined for a text that no node has given out */
export function rowOfCursor(streamId: StreamId, cursor: string): AuditRow | undefined {
  const row = Row.safeParse(parsed(Buffer.from(cursor, 'base64url').toString()));
  if (!row.success) return undefined;
  const [, atMs, by, act, on] = row.data;
  return { streamId, atMs, by, act, on };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
