import { expect, test } from 'vitest';
import { Authors } from '../../../../../actors/comments/guards/authors.ts';
import {
  guardLimits,
  Guards,
  mustNotBeBanned,
  type Attempt,
} from '../../../../../actors/comments/guards/guards.ts';
import { commentIdOf } from '../../../../../actors/comments/ids/comment-id.ts';
import { parseWordRules } from '../../../../../actors/comments/text/word-rules.ts';
import type { User } from '../../../../../cluster/contract/api/audience-views.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { UserId } from '../../../../../cluster/model/ids.ts';
import { ada, bob, clientIdAt, news, storedComment } from '../../../../support/audience/written.ts';

const words = parseWordRules('test', {
  rules: [
    { act: 'refuse', words: ['spam'] },
    { act: 'hold', words: ['hmm'] },
  ],
});
const t0 = 1_796_000_000_000;
const guest: User = { id: ada, name: 'Ada', kind: 'guest' };
const account: User = { id: UserId.parse('a-eve'), name: 'Eve', kind: 'account' };

interface Change extends Partial<Omit<Attempt, 'nowMs'>> {
  readonly serial?: number;
}

function attempt(atMs: number, { serial = atMs, ...change }: Change = {}): Attempt {
  const author = change.author ?? guest;
  return {
    id: commentIdOf({ streamId: news, authorId: author.id, clientId: clientIdAt(t0 + atMs, serial) }),
    streamId: news,
    author,
    isStaff: false,
    text: `text ${serial}`,
    mode: { mode: 'open', slowSeconds: 0 },
    nowMs: t0 + atMs,
    ...change,
  };
}

/** The code of a refusal and its wait, or `taken`. */
function outcome(work: () => unknown): string {
  try {
    work();
    return 'taken';
  } catch (error) {
    if (!(error instanceof TangazaError)) throw error;
    const wait = error.data['retryAfterSeconds'];
    return typeof wait === 'number' ? `${error.code} ${wait} s` : error.code;
  }
}

test('a network has a bucket, and is told when to come again', () => {
  const guards = new Guards(words);
  const outcomes = Array.from({ length: guardLimits.network.burst + 1 }, () =>
    outcome(() => guards.enter('10.0.0.1', t0)),
  );
  expect(outcomes.slice(-2)).toEqual(['taken', 'TOO_MANY_COMMENTS 1 s']);
  expect(outcome(() => guards.enter('10.0.0.2', t0))).toBe('taken');
});

test('a network gets so many guests, and may comment all the same', () => {
  const guards = new Guards(words);
  const { burst } = guardLimits.guests;
  // One in 50 ms, as fast as the network's own bucket lets them in.
  const outcomes = Array.from({ length: burst + 20 }, (_, at) =>
    outcome(() => guards.enterAsGuest('10.0.0.1', t0 + at * 50)),
  );
  expect(outcomes.filter((one) => one === 'taken')).toHaveLength(burst + 10);
  expect(outcomes.at(-1)).toBe('TOO_MANY_COMMENTS 1 s');
  expect(outcome(() => guards.enter('10.0.0.1', t0 + 60_000))).toBe('taken');
});

test('a network reads so many pages, and may comment all the same', () => {
  const guards = new Guards(words);
  const { burst } = guardLimits.reads;
  const outcomes = Array.from({ length: burst + 1 }, () => outcome(() => guards.enterToRead('10.0.0.1', t0)));
  expect({ last: outcomes.slice(-2), refused: guards.readsRefused }).toEqual({
    last: ['taken', 'OVERLOADED 1 s'],
    refused: 1,
  });
  expect({
    comments: outcome(() => guards.enter('10.0.0.1', t0)),
    others: outcome(() => guards.enterToRead('10.0.0.2', t0)),
    later: outcome(() => guards.enterToRead('10.0.0.1', t0 + 1000)),
  }).toEqual({ comments: 'taken', others: 'taken', later: 'taken' });
});

test('the mode says who may comment; closed holds for everybody', () => {
  const guards = new Guards(words);
  const of = (mode: 'accounts' | 'closed', author: User, isStaff = false) =>
    outcome(() => guards.admit(attempt(0, { mode: { mode, slowSeconds: 0 }, author, isStaff })));
  expect({ guest: of('accounts', guest), account: of('accounts', account) }).toEqual({
    guest: 'ACCOUNT_NEEDED',
    account: 'taken',
  });
  expect({ account: of('closed', account), staff: of('closed', account, true) }).toEqual({
    account: 'COMMENTS_CLOSED',
    staff: 'COMMENTS_CLOSED',
  });
});

test('in slow mode everybody but staff waits, also after a comment at another node', () => {
  const guards = new Guards(words);
  const slow = { mode: { mode: 'open', slowSeconds: 30 } } as const;
  const at = (atMs: number, change: Change = {}) =>
    outcome(() => guards.admit(attempt(atMs, { ...slow, ...change })));
  expect([0, 1000, 29_999, 30_000].map((atMs) => at(atMs))).toEqual([
    'taken',
    'SLOW_MODE 29 s',
    'SLOW_MODE 1 s',
    'taken',
  ]);
  const staff = { author: account, isStaff: true };
  expect({ first: at(0, staff), second: at(1, staff) }).toEqual({ first: 'taken', second: 'taken' });
  guards.heard(storedComment(t0 + 50_000, { author: { id: bob, name: 'Bob' } }));
  expect(at(60_000, { author: { ...guest, id: bob } })).toBe('SLOW_MODE 20 s');
});

