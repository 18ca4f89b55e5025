/** Likes over the live socket of a real edge: the comments actor is asked as by HTTP, and only who likes hears what came of it. */
import { expect, test } from 'vitest';
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import { commentActions } from '../../../cluster/contract/audience/comment-actions.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { adasToken, startAudienceEdge } from '../../support/audience/audience-edge.ts';
import { welcomedPage } from '../../support/audience/page-socket.ts';
import { commentOf } from '../../support/audience/said.ts';

const { id } = commentOf(1);
const named = { hello: { token: adasToken } };

/** An edge whose comments actor notes what is liked. */
async function startLikingEdge(refuse: () => void = () => {}) {
  const asked: { readonly on: boolean; readonly input: RouteInput }[] = [];
  const note = (on: boolean) => (input: RouteInput) => {
    refuse();
    asked.push({ on, input });
  };
  const edge = await startAudienceEdge({
    answers: { [commentActions.like]: note(true), [commentActions.unlike]: note(false) },
  });
  return { edge, asked };
}

test('who likes a comment over the socket, or takes it back, is told so, alone; the actor is asked as by HTTP', async () => {
  const started = await startLikingEdge();
  await using edge = started.edge;
  await using page = await welcomedPage(edge.url, named);
  await using other = await welcomedPage(edge.url, named);
  page.say({ type: 'like', id });
  expect(await page.next('liked')).toEqual({ type: 'liked', id, likedByMe: true });
  page.say({ type: 'unlike', id });
  expect(await page.next('liked')).toEqual({ type: 'liked', id, likedByMe: false });
  await fetch(`${edge.url}/v1/comments/${id}/like`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${adasToken}` },
  });
  const seen = started.asked.map(({ on, input: { params, caller } }) => ({ on, params, caller }));
  expect(seen.map(({ on }) => on)).toEqual([true, false, true]);
  expect(seen[0]).toEqual(seen[2]);
  other.say({ type: 'ping' });
  await other.next('pong');
  expect(other.heard.filter(({ type }) => type === 'liked')).toEqual([]);
});

test('a like that is refused names its comment, and why', async () => {
  const started = await startLikingEdge(() => {
    throw new TangazaError('BANNED', 'You may not.');
  });
  await using edge = started.edge;
  await using page = await welcomedPage(edge.url, named);
  page.say({ type: 'unlike', id });
  expect(await page.next('error')).toMatchObject({ to: 'unlike', id, problem: { code: 'BANNED' } });
});

test('who has not said a name cannot like, and what is no id of a comment is refused', async () => {
  const started = await startLikingEdge();
  await using edge = started.edge;
  await using page = await welcomedPage(edge.url);
  page.say({ type: 'like', id });
  expect(await page.next('error')).toMatchObject({ to: 'like', id, problem: { code: 'UNAUTHENTICATED' } });
  page.say({ type: 'like', id: 'nonsense' });
  expect(await page.next('error')).toMatchObject({ problem: { code: 'BAD_REQUEST' } });
  expect(started.asked).toEqual([]);
});

// Goal: likes of one socket that the actor does not answer have a bound. Method: an actor that answers none, and nine likes.
test('of likes that are under way a socket has eight', async () => {
  const never = Promise.withResolvers<void>();
  await using edge = await startAudienceEdge({ answers: { [commentActions.like]: () => never.promise } });
  await using page = await welcomedPage(edge.url, named);
  for (let tap = 0; tap < 9; tap += 1) page.say({ type: 'like', id });
  expect(await page.next('error')).toMatchObject({ to: 'like', id, problem: { code: 'OVERLOADED' } });
  never.resolve();
  await expect.poll(() => page.heard.filter(({ type }) => type === 'liked').length).toBe(8);
});
