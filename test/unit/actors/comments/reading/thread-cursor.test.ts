import { expect, test } from 'vitest';
import { cursorOfThread, placeInThread } from '../../../../../actors/comments/reading/thread-cursor.ts';
import { CommentId } from '../../../../../cluster/model/ids.ts';
import { storedComment } from '../../../../support/audience/written.ts';

const ids = Array.from({ length: 9 }, (_, index) => storedComment(1000 + index).id);
const [root = CommentId.parse(''), second = root] = ids;

test('a cursor of a thread is the place that it was made of, at every depth', () => {
  for (let depth = 1; depth <= 8; depth += 1) {
    const place = { id: ids[depth] ?? root, path: ids.slice(0, depth) };
    expect(placeInThread(root, cursorOfThread(place))).toEqual(place);
  }
});

test('what no node has given out for this thread is no cursor', () => {
  const cursor = cursorOfThread({ id: second, path: [root] });
  const tail = cursor.slice(3);
  const bad = [
    '',
    't1',
    `t2.${tail}`,
    `t1.${'x'.repeat(26)}.${'x'.repeat(26)}`,
    `${cursor}.`,
    `${cursor}${`.${tail}`.repeat(5)}`,
  ];
  expect(bad.map((text) => placeInThread(root, text))).toEqual(bad.map(() => undefined));
  expect(placeInThread(second, cursor)).toBeUndefined();
});
