/** The checker on made-up histories: a good one, and each way of being bad. */
import { describe, expect, test } from 'vitest';
import { checkHistory, type Fault } from '../../../../scripts/audience/check-history.ts';
import { reportText } from '../../../../scripts/audience/report.ts';
import { idOf, seen, startMs, story, textOf, type Story } from './story.ts';

const check = (one: Story) => checkHistory(one.history, { hideGraceMs: 2000 });
/** Only what is wrong, by its name and how often. */
const wrongIn = (one: Story): Partial<Record<Fault, number>> =>
  Object.fromEntries(Object.entries(check(one).faults).filter(([, count]) => count > 0));

const hide = (step: 'asked' | 'done' | 'unanswered', n = 1) =>
  ({ kind: 'moderation', user: 'm', act: 'hide', id: idOf(n), step }) as const;
const restore = (step: 'asked' | 'done' | 'unanswered', n = 1) =>
  ({ ...hide(step, n), act: 'restore' }) as const;

describe('a history is good', () => {
  test.for<[string, () => Story]>([
    ['when nothing was said', () => story().ends([])],
    [
      'when all that was acknowledged is there, and was shown to who stayed',
      () =>
        story()
          .joins('b')
          .comments(1)
          .tells('b', seen(1))
          .comments(2)
          .reads('b', [seen(2), seen(1)])
          .add({ kind: 'settled', user: 'b' })
          .ends([seen(1), seen(2)]),
    ],
    [
      'when a comment without an answer was sent again, by another way, and is there once',
      () =>
        story()
          .sends(1)
          .add({ kind: 'unanswered', user: 'a', clientId: 'c1' })
          .sends(1)
          .acknowledges(1)
          .acknowledges(1)
          .ends([seen(1)]),
    ],
    [
      'when a comment without an answer to the end is there, or is not',
      () =>
        story()
          .sends(1)
          .add({ kind: 'unanswered', user: 'a', clientId: 'c1' })
          .sends(2)
          .add({ kind: 'unanswered', user: 'a', clientId: 'c2' })
          .ends([seen(2)]),
    ],
    [
      'when a refused comment is not there',
      () => story().sends(1).add({ kind: 'refused', user: 'a', clientId: 'c1', code: 'SLOW_MODE' }).ends([]),
    ],
    [
      'when somebody who left was shown nothing more',
      () =>
        story()
          .joins('b')
          .add({ kind: 'left', user: 'b' })
          .comments(1)
          .ends([seen(1)]),
    ],
    [
      'when a page ends before what a user knows',
      () =>
        story()
          .comments(1)
          .comments(2)
          .comments(3)
          .reads('a', [seen(3), seen(2)], { hasMore: true })
          .reads('a', [seen(2)], { order: 'oldestFirst', from: seen(1), hasMore: true })
          .reads('a', [seen(1)], { from: seen(2) })
          .ends([seen(1), seen(2), seen(3)]),
    ],
    [
      'when a page was asked for before the comment was known',
      () =>
        story()
          .comments(1)
          .reads('a', [], { askedAtMs: 5 })
          .ends([seen(1)]),
    ],
    [
      'when who is hidden is missing, and shown no more',
      () =>
        story()
          .joins('b')
          .comments(1)
          .tells('b', seen(1))
          .add(hide('asked'), hide('done'))
          .tells('b', seen(1))
          .passes(5000)
          .tells('b', seen(1, { hidden: true, text: '' }), 'commentUpdated')
          .reads('b', [])
          .ends([seen(1, { hidden: true, text: '' })], []),
    ],
    [
      'when what was hidden is shown again after somebody asked to restore it',
      () =>
        story()
          .comments(1)
          .add(hide('asked'), hide('done'), restore('asked'))
          .passes(5000)
          .tells('b', seen(1))
          .ends([seen(1)]),
    ],
  ])('%s', ([, make]) => expect(wrongIn(make())).toEqual({}));
});

