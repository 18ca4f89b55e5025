import { expect, test } from 'vitest';
import {
  hidingActOf,
  KeptHides,
  keptHideMs,
  keptHides,
} from '../../../../../actors/comments/feed/kept-hides.ts';
import { Seen, seenMs, seenSize } from '../../../../../actors/comments/feed/seen.ts';
import { StreamComments } from '../../../../../actors/comments/feed/stream-comments.ts';
import type { StoredComment } from '../../../../../actors/comments/store/comment-store.ts';
import { hiddenAt, shownAt, storedComment } from '../../../../support/ports/stores/stored-comments.ts';

type Came = readonly ['added' | 'changed', StoredComment];

/** What sockets are told of these, one after the other. */
function toldOf(came: readonly Came[], hides = new KeptHides()): readonly string[] {
  const comments = new StreamComments(hides);
  return came.map(([kind, comment]) => comments.take({ kind, comment }, 10_000)?.kind ?? 'nothing');
}

const comment = storedComment();
const hidden = hiddenAt(comment, 2000);
const shown = shownAt(comment, 3000);
const held = { ...comment, isHeld: true };
const released = { ...comment, changedAtMs: 2000 };

test.each<readonly [string, readonly Came[], readonly string[]]>([
  [
    'twice as it is',
    [
      ['added', comment],
      ['added', comment],
    ],
    ['added', 'nothing'],
  ],
  [
    'and is hidden, told twice',
    [
      ['added', comment],
      ['changed', hidden],
      ['changed', hidden],
    ],
    ['added', 'changed', 'nothing'],
  ],
  [
    'hidden, and then as it was before',
    [
      ['changed', hidden],
      ['added', comment],
    ],
    ['changed', 'nothing'],
  ],
  [
    'shown again, and then as it was hidden',
    [
      ['added', comment],
      ['changed', shown],
      ['changed', hidden],
    ],
    ['added', 'changed', 'nothing'],
  ],
  ['held', [['added', held]], ['nothing']],
  [
    'held, and is released',
    [
      ['added', held],
      ['changed', released],
    ],
    ['nothing', 'added'],
  ],
  [
    'released, and was held before',
    [
      ['changed', released],
      ['added', held],
    ],
    ['changed', 'nothing'],
  ],
  [
    'and is held by reports',
    [
      ['added', comment],
      ['changed', { ...held, changedAtMs: 2000 }],
    ],
    ['added', 'changed'],
  ],
])('of a comment that comes %s each version is told once, none after a later one', (_, came, told) => {
  expect(toldOf(came)).toEqual(told);
});

test('a hide that was kept is applied to the comment when it comes, and not over what was changed after it', () => {
  const hides = new KeptHides();
  hides.keep(comment.id, { hiding: { by: 'operator', atMs: 1500 }, moderatedAtMs: 1500 }, 1500);
  expect({
    fresh: hides.applied(comment).hidden?.atMs,
    changedLater: hides.applied(shown).hidden,
    other: hides.applied(storedComment({ number: 7 })).hidden,
  }).toEqual({ fresh: 1500, changedLater: undefined, other: undefined });
  expect(
    toldOf(
      [
        ['added', comment],
        ['added', comment],
      ],
      hides,
    ),
  ).toEqual(['changed', 'nothing']);
});

test('of a hide and a restore that were kept the later one counts', () => {
  const hides = new KeptHides();
  hides.keep(comment.id, { hiding: undefined, moderatedAtMs: 1500 }, 1500);
  hides.keep(comment.id, { hiding: { by: 'operator', atMs: 1400 }, moderatedAtMs: 1400 }, 1600);
  expect(hides.applied(comment).hidden).toBeUndefined();
});

// Goal: of a hide and what the store has the later act counts, whatever clocks say. Method: the node that tells of the hide is a minute ahead, and
// acts go by a clock that is an hour ahead. The hide comes first, then the comment as the store has it: hidden, and then shown again.
test('a comment that is shown again is told so after a hide by a clock that is ahead', () => {
  const hides = new KeptHides();
  const comments = new StreamComments(hides);
  const actMs = 3_600_000;
  const hiding = { by: 'operator', atMs: actMs } as const;
  const { streamId, id } = comment;
  const change = { kind: 'hiding', streamId, id, hiding, atMs: 61_500 } as const;
  hides.keep(id, hidingActOf(change), 1500);
  const rows = [
    { ...comment, hidden: hiding, moderatedAtMs: actMs },
    { ...comment, moderatedAtMs: actMs + 1, changedAtMs: 2000 },
  ];
  const told = rows.map((row) => comments.take({ kind: 'changed', comment: row }, 2100)?.comment.hidden?.by);
  const again = comments.hide(change, 2200);
  expect({ told, now: comments.ring.get(id)?.hidden, again }).toEqual({
    told: ['operator', undefined],
    now: undefined,
    again: undefined,
  });
});

test('a hide that comes after its comment is told', () => {
  const comments = new StreamComments(new KeptHides());
  comments.take({ kind: 'added', comment }, 1000);
  const { streamId, id } = comment;
  const hiding = { by: 'operator', atMs: 500 } as const;
  const told = comments.hide({ kind: 'hiding', streamId, id, hiding, atMs: 1500 }, 1600);
  expect(told).toMatchObject({ kind: 'changed', comment: { hidden: hiding, changedAtMs: 1500 } });
});

test('hides are kept for ten minutes, and no more than 10,000', () => {
  const hides = new KeptHides();
  const act = { hiding: { by: 'operator', atMs: 0 } as const, moderatedAtMs: 0 };
  const idOf = (number: number) => storedComment({ number }).id;
  for (let number = 0; number <= keptHides; number += 1) hides.keep(idOf(number), act, 0);
  expect({ size: hides.size, oldest: hides.applied(storedComment({ number: 0 })).hidden }).toEqual({
    size: keptHides,
    oldest: undefined,
  });
  hides.keep(idOf(keptHides + 1), act, keptHideMs);
  expect(hides.size).toBe(1);
});

test('what was told is remembered for five minutes and 10,000 comments; what was forgotten counts as told', () => {
  const seen = new Seen();
  const note = (number: number, atMs: number): StoredComment => {
    const row = storedComment({ number, atMs });
    seen.note(row.id, { ...row, isTold: true }, atMs);
    return row;
  };
  const first = note(0, 1000);
  expect(seen.isForgotten(first.id, first)).toBe(false);
  note(1, 1000 + seenMs + 1);
  expect(seen.isForgotten(first.id, first)).toBe(true);
  expect(seen.isForgotten(first.id, shownAt(first, 2000))).toBe(false);
  for (let number = 2; number <= seenSize + 1; number += 1) note(number, 2000 + seenMs);
  expect(seen.get(storedComment({ number: 1, atMs: 1001 + seenMs }).id)).toBeUndefined();
});

// Method: the erasure is 10 minutes ahead of this node; a moderator hides the comment 1 ms after it was heard of.
test('what is changed after an erasure by a clock that is ahead is told', () => {
  const comments = new StreamComments(new KeptHides());
  const nowMs = 10_000;
  comments.take({ kind: 'added', comment }, nowMs);
  const [erased] = comments.erase(comment.author.id, nowMs + 600_000, nowMs);
  const later = { ...hiddenAt(comment, nowMs + 1), text: '', isErased: true };
  const told = comments.take({ kind: 'changed', comment: later }, nowMs + 1);
  expect({ erased: erased?.comment.isErased, told: told?.comment.hidden?.by }).toEqual({
    erased: true,
    told: later.hidden?.by,
  });
});
