import { expect, test } from 'vitest';
import { sayWhile } from '../../../../cluster/observe/say-while.ts';
import { silentLogger, type Logger } from '../../../../cluster/observe/logger.ts';
import type { Clock } from '../../../../cluster/time/clock.ts';

/** A clock whose `every` is run by hand, and what was logged. */
function watched() {
  let nowMs = 0;
  let ring: (() => void | Promise<void>) | undefined;
  const said: object[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (fields, message) => void said.push({ ...fields, message }),
  };
  const clock: Clock = {
    utcMs: () => nowMs,
    monotonicMs: () => nowMs,
    runningMs: () => nowMs,
    sleep: () => Promise.resolve(),
    every: (_, run) => {
      ring = run;
      return () => (ring = undefined);
    },
  };
  const pass = (ms: number): void => {
    nowMs += ms;
    void ring?.();
  };
  return { clock, logger, said, pass, isRinging: () => ring !== undefined };
}

test('what is waited for is said with how long and the last failure, until it is there', async () => {
  const { clock, logger, said, pass, isRinging } = watched();
  const there = Promise.withResolvers<string>();
  const waited = sayWhile('the store', { endpoint: 'http://s3' }, { clock, logger }, (failed) => {
    failed(new Error('connect ECONNREFUSED'));
    return there.promise;
  });
  pass(10_000);
  pass(10_000);
  there.resolve('store');
  expect(await waited).toBe('store');
  const words = { waitsFor: 'the store', endpoint: 'http://s3', why: 'connect ECONNREFUSED' };
  expect(said).toEqual([
    { ...words, seconds: 10, message: 'the node waits' },
    { ...words, seconds: 20, message: 'the node waits' },
  ]);
  expect(isRinging()).toBe(false);
});

test('a failure that ends the wait ends the saying', async () => {
  const { clock, logger, said, isRinging } = watched();
  const waited = sayWhile('NATS', {}, { clock, logger }, () => Promise.reject(new Error('too old')));
  await expect(waited).rejects.toThrow('too old');
  expect({ said, isRinging: isRinging() }).toEqual({ said: [], isRinging: false });
});
