/** When a gateway asks once more (R2). */
import { expect, test } from 'vitest';
import { Repeats } from '../../../../../cluster/region/gateways/repeats.ts';

/** Time that goes on as soon as somebody waits for it. */
class QuickClock {
  #nowMs = 0;
  monotonicMs(): number {
    return this.#nowMs;
  }
  async sleep(ms: number): Promise<void> {
    this.#nowMs += ms;
    await new Promise(setImmediate);
  }
}
const silence = (): Promise<string> => new Promise(() => {});
const failed = (): Promise<string> => Promise.reject(new Error('time-out'));

interface Asked {
  readonly asks: readonly number[];
  readonly answer: string;
}

/** @param answers what each ask in turn gives */
async function run(
  repeats: Repeats,
  answers: readonly (() => Promise<string>)[],
  roundTripMs = 1,
): Promise<Asked> {
  const asks: number[] = [];
  const ask = (leftMs: number): Promise<string> => (answers[asks.push(leftMs) - 1] ?? failed)();
  const options = { withinMs: 400, roundTripMs, clock: new QuickClock(), onRepeat: () => {} };
  const answer = await repeats.run(ask, options).catch(() => 'none');
  return { asks, answer };
}

const soon = async (): Promise<string> => 'answered';

test('what is answered in time is asked once', async () => {
  expect(await run(new Repeats(), [soon])).toEqual({ asks: [400], answer: 'answered' });
});

test('what is late is asked again after each quarter of its time, three times at most', async () => {
  expect(await run(new Repeats(), [silence, soon])).toEqual({ asks: [400, 300], answer: 'answered' });
  const allLate = [silence, silence, silence, failed];
  expect(await run(new Repeats(), allLate)).toEqual({ asks: [400, 300, 200, 100], answer: 'none' });
});

test('nothing is asked again before two round trips are over, nor when no answer could come in time', async () => {
  expect(await run(new Repeats(), [silence, soon], 100)).toEqual({ asks: [400, 180], answer: 'answered' });
  expect(await run(new Repeats(), [() => late(failed)], 180)).toEqual({ asks: [400], answer: 'none' });
});

test('there are no more repeats than calls and 20: a slow region gets twice its load at most', async () => {
  const repeats = new Repeats();
  let asks = 0;
  for (let call = 0; call < 100; call++)
    asks += (
      await run(
        repeats,
        Array.from({ length: 4 }, () => () => late(failed)),
      )
    ).asks.length;
  expect({ isBounded: asks <= 100 + 120 }).toEqual({ isBounded: true });
});

/** Fails when all other turns are over. */
async function late<T>(then: () => Promise<T>): Promise<T> {
  for (let turn = 0; turn < 8; turn++) await new Promise(setImmediate);
  return then();
}
