import { expect, test } from 'vitest';
import { Liking } from '../../../../../actors/edge-delivery/comments-panel/state/liking.ts';
import type { Problem } from '../../../../../actors/edge-delivery/comments-panel/state/problem.ts';

const banned: Problem = {
  code: 'BANNED',
  status: 403,
  title: 'Banned',
  detail: undefined,
  retryAfterSeconds: undefined,
};

/** A page whose socket takes what is said as long as it is open. */
function liker({ isOpen = true, refusal }: { isOpen?: boolean; refusal?: Problem } = {}) {
  const sent: object[] = [];
  const asked: boolean[] = [];
  const shown: { isLiked: boolean; by: number }[] = [];
  const liking = new Liking({
    send: (message) => {
      if (isOpen) sent.push(message);
      return isOpen;
    },
    ask: async (_id, isLiked) => {
      asked.push(isLiked);
      return refusal;
    },
    show: (_id, isLiked, by) => void shown.push({ isLiked, by }),
  });
  return { liking, sent, asked, shown };
}

test('a like goes over an open socket, and not by HTTP as well', async () => {
  const { liking, sent, asked, shown } = liker();
  const set = liking.set('c', true, 0);
  expect({ sent, shown }).toEqual({ sent: [{ type: 'like', id: 'c' }], shown: [{ isLiked: true, by: 1 }] });
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
  ['cannot do it', (liking) => liking.heard('c', true, { ...banned, code: 'UNAVAILABLE' })],
])('when the socket %s it is asked again by HTTP', async (_what, happen) => {
  const { liking, asked } = liker();
  const set = liking.set('c', true, 0);
  liking.tick(4999);
  expect(asked).toEqual([]);
  happen(liking);
  expect({ problem: await set, asked }).toEqual({ problem: undefined, asked: [true] });
});

test.each([true, false])('what was refused is shown no longer (over the socket: %s)', async (isOpen) => {
  const { liking, shown } = liker({ isOpen, refusal: banned });
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

// Method: a like and its opposite are under way at once; the answer to one settles that one.
test('an answer belongs to the like that it names', async () => {
  const { liking, asked } = liker();
  const [like, unlike] = [liking.set('c', true, 0), liking.set('c', false, 0)];
  liking.heard('other', true);
  liking.heard('c', false, banned);
  expect(await unlike).toEqual(banned);
  liking.heard('c', true);
  expect({ problem: await like, asked }).toEqual({ problem: undefined, asked: [] });
});
