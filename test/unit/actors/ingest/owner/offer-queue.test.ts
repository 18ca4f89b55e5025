/** The offer queue under failures, limits and a clock that jumps from sleep to sleep. */
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  OfferQueue,
  type OfferQueueLimits,
  type Work,
} from '../../../../../actors/ingest/owner/offer-queue.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import type { Clock } from '../../../../../cluster/time/clock.ts';

/** Sleeping takes no time, and all of it. */
function jumpingClock(): Clock {
  let nowMs = 0;
  return {
    utcMs: () => nowMs,
    monotonicMs: () => nowMs,
    runningMs: () => nowMs,
    sleep: (ms, signal) => {
      nowMs += ms;
      return signal?.aborted === true ? Promise.reject(new Error('aborted')) : Promise.resolve();
    },
    every: () => () => {},
  };
}

const limits: OfferQueueLimits = { maxBytes: 1000, maxWorks: 50, maxAgeMs: 120_000, maxStoring: 3 };

interface Recorded {
  readonly log: string[];
  readonly add: (
    name: string,
    options?: { bytes?: number; store?: () => Promise<void>; submit?: () => Promise<void> },
  ) => Work;
}

const nothing = (): Promise<void> => Promise.resolve();

function recorder(): Recorded {
  const log: string[] = [];
  return {
    log,
    add: (name, { bytes = 1, store = nothing, submit = nothing } = {}) => ({
      bytes,
      store: async () => {
        await store();
        log.push(`stored ${name}`);
      },
      submit: async () => {
        await submit();
        log.push(`submitted ${name}`);
      },
      lost: (reason) => log.push(`lost ${name}: ${reason}`),
    }),
  };
}

const failing = (times: number, error: unknown = new TangazaError('STORE_UNAVAILABLE')) => {
  let left = times;
  return (): Promise<void> => {
    left -= 1;
    return left < 0 ? Promise.resolve() : Promise.reject(error);
  };
};

test('a work is stored and then submitted, and the queue is idle', async () => {
  const { log, add } = recorder();
  const queue = new OfferQueue(jumpingClock(), limits);
  queue.add(add('a'));
  queue.add(add('b'));
  await queue.idle();
  expect(log.filter((line) => line.startsWith('submitted'))).toEqual(['submitted a', 'submitted b']);
  expect(log.indexOf('stored b')).toBeLessThan(log.indexOf('submitted b'));
  expect({ length: queue.length, heldBytes: queue.heldBytes }).toEqual({ length: 0, heldBytes: 0 });
});

test('steps that fail for a while are tried again, and the order holds', async () => {
  const { log, add } = recorder();
  const queue = new OfferQueue(jumpingClock(), limits);
  queue.add(add('a', { store: failing(5), submit: failing(3, new TangazaError('LOG_UNAVAILABLE')) }));
  queue.add(add('b', { submit: failing(2, new Error('timeout')) }));
  await queue.idle();
  expect(log.filter((line) => !line.startsWith('stored'))).toEqual(['submitted a', 'submitted b']);
});

test('what can never succeed is lost at once, and what follows is not held up', async () => {
  const { log, add } = recorder();
  const queue = new OfferQueue(jumpingClock(), limits);
  queue.add(add('a', { submit: failing(9, new TangazaError('BAD_REQUEST')) }));
  queue.add(add('b'));
  await queue.idle();
  expect(log.filter((line) => !line.startsWith('stored'))).toEqual(['lost a: BAD_REQUEST', 'submitted b']);
});

test('after 120 s of failing a work is lost', async () => {
  const { log, add } = recorder();
  const clock = jumpingClock();
  const queue = new OfferQueue(clock, limits);
  queue.add(add('a', { store: failing(Infinity) }));
  await queue.idle();
  expect(log).toEqual(['lost a: STORE_UNAVAILABLE']);
  expect(clock.monotonicMs()).toBeGreaterThan(120_000);
});

test('when more waits than fits the oldest is lost', async () => {
  const { log, add } = recorder();
  const gate = Promise.withResolvers<void>();
  const queue = new OfferQueue(jumpingClock(), limits);
  for (const name of ['a', 'b', 'c', 'd']) queue.add(add(name, { bytes: 300, store: () => gate.promise }));
  expect(queue.heldBytes).toBeLessThanOrEqual(1000);
  gate.resolve();
  await queue.idle();
  expect(log).toContain('lost a: full');
  expect(log.filter((line) => line.startsWith('submitted'))).toEqual([
    'submitted b',
    'submitted c',
    'submitted d',
  ]);
});

// Goal: an owner that is away for 2 minutes costs no memory for bytes that are stored already.
test('storing runs ahead of a submit that waits, and frees the bytes', async () => {
  const { log, add } = recorder();
  const gate = Promise.withResolvers<void>();
  const queue = new OfferQueue(jumpingClock(), limits);
  queue.add(add('first', { submit: () => gate.promise }));
  for (let index = 0; index < 40; index += 1) {
    queue.add(add(`n${index}`, { bytes: 900 }));
    await setImmediate();
  }
  expect(log.filter((line) => line.startsWith('lost'))).toEqual([]);
  gate.resolve();
  await queue.idle();
  expect(log.filter((line) => line.startsWith('submitted'))).toHaveLength(41);
});

test('abort loses all that waits and whatever is added later', async () => {
  const { log, add } = recorder();
  const queue = new OfferQueue(jumpingClock(), limits);
  queue.add(add('a', { store: failing(Infinity) }));
  queue.abort();
  queue.add(add('b'));
  await queue.idle();
  expect(log).toEqual(['lost a: stopped', 'lost b: stopped']);
});

test('whatever fails, each work is submitted once in order or lost once, and at most three are stored at a time', async () => {
  const plan = fc.record({
    bytes: fc.integer({ min: 0, max: 400 }),
    store: fc.nat(3),
    submit: fc.nat(3),
    code: fc.constantFrom('STORE_FULL', 'BAD_REQUEST', 'INTERNAL'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(plan, { maxLength: 20 }), async (plans) => {
      const { log, add } = recorder();
      const queue = new OfferQueue(jumpingClock(), limits);
      let storing = 0;
      let most = 0;
      plans.forEach(({ bytes, store, submit, code }, index) => {
        const error = new TangazaError(code);
        const failStore = failing(store, error);
        const work = add(String(index), {
          bytes,
          submit: failing(submit, error),
          store: async () => {
            storing += 1;
            most = Math.max(most, storing);
            await Promise.resolve();
            storing -= 1;
            await failStore();
          },
        });
        queue.add(work);
      });
      await queue.idle();
      const ends = log.filter((line) => !line.startsWith('stored'));
      const submitted = ends
        .filter((line) => line.startsWith('submitted'))
        .map((line) => Number(line.split(' ')[1]));
      const lost = ends
        .filter((line) => line.startsWith('lost'))
        .map((line) => Number.parseInt(line.split(' ')[1] ?? '', 10));
      expect(submitted).toEqual(submitted.toSorted((a, b) => a - b));
      expect([...submitted, ...lost].toSorted((a, b) => a - b)).toEqual(plans.map((_, index) => index));
      expect(most).toBeLessThanOrEqual(3);
      expect({ heldBytes: queue.heldBytes, length: queue.length }).toEqual({ heldBytes: 0, length: 0 });
    }),
    { numRuns: 200 },
  );
});
