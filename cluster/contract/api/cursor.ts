/**
 * Makes and reads the cursors of lists of streams, which callers pass back unread. A cursor holds the place of the last row in the order of
 * the list, so it stays valid when that row is deleted. Its version lets nodes of different versions tell their cursors apart.
 */
import { StreamId } from '../../model/ids.ts';

/** Where a page ended. Lists show the newest streams first; streams of the same time are ordered by id. */
export interface StreamPlace {
  readonly createdAtMs: number;
  readonly id: StreamId;
}

const version = 's1';

export function cursorOf({ createdAtMs, id }: StreamPlace): string {
  return Buffer.from(`${version}:${createdAtMs}:${id}`).toString('base64url');
}

/** @returns undefined for a text that no node has given out as a cursor */
export function placeOfCursor(cursor: string): StreamPlace | undefined {
  const text = Buffer.from(cursor, 'base64url').toString();
  const [, digits] = /^s1:(\d{1,15}):/.exec(text) ?? [];
  const id = StreamId.safeParse(text.slice(text.lastIndexOf(':') + 1));
  if (digits === undefined || !id.success) return undefined;
  const place = { createdAtMs: Number(digits), id: id.data };
  return cursorOf(place) === cursor ? place : undefined;
}
