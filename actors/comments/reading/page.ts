/** Cuts pages out of a stream's comments, of which a reader does not see all. */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { CommentId, type StreamId } from '../../../cluster/model/ids.ts';
import { placeOfComment } from '../ids/comment-id.ts';
import type { Place, StoredComment } from '../store/comment-store.ts';

/** `P` is a place in the order of the pages. */
export interface Cut<P> {
  readonly limit: number;
  /** Reads that many comments behind a place, which is undefined at first where the page has none. */
  readonly read: (limit: number, from: P | undefined) => Promise<readonly StoredComment[]>;
  readonly from: P | undefined;
  readonly placeOf: (comment: StoredComment) => P;
  /** Those that the page shows. */
  readonly shown: (rows: readonly StoredComment[]) => Promise<ReadonlySet<StoredComment>>;
}

export interface Page<P> {
  readonly items: readonly StoredComment[];
  /** The last comment that was looked at, shown or not, where there are more behind it. */
  readonly next?: P;
}

/** A page that nothing is left of is read on so often, then its reader goes on from there. */
const mostReads = 5;

/**
 * Reads until the page is full or the stream ends, but not for ever: of a stream of hidden comments a page may have fewer than it
 * could, even none, and still say where to go on.
 */
export async function cutPage<P>({ limit, read, from, placeOf, shown }: Cut<P>): Promise<Page<P>> {
  const items: StoredComment[] = [];
  let place = from;
  const page = (): Page<P> => (place === undefined ? { items } : { items, next: place });
  for (let reads = 0; reads < mostReads; reads += 1) {
    const rows = await read(limit + 1, place);
    const ofPage = await shown(rows);
    for (const row of rows) {
      if (items.length === limit) return page();
      if (ofPage.has(row)) items.push(row);
      place = placeOf(row);
    }
    if (rows.length <= limit) return { items };
  }
  return page();
}

/** A place in a stream's pages. */
export interface StreamPlace extends Place {
  readonly id: CommentId;
}

export const placeOfRow = ({ createdAtMs, id }: StoredComment): StreamPlace => ({ createdAtMs, id });

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
