/** Reads the answers below a comment, page by page; pure. */
import type { CommentsPage } from '../state/comment.ts';
import type { CommentList } from '../state/comment-list.ts';
import { problemWords, type Answer } from '../state/problem.ts';

/** Of 100 answers each. */
const mostPages = 5;

export interface ThreadPorts {
  readonly list: CommentList;
  readonly read: (id: string, cursor: string | undefined) => Promise<Answer<CommentsPage>>;
  readonly onChange: () => void;
}

/** @returns what is wrong */
export async function readThread(
  id: string,
  { list, read, onChange }: ThreadPorts,
): Promise<string | undefined> {
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await read(id, cursor);
    if (!answer.ok) {
      // What is hidden is there for others as long as it has answers (A12).
      const isWithout = answer.problem.code === 'COMMENT_NOT_FOUND' && list.get(id)?.isHidden === true;
      if (!isWithout) return problemWords(answer.problem);
      list.change(id, (known) => ({ ...known, replies: 0 }));
      onChange();
      return undefined;
    }
    for (const item of answer.value.items) list.add(item);
    onChange();
    cursor = answer.value.nextCursor;
    if (cursor === undefined) break;
  }
  return undefined;
}
