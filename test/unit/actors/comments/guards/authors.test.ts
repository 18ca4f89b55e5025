/** Whom the guards forget first where there are too many (A11). */
import { expect, test } from 'vitest';
import { Authors } from '../../../../../actors/comments/guards/authors.ts';
import { CommentId, StreamId, UserId } from '../../../../../cluster/model/ids.ts';

const stream = StreamId.parse('news');
const digits = '0123456789abcdefghijklmnopqrstuv';
const said = (index: number) => ({
  id: CommentId.parse(`news~${(digits[index] ?? '0').repeat(26)}`),
  atMs: 1000 * index,
  gist: String(index),
});

/**
 * *Goal*: who was heard of least lately is forgotten, also after many were, and whoever has spoken again since stays.
 * *Method*: three are remembered. Authors speak one behind the other, some again and again; each time all are looked up.
 */
test('beyond the bound the author that was heard of least lately is forgotten', () => {
  const authors = new Authors(3);
  const names = ['a', 'b', 'c', 'a', 'd', 'b', 'e', 'a', 'f', 'e', 'g', 'g', 'h', 'i', 'h', 'j'];
  const known: string[] = [];
  for (const [index, name] of names.entries()) {
    authors.note(stream, UserId.parse(`g-${name}`), said(index));
    const all = [...new Set(names)].filter(
      (one) => authors.lately(stream, UserId.parse(`g-${one}`)).length > 0,
    );
    known.push(all.join(''));
  }
  expect(known).toEqual([
    'a',
    'ab',
    'abc',
    'abc',
    'acd',
    'abd',
    'bde',
    'abe',
    'aef',
    'aef',
    'efg',
    'efg',
    'egh',
    'ghi',
    'ghi',
    'hij',
  ]);
});

test('a comment that did not come about makes room', () => {
  const authors = new Authors(2);
  const [a, b, c] = ['g-a', 'g-b', 'g-c'].map((id) => UserId.parse(id));
  if (a === undefined || b === undefined || c === undefined) throw new Error('three were made');
  authors.note(stream, a, said(1));
  authors.note(stream, b, said(2));
  authors.takeBack(stream, a, said(1).id);
  authors.note(stream, c, said(3));
  expect([a, b, c].map((author) => authors.lately(stream, author).length)).toEqual([0, 1, 1]);
});
