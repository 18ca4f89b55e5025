/** How texts share signatures: what waits goes together, in bounds, and a failure costs those that shared it (A6). */
import { expect, test } from 'vitest';
import { mostTogether, SharedSignatures } from '../../../../../actors/comments/identity/shared-signatures.ts';

/** Signs when it is told to. */
function slowSigner() {
  const turns: { readonly texts: readonly string[]; end(error?: Error): void }[] = [];
  let nextTurn = (): void => {};
  const shared = new SharedSignatures({
    signAll: (texts) => {
      const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
      const end = (error?: Error): void =>
        error === undefined ? resolve(texts.map((text) => `signed ${text}`)) : reject(error);
      turns.push({ texts, end });
      return promise;
    },
    nextTurn: (run) => {
      nextTurn = run;
    },
  });
  return { turns, shared, nextTurn: () => nextTurn() };
}

test('what comes in one turn shares a signature, and what comes while that is made shares the next one', async () => {
  const { turns, shared, nextTurn } = slowSigner();
  const first = Promise.all(['a', 'b'].map((text) => shared.sign(text)));
  nextTurn();
  const second = Promise.all(['c', 'd'].map((text) => shared.sign(text)));
  turns[0]?.end();
  expect(await first).toEqual(['signed a', 'signed b']);
  turns[1]?.end();
  expect(await second).toEqual(['signed c', 'signed d']);
  const third = shared.sign('e');
  nextTurn();
  turns[2]?.end();
  expect(await third).toBe('signed e');
  expect(turns.map(({ texts }) => texts)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
});

test('no more than 32 share one', async () => {
  const { turns, shared, nextTurn } = slowSigner();
  const all = Array.from({ length: 1 + 2 * mostTogether }, (_, index) => shared.sign(String(index)));
  nextTurn();
  for (const turn of [0, 1, 2]) {
    await expect.poll(() => turns.length).toBe(turn + 1);
    turns[turn]?.end();
  }
  await Promise.all(all);
  expect(turns.map(({ texts }) => texts.length)).toEqual([mostTogether, mostTogether, 1]);
});

test('a signature that fails is told to those who would have shared it, and the next is made', async () => {
  const { turns, shared, nextTurn } = slowSigner();
  const first = shared.sign('a');
  nextTurn();
  const second = shared.sign('b');
  turns[0]?.end(new Error('no key'));
  await expect(first).rejects.toThrow('no key');
  await expect.poll(() => turns.length).toBe(2);
  turns[1]?.end();
  expect(await second).toBe('signed b');
});

test('beyond 4,000 that wait more are refused', () => {
  const { shared } = slowSigner();
  for (let index = 0; index < 4000; index += 1) void shared.sign('a');
  expect(() => shared.sign('a')).toThrow(/wait for their receipts/);
});
