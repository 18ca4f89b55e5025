/** The list of comments, the places of its rows, and the sample of a flood. */
import { expect, test } from 'vitest';
import {
  readComment,
  type PageComment,
} from '../../../../../actors/edge-delivery/comments-panel/state/comment.ts';
import {
  CommentList,
  mostComments,
  mostWhileReading,
} from '../../../../../actors/edge-delivery/comments-panel/state/comment-list.ts';
import { gapIn, readFrame } from '../../../../../actors/edge-delivery/comments-panel/state/live-message.ts';
import { Flood } from '../../../../../actors/edge-delivery/comments-panel/state/flood.ts';
import {
  advanceOwn,
  ownComment,
} from '../../../../../actors/edge-delivery/comments-panel/state/own-comment.ts';
import { RowHeights } from '../../../../../actors/edge-delivery/comments-panel/state/row-heights.ts';

const me = { id: 'g-me', name: 'Me', isGuest: true, permissions: [], stream: undefined };
const all = { me: undefined, seesHidden: false };

function comment(second: number, more: Readonly<Record<string, unknown>> = {}): PageComment {
  const read = readComment({
    id: `s~${String(second).padStart(6, '0')}`,
    author: { id: 'g-other', name: 'Ana' },
    text: `number ${second}`,
    createdAt: new Date(second * 1000).toISOString(),
    likes: 0,
    hidden: false,
    region: 'r1',
    acknowledged: 'accepted',
    ...more,
  });
  if (read === undefined) throw new Error('it is no comment');
  return read;
}
const textsOf = (list: CommentList, of: Parameters<CommentList['rows']>[0] = all): readonly string[] =>
  list.rows(of).map(({ comment: { text } }) => text);

test('comments are in the order of their time, however they come, and each once', () => {
  const list = new CommentList();
  for (const second of [3, 1, 2, 3]) list.add(comment(second));
  expect(textsOf(list)).toEqual(['number 1', 'number 2', 'number 3']);
});

test('a hidden one vanishes, stays marked for moderators with its text, and comes back', () => {
  const list = new CommentList();
  list.add(comment(1));
  list.update(comment(1, { hidden: true, text: '' }));
  expect(textsOf(list)).toEqual([]);
  expect(list.rows({ me, seesHidden: true })[0]?.comment).toMatchObject({ isHidden: true, text: 'number 1' });
  list.update(comment(1, { hidden: false }));
  expect(textsOf(list)).toEqual(['number 1']);
});

// As it once was: a moderator signed out, and what waits for one was read on by who came next.
test('what waits for a moderator is shown to moderators and to its author', () => {
  const list = new CommentList();
  list.add(comment(1, { isHeld: true }));
  list.add(comment(2, { isHeld: true, author: { id: me.id, name: me.name } }));
  const moderator = { me: { ...me, id: 'a-mo' }, seesHidden: true };
  expect({
    moderator: textsOf(list, moderator),
    author: textsOf(list, { me, seesHidden: false }),
    nobody: textsOf(list),
  }).toEqual({ moderator: ['number 1', 'number 2'], author: ['number 2'], nobody: [] });
});

test('a frame to everybody does not undo what this viewer likes', () => {
  const list = new CommentList();
  list.add(comment(1, { likedByMe: true, likes: 1 }));
  list.update(comment(1, { likes: 2 }));
  expect(list.get('s~000001')).toMatchObject({ likes: 2, isLikedByMe: true });
});

test("one's own is shown at once, keeps its row while it gets its id, and is there once when it comes to everybody", () => {
  const list = new CommentList();
  const draft = {
    clientId: 'c',
    authorId: 'g-me',
    text: 'mine',
    createdAtMs: 5000,
    parentId: undefined,
    mediaTime: undefined,
  };
  const own = ownComment(draft, 0);
  list.setOwn(own, me);
  list.add(comment(9));
  expect(list.rows({ me, seesHidden: false }).map(({ key }) => key)).toEqual(['s~000009', 'c']);
  const accepted = advanceOwn(own, { kind: 'acked', id: 's~000005', isReplicated: false, receipt: 'r' }, 1);
  list.setOwn(accepted, me);
  list.add(comment(5, { text: 'mine', author: { id: 'g-me', name: 'Me' } }));
  const rows = list.rows({ me, seesHidden: false });
  expect(rows.map(({ key }) => key)).toEqual(['c', 's~000009']);
  expect(rows[0]?.own?.state.kind).toBe('accepted');
});

