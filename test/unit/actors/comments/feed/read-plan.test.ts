import { assert, array, boolean, constantFrom, property, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import {
  begun,
  doubted,
  dueFrom,
  hasRead,
  heardOfNats,
  knownTo,
  nothingToRead,
  readAtMs,
  readElsewhere,
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
    now = hasRead(now, beganMs + ms, from);
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
  const read = hasRead(doubted(nothingToRead, beganMs, beganMs - 100), beganMs, beganMs - 100);
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

// Goal: a page that leaves this node is told later at another one what this one lacked. Method: NATS is silent, and the store does not answer.
test('what it has told of reaches to now, while NATS is silent to the last read, and in doubt to before the doubt', () => {
  const silent = heardOfNats(begun(nothingToRead, beganMs), true, beganMs);
  const read = hasRead(silent, beganMs + 1000, beganMs - unnoticedMs);
  const ofOther = readElsewhere(read, beganMs + 3000);
  const back = heardOfNats(read, false, beganMs + 20_000);
  const readAgain = hasRead(back, beganMs + 21_000, beganMs - 10_000);
  expect({
    heard: knownTo(nothingToRead, beganMs),
    unread: knownTo(silent, beganMs) < beganMs,
    read: knownTo(read, beganMs + 20_000) - beganMs,
    ofOther: knownTo(ofOther, beganMs + 20_000) - beganMs,
    back: knownTo(back, beganMs + 20_000) - beganMs,
    readAgain: knownTo(readAgain, beganMs + 21_000) - beganMs,
  }).toEqual({
    heard: beganMs,
    unread: true,
    read: 1000,
    ofOther: 3000,
    back: 20_000 - unnoticedMs,
    readAgain: 21_000,
  });
});

test('when NATS is back, everything since before it fell silent is read again at those times', () => {
  const silent = heardOfNats(nothingToRead, true, beganMs - 100_000);
  const { reads } = readsOf(heardOfNats(silent, false, beganMs), 100_000);
  expect(reads).toEqual(readAtMs.map((at) => ({ at, from: -100_000 - unnoticedMs })));
});

test('without a doubt it reads every 30 s, from a little before the last read', () => {
  const { reads } = readsOf(begun(nothingToRead, beganMs), 70_000);
  expect(reads).toEqual([
    { at: 30_000, from: -5000 },
    { at: 60_000, from: 25_000 },
  ]);
});

test('a read for a doubt that reaches back far enough is the one of the routine, too', () => {
  const far = readsOf(doubted(begun(nothingToRead, beganMs), beganMs + 10_000, beganMs), 80_000);
  const near = readsOf(doubted(begun(nothingToRead, beganMs), beganMs + 10_000, beganMs + 9000), 80_000);
  expect({ far: far.reads.map(({ at }) => at / 1000), near: near.reads.map(({ at }) => at / 1000) }).toEqual({
    far: [0, 12, 15, 25, 40, 70],
    near: [0, 12, 15, 25, 30, 40, 70],
  });
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
        const fromMs = dueFrom(plan, nowMs);
        if (fromMs === undefined || !mayRead) return;
        lastReadMs = nowMs;
        plan = hasRead(plan, nowMs, fromMs);
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
