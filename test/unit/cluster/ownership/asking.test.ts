/** Reads of JetStream that are asked again while nobody answers (L7 of the index log). */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { askingAgain } from '../../../../cluster/nats/asking.nats.ts';

const everyMs = 200;
const never = new Promise<never>(() => {});

/** Gives each request the next of these answers, and never answers one that comes after them. */
function asker(answers: readonly Promise<string>[]): { readonly ask: () => Promise<string>; asked: number } {
  const self = {
    asked: 0,
    ask: (): Promise<string> => {
      self.asked += 1;
      return answers[self.asked - 1] ?? never;
    },
  };
  return self;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('an answer to a later request counts, though the first is never answered', async () => {
  const server = asker([never, never, Promise.resolve('tail')]);
  const answer = askingAgain(server.ask, everyMs);
  await vi.advanceTimersByTimeAsync(2 * everyMs);
  expect(await answer).toBe('tail');
  expect(server.asked).toBe(3);
});

test('a late answer to the first request counts too', async () => {
  const first = Promise.withResolvers<string>();
  const server = asker([first.promise]);
  const answer = askingAgain(server.ask, everyMs);
  await vi.advanceTimersByTimeAsync(everyMs);
  first.resolve('first');
  expect(await answer).toBe('first');
});

test('what is answered at once is asked once, and nothing is asked after an answer', async () => {
  const server = asker([Promise.resolve('tail')]);
  expect(await askingAgain(server.ask, everyMs)).toBe('tail');
  await vi.advanceTimersByTimeAsync(10 * everyMs);
  expect(server.asked).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("the first request's time-out ends it all", async () => {
  const first = new Promise<string>((_, reject) => {
    setTimeout(() => reject(new Error('timeout')), 4 * everyMs - 1);
  });
  const server = asker([first]);
  const outcome = askingAgain(server.ask, everyMs).then(
    () => 'answered',
    (error: unknown) => (error instanceof Error ? error.message : 'unknown'),
  );
  await vi.advanceTimersByTimeAsync(20 * everyMs);
  expect(await outcome).toBe('timeout');
  expect(server.asked).toBe(4);
  expect(vi.getTimerCount()).toBe(0);
});