test('a clock that goes back keeps nobody waiting', () => {
  const guards = new Guards(words);
  const at = (atMs: number) =>
    outcome(() => guards.admit(attempt(atMs, { mode: { mode: 'open', slowSeconds: 30 }, text: 'x' })));
  expect({ before: at(3_600_000), after: at(0) }).toEqual({ before: 'taken', after: 'taken' });
});

test('an author has a bucket on each stream', () => {
  const guards = new Guards(words);
  const { burst } = guardLimits.author;
  const outcomes = Array.from({ length: burst + 1 }, (_, serial) =>
    outcome(() => guards.admit(attempt(0, { serial }))),
  );
  expect(outcomes.slice(-2)).toEqual(['taken', 'TOO_MANY_COMMENTS 2 s']);
});

test('the same text again is refused for half a minute, however it is decorated', () => {
  const guards = new Guards(words);
  const at = (atMs: number, text: string) => outcome(() => guards.admit(attempt(atMs, { text })));
  expect({ first: at(0, 'Hello'), soon: at(10_000, 'h\u00e9llo\u200d'), later: at(30_000, 'hello') }).toEqual(
    {
      first: 'taken',
      soon: 'DUPLICATE_TEXT 20 s',
      later: 'taken',
    },
  );
});

test('a comment that is sent again is not refused for being itself', () => {
  const guards = new Guards(words);
  const first = attempt(0, { mode: { mode: 'open', slowSeconds: 60 } });
  const outcomes = Array.from({ length: 20 }, (_, times) =>
    outcome(() => guards.admit({ ...first, nowMs: t0 + times })),
  );
  expect(new Set(outcomes)).toEqual(new Set(['taken']));
});

test('what the store did not take counts no more, unless it was there before', () => {
  const guards = new Guards(words);
  guards.admit(attempt(0, { text: 'x' })).takeBack();
  const again = attempt(1, { text: 'x' });
  guards.admit(again);
  guards.admit({ ...again, nowMs: t0 + 2 }).takeBack();
  expect(outcome(() => guards.admit(attempt(3, { text: 'x' })))).toBe('DUPLICATE_TEXT 30 s');
});

test('words are refused or hold a comment', () => {
  const guards = new Guards(words);
  expect(outcome(() => guards.admit(attempt(0, { text: 'Spam!' })))).toBe('TEXT_REFUSED');
  expect(guards.admit(attempt(0, { text: 'hmm' }))).toMatchObject({ isHeld: true, text: 'hmm' });
});

test('a stream takes 2,000 comments at once', () => {
  const guards = new Guards(words);
  const outcomes = Array.from({ length: 2001 }, (_, index) =>
    outcome(() =>
      guards.admit(attempt(0, { serial: index, author: { ...guest, id: UserId.parse(`g-${index}`) } })),
    ),
  );
  expect(outcomes.slice(-2)).toEqual(['taken', 'OVERLOADED 1 s']);
});

test('a ban ends when it says so, and tells why', () => {
  expect(outcome(() => mustNotBeBanned(undefined, t0))).toBe('taken');
  expect(outcome(() => mustNotBeBanned({}, t0))).toBe('BANNED');
  expect(outcome(() => mustNotBeBanned({ untilMs: t0 + 5000 }, t0))).toBe('BANNED 5 s');
  expect(outcome(() => mustNotBeBanned({ untilMs: t0 }, t0))).toBe('taken');
  expect(() => mustNotBeBanned({ reason: 'shouting' }, t0)).toThrow(
    'You may not take part in the comments of this stream: shouting.',
  );
});

test('of too many authors the one of longest ago is forgotten, and counted while that mattered', () => {
  const authors = new Authors(2);
  const say = (author: string, atMs: number) =>
    authors.note(news, UserId.parse(author), { ...storedComment(atMs), atMs, gist: 'x' });
  say('g-old', 0);
  say('g-a', 70_000);
  say('g-b', 70_000);
  expect({ size: authors.size, forgotten: authors.forgotten }).toEqual({ size: 2, forgotten: 0 });
  say('g-c', 70_000);
  expect({ size: authors.size, forgotten: authors.forgotten }).toEqual({ size: 2, forgotten: 1 });
});

test('what is sent again with a receipt has a bucket of its own, so a region that failed takes nobody the turn to speak', () => {
  const guards = new Guards(words);
  const again = Array.from({ length: guardLimits.again.burst + 1 }, () =>
    outcome(() => guards.enterAgain('10.0.0.1', t0)),
  );
  expect({ last: again.at(-1), taken: again.filter((one) => one === 'taken').length }).toEqual({
    last: 'TOO_MANY_COMMENTS 1 s',
    taken: guardLimits.again.burst,
  });
  expect(outcome(() => guards.enter('10.0.0.1', t0))).toBe('taken');
});
