import { assert, array, boolean, constantFrom, property, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import {
  doubted,
  dueFrom,
  hasRead,
  heardOfNats,
  nothingToRead,
  readAtMs,
  unnoticedMs,
  type ReadPlan,
} from '../../../../../actors/comments/feed/read-plan.ts';

const beganMs = 1_000_000;

/** When it reads, looking each second. */
function readsOf(plan: ReadPlan, forMs: number, mayRead: (ms: number) => boolean = () => true) {
  const reads: { readonly at: number; readonly from: number }[] = [];
  let now = plan;
  for (let ms = 0; ms <= forMs; ms += 1000) {
    const from = dueFrom(now, beganMs + ms);
    if (from === undefined || !mayRead(ms)) continue;
    reads.push({ at: ms, from: from - beganMs });
    now = hasRead(now, beganMs + ms);
  }
  return { reads, plan: now };
}

test('without a doubt nothing is read', () => {
  expect(dueFrom(nothingToRead, beganMs)).toBeUndefined();
});

test('after a doubt it reads at 0, 2, 5, 15, 30 and 60 s, from before the doubt, and then no more', () => {
  const { reads, plan } = readsOf(doubted(nothingToRead, beganMs), 200_000);
  expect(reads).toEqual(readAtMs.map((at) => ({ at, from: -unnoticedMs })));
  expect(plan).toEqual(nothingToRead);
});

test('a read that fails is due again, and those that it missed are one', () => {
  const { reads } = readsOf(doubted(nothingToRead, beganMs), 60_000, (ms) => ms > 20_000);
  expect(reads.map(({ at }) => at)).toEqual([21_000, 30_000, 60_000]);
});

test('doubts of one second are one, and a later one is read for by itself', () => {
  const one = doubted(nothingToRead, beganMs);
  expect(doubted(one, beganMs + 500).doubts.length).toBe(1);
  expect(doubted(one, beganMs + 1500).doubts.length).toBe(2);
});

test('a doubt within the second of another one is read for at once, from the earlier of both', () => {
  const read = hasRead(doubted(nothingToRead, beganMs, beganMs - 100), beganMs);
  expect(dueFrom(read, beganMs + 500)).toBeUndefined();
  expect(dueFrom(doubted(read, beganMs + 500, beganMs - 50), beganMs + 500)).toBe(beganMs - 100);
});

test('while NATS is silent it reads each second, each time from a little before the last', () => {
  const { reads } = readsOf(heardOfNats(nothingToRead, true, beganMs), 2000);
  expect(reads).toEqual([
    { at: 0, from: -unnoticedMs },
    { at: 1000, from: -5000 },
    { at: 2000, from: -4000 },
  ]);
});

test('when NATS is back, everything since before it fell silent is read again at those times', () => {
  const silent = heardOfNats(nothingToRead, true, beganMs - 100_000);
  const { reads } = readsOf(heardOfNats(silent, false, beganMs), 100_000);
  expect(reads).toEqual(readAtMs.map((at) => ({ at, from: -100_000 - unnoticedMs })));
});

test('a clock that is set back makes no read wait', () => {
  const plan = doubted(nothingToRead, beganMs);
  expect(dueFrom(plan, beganMs - 3_600_000)).toBe(beganMs - unnoticedMs);
});

// Goal: whatever happens, a moment of doubt is read for after it, and what is kept stays small. Method: a minute of doubts, silences and failing
// reads at random, then two quiet minutes.
test('whatever happens, each doubt is read for at last, and few are kept', () => {
  const second = tuple(boolean(), boolean(), constantFrom(true, true, false));
  assert(
    property(array(second, { maxLength: 90 }), (seconds) => {
      let plan: ReadPlan = nothingToRead;
      let lastDoubtMs = -1;
      let lastReadMs = -1;
      const look = (nowMs: number, mayRead: boolean): void => {
        if (dueFrom(plan, nowMs) === undefined || !mayRead) return;
        lastReadMs = nowMs;
        plan = hasRead(plan, nowMs);
      };
      for (const [index, [isDoubt, isSilent, mayRead]] of seconds.entries()) {
        const nowMs = beganMs + index * 1000;
        plan = heardOfNats(plan, isSilent, nowMs);
        if (isDoubt) plan = doubted(plan, nowMs);
        if (isDoubt) lastDoubtMs = nowMs;
        look(nowMs, mayRead);
        expect(plan.doubts.length).toBeLessThanOrEqual(seconds.length + 1);
      }
      const endMs = beganMs + seconds.length * 1000;
      plan = heardOfNats(plan, false, endMs);
      for (let nowMs = endMs; nowMs <= endMs + 120_000; nowMs += 1000) look(nowMs, true);
      expect(plan).toEqual(nothingToRead);
      if (lastDoubtMs >= 0) expect(lastReadMs).toBeGreaterThanOrEqual(lastDoubtMs + 60_000 - 1000);
    }),
  );
});
