/** Whom the guards forget first where there are too many (A11). */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { authorLimits, Authors, type Said } from '../../../../../actors/comments/guards/authors.ts';
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

/**
 * *Goal*: what authors said before their last four is kept by nobody, though nobody is forgotten.
 * *Method*: ten say 2,000 things, so that the map's table is made anew many times. Then the garbage is collected.
 */
test('what nobody asks for any more takes no memory', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: unknown = runInNewContext('gc');
  if (typeof collectGarbage !== 'function') throw new TypeError('--expose-gc gives no gc()');
  const authors = new Authors();
  const refs = sayManyThings(authors, 2000);
  await turn();
  collectGarbage();
  const kept = refs.filter((ref) => ref.deref() !== undefined);
  expect({ known: authors.size, kept: kept.length }).toEqual({ known: 10, kept: 10 * authorLimits.said });
});

function sayManyThings(authors: Authors, count: number): readonly WeakRef<Said>[] {
  return Array.from({ length: count }, (_, index) => {
    const id = CommentId.parse(`news~${index.toString(32).padStart(26, '0')}`);
    const one = { id, atMs: index, gist: `It is ${index}.` };
    authors.note(stream, UserId.parse(`g-${index % 10}`), one);
    return new WeakRef<Said>(one);
  });
}
