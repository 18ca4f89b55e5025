/** The cursors of a thread's pages, which callers pass back unread: the place of the last comment, without the stream in each of its ids. */
import { CommentId } from '../../../cluster/model/ids.ts';
import { deepestLevel } from '../thread-place.ts';
import type { ThreadPlace } from '../store/thread-store.ts';

const version = 't1';

export function cursorOfThread({ id, path }: ThreadPlace): string {
  return [version, ...[...path, id].map((one) => one.slice(one.indexOf('~') + 1))].join('.');
}

/** @param root of the thread @returns undefined for a text that no node has given out for this thread */
export function placeInThread(root: CommentId, cursor: string): ThreadPlace | undefined {
  const [given, ...tails] = cursor.split('.');
  if (given !== version || tails.length < 2 || tails.length > deepestLevel + 1) return undefined;
  const stream = root.slice(0, root.indexOf('~'));
  const ids = tails.map((tail) => CommentId.safeParse(`${stream}~${tail}`).data);
  const path = ids.filter((id) => id !== undefined);
  const id = path.pop();
  if (id === undefined || path.length !== tails.length - 1 || path[0] !== root) return undefined;
  return { id, path };
}
