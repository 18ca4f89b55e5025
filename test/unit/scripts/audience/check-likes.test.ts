/** The checker on made-up histories of likes. */
import { describe, expect, test } from 'vitest';
import { checkHistory, type Fault } from '../../../../scripts/audience/check-history.ts';
import type { Like } from '../../../../scripts/audience/history.ts';
import { idOf, seen, story, type Story } from './story.ts';

/** Only what is wrong, by its name and how often. */
const wrongIn = (one: Story): Partial<Record<Fault, number>> =>
  Object.fromEntries(
    Object.entries(checkHistory(one.history, { hideGraceMs: 2000 }).faults).filter(([, count]) => count > 0),
  );

const like = (user: string, isOn: boolean, step: Like['step'] = 'done') =>
  ({ kind: 'like', user, id: idOf(1), isOn, step }) as const;
const hide = (step: 'asked' | 'done') =>
  ({ kind: 'moderation', user: 'm', act: 'hide', id: idOf(1), step }) as const;

describe('likes are right', () => {
  test.for<[string, () => Story]>([
    [
      'when likes are the set, as often as they were sent',
      () =>
        story()
          .comments(1)
          .add(like('b', true, 'asked'), like('b', true), like('b', true), like('c', true), like('c', false))
          .ends([seen(1, { likes: 1 })]),
    ],
    [
      'when a like without an answer counts, or does not',
      () =>
        story()
          .comments(1)
          .add(like('b', true), like('c', true, 'unanswered'))
          .ends([seen(1, { likes: 2 })], [seen(1, { likes: 1 })]),
    ],
    [
      'when a like that is taken back without an answer counts, or does not',
      () =>
        story()
          .comments(1)
          .add(like('b', true), like('b', false, 'asked'), like('b', false, 'unanswered'))
          .ends([seen(1, { likes: 1 })], [seen(1, { likes: 0 })]),
    ],
    [
      'when a like without an answer was sent again, and counts once',
      () =>
        story()
          .comments(1)
          .add(like('b', true, 'unanswered'), like('b', true, 'asked'), like('b', true))
          .ends([seen(1, { likes: 1 })]),
    ],
    [
      'when what was refused does not count, and what was said before it does',
      () =>
        story()
          .comments(1)
          .add(
            like('b', true),
            like('b', false, 'asked'),
            like('b', false, 'refused'),
            like('c', true, 'refused'),
          )
          .ends([seen(1, { likes: 1 })]),
    ],
    [
      'when a like without an answer was refused when it was sent again, and counts, or does not',
      () =>
        story()
          .comments(1)
          .add(like('b', true, 'unanswered'), like('b', true, 'asked'), like('b', true, 'refused'))
          .ends([seen(1, { likes: 1 })], [seen(1, { likes: 0 })]),
    ],
    [
      'when likes of a hidden comment are not told',
      () =>
        story()
          .comments(1)
          .add(like('b', true), hide('asked'), hide('done'))
          .ends([seen(1, { hidden: true, text: '' })]),
    ],
  ])('%s', ([, make]) => expect(wrongIn(make())).toEqual({}));
});

describe('likes are wrong', () => {
  test.for<[string, () => Story, Partial<Record<Fault, number>>]>([
    [
      'when likes are not the set',
      () =>
        story()
          .comments(1)
          .add(like('b', true), like('b', true), like('c', true), like('d', true), like('d', false))
          .ends([seen(1, { likes: 3 })], [seen(1, { likes: 2 })]),
      { wrongLikes: 1 },
    ],
    [
      'when a like is lost',
      () =>
        story()
          .comments(1)
          .add(like('b', true), like('c', true))
          .ends([seen(1, { likes: 1 })], [seen(1, { likes: 2 })]),
      { wrongLikes: 1 },
    ],
    [
      'when a like counts that was refused, or taken back',
      () =>
        story()
          .comments(1)
          .add(like('b', true, 'refused'), like('c', true), like('c', false))
          .ends([seen(1, { likes: 1 })], []),
      { wrongLikes: 1, lost: 1 },
    ],
    [
      'when a like is lost as its second try was not answered',
      () =>
        story()
          .comments(1)
          .add(like('b', true), like('b', true, 'unanswered'))
          .ends([seen(1, { likes: 0 })]),
      { wrongLikes: 2 },
    ],
    [
      'when a like without an answer counts twice',
      () =>
        story()
          .comments(1)
          .add(like('b', true, 'unanswered'))
          .ends([seen(1, { likes: 2 })]),
      { wrongLikes: 2 },
    ],
  ])('%s', ([, make, wrong]) => expect(wrongIn(make())).toEqual(wrong));
});
