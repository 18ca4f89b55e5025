/**
 * Cursors of lists of streams: opaque to callers, and whole in themselves. A cursor carries the place of the last row in the
 * list's order, so that it stays good when that row is deleted; its version tells cursors of other nodes of the cluster apart.
 */
import { StreamId } from '../../model/ids.ts';

/** Where a page ended: streams are listed newest first, then by id. */
export interface StreamPlace {
  readonly createdAtMs: number;
  readonly id: StreamId;
}

const version = 's1';

export function cursorOf({ createdAtMs, id }: StreamPlace): string {
  return Buffer.from(`${version}:${createdAtMs}:${id}`).toString('base64url');
}

/** @returns undefined for what no node has given */
export function placeOfCursor(cursor: string): StreamPlace | undefined {
  const text = Buffer.from(cursor, 'base64url').toString();
  const [, digits] = /^s1:(\d{1,15}):/.exec(text) ?? [];
  const id = StreamId.safeParse(text.slice(text.lastIndexOf(':') + 1));
  if (digits === undefined || !id.success) return undefined;
  const place = { createdAtMs: Number(digits), id: id.data };
  return cursorOf(place) === cursor ? place : undefined;
}
