import { expect, test } from 'vitest';
import { waitFor, waitUntil, within } from '../../support/wait.ts';

const soon = { withinMs: 30, everyMs: 1 };

test('what is wanted is returned at the look that sees it; a look that fails is looked again', async () => {
  let looks = 0;
  const look = async (): Promise<number> => {
    looks += 1;
    if (looks === 1) throw new Error('not there');
    return looks;
  };
  expect(await waitFor('three looks', look, (seen) => seen >= 3, { everyMs: 1 })).toBe(3);
});

test('a wait in vain says for what, how long, and what was seen last', async () => {
  const seen = waitFor(
    'the owner is n2',
    () => ({ owner: 'n1' }),
    ({ owner }) => owner === 'n2',
    soon,
  );
  await expect(seen).rejects.toThrow("waited 0.03 s in vain: the owner is n2; last seen: { owner: 'n1' }");
  const failing = waitUntil('it answers', () => Promise.reject(new Error('refused')), soon);
  await expect(failing).rejects.toThrow(/^waited 0.03 s in vain: it answers; last seen: Error: refused/);
});

test('a look that never ends, and an event that never comes, end at the bound', async () => {
  const never = new Promise<boolean>(() => {});
  await expect(waitUntil('an answer', () => never, soon)).rejects.toThrow(
    "waited 0.03 s in vain: an answer; last seen: 'nothing yet'",
  );
  await expect(within('an event', never, soon)).rejects.toThrow('waited 0.03 s in vain: an event');
  expect(await within('an event', Promise.resolve(7))).toBe(7);
});