test('answers hang below their comment and are shown where it is unfolded; one without its comment stands alone', () => {
  const list = new CommentList();
  for (const second of [1, 2]) list.add(comment(second));
  list.add(comment(3, { parentId: 's~000001', rootId: 's~000001' }));
  list.add(comment(4, { parentId: 's~000000', rootId: 's~000000' }));
  expect(list.rows(all).map(({ comment: { text }, replies }) => [text, replies])).toEqual([
    ['number 1', 1],
    ['number 2', 0],
    ['number 4', 0],
  ]);
  list.fold('s~000001', true);
  expect(textsOf(list)).toEqual(['number 1', 'number 3', 'number 2', 'number 4']);
});

test('after a gap that nobody can fill the older ones go, and are read again', () => {
  const list = new CommentList();
  for (const second of [1, 2]) list.add(comment(second));
  list.hasOlder = false;
  list.join([comment(9), comment(8)], true);
  expect({ texts: textsOf(list), hasOlder: list.hasOlder }).toEqual({
    texts: ['number 8', 'number 9'],
    hasOlder: true,
  });
});

// Goal: no hole where regions meet again. Method: comments of the other region lie between those that the page has; its own newest is younger.
test.each([
  ['gap', { type: 'gap', from: new Date(1500).toISOString(), to: new Date(9000).toISOString() }],
  [
    'welcome',
    { type: 'welcome', resume: { behind: { region: 'eu' }, gap: { from: new Date(1500).toISOString() } } },
  ],
])(
  'a %s that tells of a gap behind the newest comment cuts the list where it may lack some',
  (_, message) => {
    const list = new CommentList();
    for (const second of [1, 2, 9]) list.add(comment(second));
    list.hasOlder = false;
    const messages = readFrame(JSON.stringify([message]));
    list.join([comment(9), comment(8)], true, gapIn(messages, list.newest));
    expect({ texts: textsOf(list), hasOlder: list.hasOlder }).toEqual({
      texts: ['number 8', 'number 9'],
      hasOlder: true,
    });
  },
);

test('a gap that tells no time begins at the newest comment, and in an empty page nowhere', () => {
  const messages = readFrame('[{"type":"gap"}]');
  expect({ behindThree: gapIn(messages, comment(3)), inEmptyPage: gapIn(messages, undefined) }).toEqual({
    behindThree: comment(3),
    inEmptyPage: undefined,
  });
});

test('a newest page that reaches what is there joins it', () => {
  const list = new CommentList();
  for (const second of [1, 2]) list.add(comment(second));
  list.hasOlder = false;
  list.join([comment(3), comment(2)], true);
  expect({ texts: textsOf(list), hasOlder: list.hasOlder }).toEqual({
    texts: ['number 1', 'number 2', 'number 3'],
    hasOlder: false,
  });
});

test('what came with the news of a gap closes none: what lies before it goes, what came since stays', () => {
  const list = new CommentList();
  for (const second of [1, 2]) list.add(comment(second));
  const before = list.newest;
  list.hasOlder = false;
  for (const second of [9, 10]) list.add(comment(second));
  list.join([comment(9), comment(8)], true, before);
  expect({ texts: textsOf(list), hasOlder: list.hasOlder, oldest: list.oldest?.text }).toEqual({
    texts: ['number 8', 'number 9', 'number 10'],
    hasOlder: true,
    oldest: 'number 8',
  });
});

test("older ones are read from where nothing is missing, not from one's own of long ago", () => {
  const list = new CommentList();
  list.join([comment(8), comment(9)], true);
  list.add(comment(2));
  expect(list.oldest?.text).toBe('number 8');
  list.addOlder([comment(6), comment(7)], true);
  expect(list.oldest?.text).toBe('number 6');
});