describe('a history is bad', () => {
  test.for<[string, () => Story, Partial<Record<Fault, number>>]>([
    ['when nobody read all of it', () => story().comments(1), { unread: 1 }],
    [
      'when the last read has more',
      () =>
        story()
          .comments(1)
          .reads('reader', [seen(1)], { order: 'oldestFirst', isLast: true, hasMore: true }),
      { unread: 1 },
    ],
    [
      'when somebody could not come back',
      () => story().joins('b').add({ kind: 'away', user: 'b' }).ends([]),
      { away: 1 },
    ],
    ['when an acknowledged comment is nowhere', () => story().comments(1).ends([]), { lost: 1 }],
    [
      'when an acknowledged comment is at one edge only',
      () =>
        story()
          .comments(1)
          .comments(2)
          .ends([seen(1), seen(2)], [seen(2)]),
      { lost: 1 },
    ],
    [
      'when a restored comment is nowhere',
      () => story().comments(1).add(hide('asked'), hide('done'), restore('asked'), restore('done')).ends([]),
      { lost: 1 },
    ],
    [
      'when who stayed was never shown a comment',
      () =>
        story()
          .joins('b')
          .comments(1)
          .add({ kind: 'settled', user: 'b' })
          .ends([seen(1)]),
      { missed: 1 },
    ],
    [
      'when a resend became another comment',
      () =>
        story()
          .comments(1)
          .sends(1)
          .acknowledges(1, 'a', idOf(2))
          .ends([seen(1), seen(2, { text: textOf(1) })]),
      { doubled: 3 },
    ],
    [
      'when a resend that was not answered became another comment',
      () =>
        story()
          .sends(1)
          .add({ kind: 'unanswered', user: 'a', clientId: 'c1' })
          .sends(1)
          .acknowledges(1)
          .ends([seen(1), seen(2, { text: textOf(1) })]),
      { doubled: 2 },
    ],
    [
      'when two comments are one',
      () =>
        story()
          .comments(1)
          .sends(2)
          .acknowledges(2, 'a', idOf(1))
          .ends([seen(1)]),
      { doubled: 1, changed: 1 },
    ],
    [
      'when a page has a comment twice',
      () =>
        story()
          .comments(1)
          .reads('b', [seen(1), seen(1)])
          .ends([seen(1)]),
      { doubled: 1 },
    ],
    [
      'when a user does not read his own comment',
      () =>
        story()
          .comments(1)
          .reads('a', [])
          .ends([seen(1)]),
      { goingBack: 1 },
    ],
    [
      'when what a frame told is missing in a page',
      () =>
        story()
          .comments(1)
          .comments(2)
          .tells('b', seen(1))
          .reads('b', [seen(2)])
          .ends([seen(1), seen(2)]),
      { goingBack: 1 },
    ],
    [
      'when what one page had is missing in a later one, from the other end',
      () =>
        story()
          .comments(1)
          .comments(2)
          .comments(3)
          .reads('b', [seen(3), seen(2), seen(1)])
          .reads('b', [seen(3)], { order: 'oldestFirst', from: seen(1), edge: 'e2' })
          .ends([seen(1), seen(2), seen(3)]),
      { goingBack: 1 },
    ],
    [
      'when a refused comment is there',
      () =>
        story()
          .sends(1)
          .add({ kind: 'refused', user: 'a', clientId: 'c1', code: 'SLOW_MODE' })
          .ends([seen(1)]),
      { refusedAndThere: 2 },
    ],
    [
      'when a comment says something else than it did',
      () =>
        story()
          .comments(1)
          .tells('b', seen(1, { text: 'other' }))
          .ends([seen(1)]),
      { changed: 1 },
    ],
    [
      'when edges tell another time of a comment',
      () =>
        story()
          .comments(1)
          .ends([seen(1)], [seen(1, { createdAtMs: startMs + 2 })]),
      { changed: 1 },
    ],
    [
      'when a page is out of order',
      () =>
        story()
          .comments(1)
          .comments(2)
          .reads('b', [seen(1), seen(2)])
          .ends([seen(1), seen(2)]),
      { disorder: 1 },
    ],
    [
      'when a page begins before the place that was asked for',
      () =>
        story()
          .comments(1)
          .comments(2)
          .reads('b', [seen(1)], { order: 'oldestFirst', from: seen(2) })
          .ends([seen(1), seen(2)]),
      { disorder: 1 },
    ],
    [
      'when a hidden comment is told, read, and there in the end',
      () =>
        story()
          .comments(1)
          .add(hide('asked'), hide('done'))
          .passes(5000)
          .tells('b', seen(1))
          .reads('b', [seen(1)])
          .ends([seen(1)], []),
      { hiddenAndSeen: 3 },
    ],
  ])('%s', ([, make, wrong]) => expect(wrongIn(make())).toEqual(wrong));
});

test('the report says what was found, in words that name the comment and who saw it', () => {
  const bad = story()
    .joins('b')
    .comments(1)
    .sends(2)
    .add({ kind: 'refused', user: 'a', clientId: 'c2', code: 'SLOW_MODE' })
    .sends(3)
    .ends([seen(1)], []);
  const report = check(bad);
  expect(report.counts).toEqual({
    users: 2,
    edges: 2,
    comments: 3,
    acknowledged: 1,
    refused: 1,
    open: 1,
    joins: 1,
    frames: 0,
    reads: 2,
    likes: 0,
  });
  const text = reportText(report);
  expect(text).toContain('2 users on 2 edges: 3 comments, 1 acknowledged, 1 refused, 1 without an answer.');
  expect(text).toContain('Refused: 1 SLOW_MODE.');
  expect(text).toContain('lost: demo~001 was acknowledged to a, and is not at e2');
  expect(text).toContain('This is not right.');
  expect(reportText(check(story().ends([])))).toContain('Nothing is lost, doubled or going back.');
});

test('a fault that comes very often is counted, with a few examples', () => {
  const bad = story();
  for (let n = 1; n <= 50; n += 1) bad.comments(n);
  const { faults, examples } = check(bad.ends([]));
  expect({ lost: faults.lost, examples: examples.length }).toEqual({ lost: 50, examples: 5 });
});
