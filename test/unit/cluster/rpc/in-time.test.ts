/** The bound of calls that somebody outside waits for: one look a second for all of them. */
import { expect, test } from 'vitest';
import { problemOf } from '../../../../cluster/errors/tangaza-error.ts';
import { makeInTime } from '../../../../cluster/rpc/in-time.ts';

/** Sleeps until it is told that so much time has passed. */
class HandClock {
  nowMs = 0;
  readonly #sleeping: (() => void)[] = [];

  runningMs = (): number => this.nowMs;
  sleep = (): Promise<void> => new Promise((resolve) => this.#sleeping.push(resolve));

  get sleepers(): number {
    return this.#sleeping.length;
  }

  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const wake of this.#sleeping.splice(0)) wake();
    await settled();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = new Promise<unknown>(() => {});
const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((error: unknown) => Reflect.get(Object(error), 'code'));

// Goal: nobody waits for ever, and nobody is given up early. Method: of two calls that began 5 s apart the first is late at 10 s.
test('a call that is not answered in 10 s is given up, and one that began later is not', async () => {
  const clock = new HandClock();
  const inTime = makeInTime(clock);
  const outcomes: unknown[] = [];
  void codeOf(inTime(never)).then((code) => outcomes.push(['first', code]));
  await clock.pass(5000);
  void codeOf(inTime(never)).then((code) => outcomes.push(['second', code]));
  await clock.pass(4999);
  const early = [...outcomes];
  await clock.pass(1);
  const first = [...outcomes];
  await clock.pass(5000);
  expect({ early, first, all: outcomes }).toEqual({
    early: [],
    first: [['first', 'DEADLINE_EXCEEDED']],
    all: [
      ['first', 'DEADLINE_EXCEEDED'],
      ['second', 'DEADLINE_EXCEEDED'],
    ],
  });
});

// As it once was: "was not carried out". A stream that was made twice, or a comment that a moderator took for shown, came of that.
test('of a call that is given up nobody says that it was not carried out', async () => {
  const clock = new HandClock();
  const late = makeInTime(clock)(never).catch(problemOf);
  await clock.pass(10_000);
  expect(await late).toMatchObject({
    title: expect.stringContaining('may be done all the same'),
    detail: expect.stringContaining('may be done all the same'),
  });
});

test('what is answered in time is given as it is, and what the call throws is thrown', async () => {
  const inTime = makeInTime(new HandClock());
  expect(await inTime(Promise.resolve('done'))).toBe('done');
  await expect(inTime(Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  const gone = Object.assign(new Error('nobody'), { type: 'SERVICE_NOT_FOUND' });
  expect(await codeOf(inTime(Promise.reject(gone)))).toBe('UNAVAILABLE');
});

test('however many calls are under way there is one timer, and none once all are answered', async () => {
  const clock = new HandClock();
  const inTime = makeInTime(clock);
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const calls = Array.from({ length: 100 }, () => inTime(promise));
  const during = clock.sleepers;
  resolve('done');
  await Promise.all(calls);
  await clock.pass(1000);
  expect({ during, after: clock.sleepers }).toEqual({ during: 1, after: 0 });
});