test('who reads what is old keeps it until twice as much is there', () => {
  const list = new CommentList();
  for (let second = 0; second <= mostComments; second += 1) list.add(comment(second));
  expect({ kept: list.trim(mostWhileReading), atEnd: list.trim() }).toEqual({ kept: 0, atEnd: 501 });
});

test('the answers of what is hidden stay, below a line without its name and its words', () => {
  const list = new CommentList();
  for (const second of [1, 2]) list.add(comment(second));
  list.add(comment(3, { parentId: 's~000001', rootId: 's~000001' }));
  list.fold('s~000001', true);
  for (const second of [1, 2]) list.update(comment(second, { hidden: true, text: '' }));
  const rows = list.rows(all).map(({ comment: { text, author } }) => [author.name, text]);
  expect(rows).toEqual([
    ['', ''],
    ['Ana', 'number 3'],
  ]);
});

test('what is hidden keeps its line while it has answers, read or not', () => {
  const list = new CommentList();
  list.add(comment(1, { replies: 2 }));
  list.update(comment(1, { hidden: true, text: '', replies: 2 }));
  expect(list.rows(all)).toMatchObject([{ replies: 2, comment: { text: '', author: { name: '' } } }]);
  list.change('s~000001', (known) => ({ ...known, replies: 0 }));
  expect(list.rows(all)).toEqual([]);
});

test('the list is bounded: the oldest go, and can be read again', () => {
  const list = new CommentList();
  for (let second = 0; second <= mostComments; second += 1) list.add(comment(second));
  list.hasOlder = false;
  list.trim();
  expect({
    isBounded: list.size <= mostComments,
    oldest: list.oldest?.text,
    hasOlder: list.hasOlder,
  }).toEqual({
    isBounded: true,
    oldest: 'number 501',
    hasOlder: true,
  });
});

test('of a flood 20 a second are shown, and always those that must be', () => {
  const flood = new Flood();
  const shown = Array.from({ length: 50 }, (_, index) => flood.shows(index % 10 === 9, 1000 + index * 10));
  expect(shown.filter(Boolean)).toHaveLength(23);
  expect(shown.filter((_, index) => index % 10 === 9)).toEqual([true, true, true, true, true]);
  expect({ leftOut: flood.leftOut, isOn: flood.isOn(1500) }).toEqual({ leftOut: 27, isOn: true });
  expect({ shows: flood.shows(false, 2600), isOn: flood.isOn(7000) }).toEqual({ shows: true, isOn: false });
});

test('rows lie one below the other, at the heights that were measured', () => {
  const heights = new RowHeights();
  heights.setKeys(['a', 'b', 'c']);
  heights.measured('a', 10);
  heights.measured('b', 20);
  heights.measured('c', 30);
  expect([0, 1, 2, 3].map((index) => heights.topOf(index))).toEqual([0, 10, 30, 60]);
  expect([0, 9, 10, 29, 30, 1000].map((px) => heights.indexAt(px))).toEqual([0, 0, 1, 1, 2, 2]);
  expect(heights.windowOf(12, 10, 0)).toEqual({ from: 1, to: 2 });
});

test('a row that grows after its place was asked for moves those below it, and one that is gone lets them up', () => {
  const heights = new RowHeights();
  heights.setKeys(['a', 'b', 'c']);
  for (const key of ['a', 'b', 'c']) heights.measured(key, 10);
  expect(heights.totalPx).toBe(30);
  heights.measured('a', 25);
  expect({ b: heights.topOf(1), total: heights.totalPx }).toEqual({ b: 25, total: 45 });
  heights.setKeys(['b', 'c']);
  expect({ b: heights.topOf(0), c: heights.topOf(1), total: heights.totalPx }).toEqual({
    b: 0,
    c: 10,
    total: 20,
  });
});

test('rows that come before others move them, and keep their heights', () => {
  const heights = new RowHeights();
  heights.setKeys(['b', 'c']);
  heights.measured('b', 20);
  heights.setKeys(['a', 'b', 'c']);
  heights.measured('a', 5);
  expect({ top: heights.topOf(1), index: heights.indexOf('b'), next: heights.topOf(2) }).toEqual({
    top: 5,
    index: 1,
    next: 25,
  });
});
