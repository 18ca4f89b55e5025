import { expect, test } from 'vitest';
import {
  answerOf,
  backMs,
  longestWayMs,
  mostNewest,
  resumeFromMs,
} from '../../../../../actors/comments/feed/resume.ts';
import { hiddenAt, storedComment } from '../../../../support/ports/stores/stored-comments.ts';

const rows = (count: number) =>
  Array.from({ length: count }, (_, number) => storedComment({ atMs: 1_000_000 + number, number }));
const fromMs = 1_000_000;

test('a page comes back to 5 s before its last frame, and never to the future', () => {
  expect(resumeFromMs(100_000, 200_000)).toBe(100_000 - backMs);
  expect(resumeFromMs(900_000, 200_000)).toBe(200_000 - backMs);
});

test('up to 200 comments are all of them, in order', () => {
  const all = rows(mostNewest);
  const { resume, told } = answerOf(all.toReversed(), fromMs);
  expect({ resume, ids: told.map(({ comment }) => comment.id) }).toEqual({
    resume: 'complete',
    ids: all.map(({ id }) => id),
  });
});

test('of more the newest 200 come, and the gap reaches up to them and back over the longest way of a comment', () => {
  const { resume, told } = answerOf(rows(mostNewest + 1), fromMs);
  expect({ resume, told: told.length, first: told[0]?.comment.createdAtMs }).toEqual({
    resume: {
      gap: {
        from: new Date(fromMs - longestWayMs).toISOString(),
        to: new Date(fromMs + 1).toISOString(),
      },
    },
    told: mostNewest,
    first: fromMs + 1,
  });
});

test('what is known not to be all is a gap, even of nothing', () => {
  const { resume } = answerOf([], fromMs, false);
  expect(resume).toEqual({
    gap: { from: new Date(fromMs - longestWayMs).toISOString(), to: new Date(fromMs).toISOString() },
  });
});

test('a change of a comment from before is told as one, and so is a comment that is hidden already', () => {
  const before = hiddenAt(storedComment({ atMs: 10 }), fromMs + 7);
  const since = hiddenAt(storedComment({ atMs: fromMs + 1 }), fromMs + 9);
  const { told } = answerOf([before, since, storedComment({ atMs: fromMs + 2 })], fromMs);
  expect(told.map(({ kind, comment }) => ({ kind, at: comment.createdAtMs }))).toEqual([
    { kind: 'changed', at: fromMs + 1 },
    { kind: 'added', at: fromMs + 2 },
    { kind: 'changed', at: 10 },
  ]);
});

test('a comment that was held after it arrived is told as a change, as the page may have shown it', () => {
  const held = storedComment({ atMs: fromMs, changedAtMs: fromMs + 500, isHeld: true });
  expect(answerOf([held], fromMs).told).toEqual([{ kind: 'changed', comment: held }]);
});

test('a comment that was held when it arrived is told to nobody', () => {
  expect(answerOf([storedComment({ atMs: fromMs, isHeld: true })], fromMs).told).toEqual([]);
});
