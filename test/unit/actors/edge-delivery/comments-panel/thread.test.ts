/** The answers below a comment, as the page reads them when a viewer unfolds it. */
import { expect, test } from 'vitest';
import { readThread } from '../../../../../actors/edge-delivery/comments-panel/conversation/thread.ts';
import {
  readComment,
  type PageComment,
} from '../../../../../actors/edge-delivery/comments-panel/state/comment.ts';
import { CommentList } from '../../../../../actors/edge-delivery/comments-panel/state/comment-list.ts';
import { readProblem } from '../../../../../actors/edge-delivery/comments-panel/state/problem.ts';

const everybody = { me: undefined, seesHidden: false };

function comment(second: number, more: Readonly<Record<string, unknown>> = {}): PageComment {
  const createdAt = new Date(second * 1000).toISOString();
  const author = { id: 'g-other', name: 'Ana' };
  const read = readComment({ id: `s~${second}`, author, text: `number ${second}`, createdAt, ...more });
  if (read === undefined) throw new Error('it is no comment');
  return read;
}
const answer = (second: number): PageComment => comment(second, { parentId: 's~1', rootId: 's~1' });

/** A viewer who has unfolded a comment that has two answers, neither of which the page has. */
function reader({ hidden }: { readonly hidden: boolean }) {
  const list = new CommentList();
  list.add(comment(1, { replies: 2, hidden }));
  list.fold('s~1', true);
  const texts = () => list.rows(everybody).map((row) => row.comment.text);
  return { list, texts, onChange: () => undefined };
}

test.each([
  [true, ''],
  [false, 'number 1'],
])('the answers of a comment are read, page by page (hidden: %s)', async (hidden, shown) => {
  const { texts, ...ports } = reader({ hidden });
  const why = await readThread('s~1', {
    ...ports,
    read: async (_id, cursor) => ({
      ok: true,
      value:
        cursor === undefined
          ? { items: [answer(2)], nextCursor: 'next' }
          : { items: [answer(3)], nextCursor: undefined },
    }),
  });
  expect({ why, texts: texts() }).toEqual({ why: undefined, texts: [shown, 'number 2', 'number 3'] });
});

test.each([
  [true, undefined, []],
  [false, 'That comment is gone.', ['number 1']],
])(
  'what a server has no longer has no answers, where it is hidden (hidden: %s)',
  async (hidden, why, shown) => {
    const { texts, ...ports } = reader({ hidden });
    const problem = readProblem({ code: 'COMMENT_NOT_FOUND' }, 404);
    const told = await readThread('s~1', { ...ports, read: async () => ({ ok: false, problem }) });
    expect({ told, texts: texts() }).toEqual({ told: why, texts: shown });
  },
);
