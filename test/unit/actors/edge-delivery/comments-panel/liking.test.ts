import { expect, test } from 'vitest';
import { Liking } from '../../../../../actors/edge-delivery/comments-panel/state/liking.ts';
import { noAnswer, type Problem } from '../../../../../actors/edge-delivery/comments-panel/state/problem.ts';

const banned: Problem = {
  code: 'BANNED',
  status: 403,
  title: 'Banned',
  detail: undefined,
  retryAfterSeconds: undefined,
};

const serverNowMs = 1_000_000;
const at = '1970-01-01T00:16:40.000Z';

interface Page {
  readonly isOpen?: boolean;
  /** What the socket takes, one after the other, and whether it is open after that. */
  readonly takes?: readonly boolean[];
  /** What requests by HTTP are answered, one after the other; the rest is taken. */
  readonly refusals?: readonly Problem[];
}

/** A page whose socket takes what is said as long as it is open. */
function liker({ isOpen = true, takes = [], refusals = [] }: Page = {}) {
  const sent: object[] = [];
  const asked: boolean[] = [];
  const times: (number | undefined)[] = [];
  const shown: { isLiked: boolean; by: number }[] = [];
  const [nextTaken, nextRefusal] = [takes.values(), refusals.values()];
  const liking = new Liking({
    send: (message) => {
      const isTaken = nextTaken.next().value ?? isOpen;
      if (isTaken) sent.push(message);
      return isTaken;
    },
    ask: async (_id, isLiked, atMs) => {
      asked.push(isLiked);
      times.push(atMs);
      return nextRefusal.next().value;
    },
    show: (_id, isLiked, by) => void shown.push({ isLiked, by }),
    serverNowMs: () => serverNowMs,
  });
  return { liking, sent, asked, times, shown };
}

test('a like goes over an open socket, and not by HTTP as well', async () => {
  const { liking, sent, asked, shown } = liker();
  const set = liking.set('c', true, 0);
  expect({ sent, shown }).toEqual({
    sent: [{ type: 'like', id: 'c', at }],
    shown: [{ isLiked: true, by: 1 }],
  });
  liking.heard('c', true);
  expect({ problem: await set, asked, changes: shown.length }).toEqual({
    problem: undefined,
    asked: [],
    changes: 1,
  });
});

test('without a socket it goes by HTTP', async () => {
  const { liking, asked } = liker({ isOpen: false });
  expect({ problem: await liking.set('c', false, 0), asked }).toEqual({ problem: undefined, asked: [false] });
});

test.each<[string, (liking: Liking) => void]>([
  ['is lost', (liking) => liking.disconnected()],
  ['says nothing for five seconds', (liking) => liking.tick(5000)],
  ['cannot do it', (liking) => liking.heard('c', true, { ...banned, code: 'UNAVAILABLE', status: 503 })],
  ['has no room', (liking) => liking.heard('c', true, { ...banned, code: 'OVERLOADED', status: 429 })],
  ['is too late', (liking) => liking.heard('c', true, { ...banned, code: 'DEADLINE_EXCEEDED', status: 504 })],
  ['has a fault', (liking) => liking.heard('c', true, { ...banned, code: 'INTERNAL', status: 500 })],
  ['knows nobody', (liking) => liking.heard('c', true, { ...banned, code: 'UNAUTHENTICATED' })],
  ['is older', (liking) => liking.heard('c', true, { ...banned, code: 'BAD_REQUEST' })],
  ['finds it old', (liking) => liking.heard('c', true, { ...banned, code: 'COMMENT_EXPIRED' })],
])('when the socket %s it is asked again by HTTP', async (_what, happen) => {
  const { liking, asked } = liker();
  const set = liking.set('c', true, 0);
  liking.tick(4999);
  expect(asked).toEqual([]);
  happen(liking);
  expect({ problem: await set, asked }).toEqual({ problem: undefined, asked: [true] });
});

test.each([true, false])('what was refused is shown no longer (over the socket: %s)', async (isOpen) => {
  const { liking, shown } = liker({ isOpen, refusals: [banned] });
  const set = liking.set('c', true, 0);
  liking.heard('c', true, banned);
  expect({ problem: await set, shown }).toEqual({
    problem: banned,
    shown: [
      { isLiked: true, by: 1 },
      { isLiked: false, by: -1 },
    ],
  });
});

test('an answer belongs to the like that it names', async () => {
  const { liking, asked } = liker();
  const [like, unlike] = [liking.set('c', true, 0), liking.set('d', false, 0)];
  liking.heard('other', true);
  liking.heard('c', false, banned);
  liking.heard('d', false, banned);
  expect(await unlike).toEqual(banned);
  liking.heard('c', true);
  expect({ problem: await like, asked }).toEqual({ problem: undefined, asked: [] });
});

// Goal: page and server end alike, in whatever order requests arrive. Method: a viewer likes and takes it back at once, over a socket that is
// lost then.
test('a like that is taken back while it is under way goes first, and then its opposite', async () => {
  const { liking, asked, shown, sent } = liker({ takes: [true, false] });
  const [like, unlike] = [liking.set('c', true, 0), liking.set('c', false, 1)];
  expect({ sent, shown }).toEqual({
    sent: [{ type: 'like', id: 'c', at }],
    shown: [
      { isLiked: true, by: 1 },
      { isLiked: false, by: -1 },
    ],
  });
  liking.disconnected();
  expect({ problems: await Promise.all([like, unlike]), asked, shown: shown.length }).toEqual({
    problems: [undefined, undefined],
    asked: [true, false],
    shown: 2,
  });
});

test('of many taps while one is under way the last counts, and what is settled is not sent again', async () => {
  const { liking, asked, sent } = liker();
  const like = liking.set('c', true, 0);
  for (const isLiked of [false, true, true]) void liking.set('c', isLiked, 1);
  liking.heard('c', true);
  await like;
  expect({ sent, asked }).toEqual({ sent: [{ type: 'like', id: 'c', at }], asked: [] });
});

test('what is refused shows what is settled, however often it was tapped', async () => {
  const { liking, shown } = liker();
  const like = liking.set('c', true, 0);
  void liking.set('c', false, 1);
  liking.heard('c', true, banned);
  expect({
    problem: await like,
    shown: shown.at(-1),
    sum: shown.reduce((sum, { by }) => sum + by, 0),
  }).toEqual({
    problem: banned,
    shown: { isLiked: false, by: -1 },
    sum: 0,
  });
});

test('what nobody answered may have arrived: its opposite is sent all the same', async () => {
  const { liking, asked } = liker({ isOpen: false, refusals: [noAnswer] });
  const like = liking.set('c', true, 0);
  void liking.set('c', false, 1);
  expect({ problem: await like, asked }).toEqual({ problem: undefined, asked: [true, false] });
});

test('by HTTP it bears its time, and goes without where a server finds that wrong', async () => {
  const { liking, times } = liker({ isOpen: false, refusals: [{ ...banned, code: 'COMMENT_EXPIRED' }] });
  expect({ problem: await liking.set('c', true, 0), times }).toEqual({
    problem: undefined,
    times: [serverNowMs, undefined],
  });
});
