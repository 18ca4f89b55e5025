/** Cuts pages out of a stream's comments, of which a reader does not see all. */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { CommentId, type StreamId } from '../../cluster/model/ids.ts';
import { placeOfComment } from './ids/comment-id.ts';
import type { Place, StoredComment } from './store/comment-store.ts';

export interface Cut {
  readonly limit: number;
  /** Reads that many comments from a place on, which is undefined at first where the page has none. */
  readonly read: (limit: number, from: Place | undefined) => Promise<readonly StoredComment[]>;
  readonly from: Place | undefined;
  readonly isShown: (comment: StoredComment) => boolean;
}

export interface Page {
  readonly items: readonly StoredComment[];
  /** The last comment that was looked at, shown or not, where there are more behind it. */
  readonly next?: CommentId;
}

/** A page that nothing is left of is read on so often, then its reader goes on from there. */
const mostReads = 5;

/**
 * Reads until the page is full or the stream ends, but not for ever: of a stream of hidden comments a page may have fewer than it
 * could, even none, and still say where to go on.
 */
export async function cutPage({ limit, read, from, isShown }: Cut): Promise<Page> {
  const items: StoredComment[] = [];
  let place = from;
  let last: CommentId | undefined;
  const page = (): Page => (last === undefined ? { items } : { items, next: last });
  for (let reads = 0; reads < mostReads; reads += 1) {
    const rows = await read(limit + 1, place);
    for (const row of rows) {
      if (items.length === limit) return page();
      if (isShown(row)) items.push(row);
      last = row.id;
      place = { createdAtMs: row.createdAtMs, id: row.id };
    }
    if (rows.length <= limit) return { items };
  }
  return page();
}

/**
 * Where a page begins.
 *
 * @param text the id of a comment, or a time in RFC 3339
 * @throws TangazaError `BAD_REQUEST` for a comment of another stream
 */
export function placeIn(stream: StreamId, text: string | undefined): Place | undefined {
  if (text === undefined) return undefined;
  const id = CommentId.safeParse(text);
  if (!id.success) return { createdAtMs: Date.parse(text) };
  const { streamId, createdAtMs } = placeOfComment(id.data);
  if (streamId !== stream)
    throw new TangazaError('BAD_REQUEST', `${id.data} is no comment of ${stream}: pass one of that stream.`);
  return { createdAtMs, id: id.data };
}
