/** A member that is ill itself, or cannot come back, on a real nats-server: it accuses nobody, and it ends (C3). */
import { expect, test } from 'vitest';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { declareDead, startNode, states, until } from '../../support/cluster/member-nodes.ts';
import { startNats } from '../../support/cluster/start-nats.ts';

/** Enough failures of P1, with HTTP refused, for several verdicts (D1). */
const enough = 8;

/** While `isLate`, whatever runs by a timer finds that 300 ms have passed meanwhile. */
function lateClock(): Clock & { isLate: boolean } {
  let lostMs = 0;
  const clock = {
    ...systemClock,
    isLate: false,
    monotonicMs: () => systemClock.monotonicMs() + lostMs,
    every: (ms: number, run: () => void | Promise<void>) =>
      systemClock.every(ms, () => {
        if (clock.isLate) lostMs += 300;
        return run();
      }),
  };
  return clock;
}

// Goal: a node whose own loop is late does not take its lateness for others' silence (D3). Method: its clock finds each of its timers
// late; another member dies; it accuses that one only when its timers are in time again.
test('a member whose loop is late accuses nobody until it is not', async () => {
  await using nats = await startNats({ jetstream: true });
  const clock = lateClock();
  await using one = await startNode(nats, 'n1', { clock });
  await using two = await startNode(nats, 'n2');
  await until(() => states(one).length === 2);
  clock.isLate = true;
  await two.crash();
  await until(() => one.counted('p1Failed') >= enough || one.gone.length > 0);
  expect({ accusations: one.counted('accused'), gone: one.gone }).toEqual({ accusations: 0, gone: [] });
  clock.isLate = false;
  await until(() => one.gone.length > 0);
  expect(one.gone).toEqual([{ node: 'n2', bootId: 'boot-n2', why: 'died' }]);
});

// Goal: a node that was away from NATS hears from the others before it judges them (D3). Method: it reconnects, again and again; another
// member dies; it accuses that one only when its connection stays.
test('a member whose connection to NATS comes and goes accuses nobody until it stays', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  await using two = await startNode(nats, 'n2');
  await until(() => states(one).length === 2);
  await one.reconnect();
  await two.crash();
  for (let failures = 4; failures <= enough + 4; failures += 4) {
    await until(() => one.counted('p1Failed') >= failures || one.gone.length > 0);
    expect({ accusations: one.counted('accused'), gone: one.gone }).toEqual({ accusations: 0, gone: [] });
    await one.reconnect();
  }
  await until(() => one.gone.length > 0);
  expect(one.gone).toEqual([{ node: 'n2', bootId: 'boot-n2', why: 'died' }]);
});

// Goal: an operator need not wait for the brake (D5). Method: of three members two die; the third, left alone to accuse, would believe
// itself after 30 s, and its clock stands still.
test("at an operator's word who is suspected is declared dead", async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1', { clock: { ...systemClock, monotonicMs: () => 1000 } });
  expect(await one.membership.release()).toEqual([]);
  await using two = await startNode(nats, 'n2');
  await using three = await startNode(nats, 'n3');
  await until(() => states(one).length === 3);
  await Promise.all([two.crash(), three.crash()]);
  // On a busy machine one of them may have been accused before, too.
  await until(() => one.counted('accused') >= 2 && one.membership.suspects().length === 2);
  expect(one.gone).toEqual([]);
  expect(await one.membership.release()).toEqual(['n2', 'n3']);
  await until(() => one.gone.length === 2);
  expect(states(one)).toEqual(['n1 alive', 'n2 dead', 'n3 dead']);
  await nats.kill();
  expect(await one.membership.release().then(() => 'released', errorCodeOf)).toBe('LOG_UNAVAILABLE');
  await one.crash();
});

const beforeARejoinMs = 1000;

/** A clock whose sleeps before a rejoin (M2) wait for `mayTry`, told how many there were before. */
const rejoiningBy = (mayTry: (before: number) => Promise<void>): Clock & { tries: number } => {
  const clock = {
    ...systemClock,
    tries: 0,
    sleep: async (ms: number, signal?: AbortSignal) => {
      if (ms < beforeARejoinMs) return systemClock.sleep(ms, signal);
      clock.tries += 1;
      await mayTry(clock.tries - 1);
    },
  };
  return clock;
};

// Goal: a node that cannot say what it is ends, and not before three tries (M2). Method: another member writes its death, and NATS is
// killed before it can rejoin; it is started again before the third try, or not.
test.each([
  { how: 'fail', exits: ['declared dead, and could not rejoin'] },
  { how: 'fail but the last', exits: [] },
])('a member that was declared dead, and whose three rejoins $how', async ({ how, exits }) => {
  await using nats = await startNats({ jetstream: true });
  const killed = Promise.withResolvers<void>();
  const clock = rejoiningBy(async (before) => {
    await killed.promise;
    if (before < 2 || how === 'fail') return;
    await nats.restart();
    await one.isServed();
  });
  await using one = await startNode(nats, 'n1', { clock });
  const isTold = new Promise<void>((resolve) => void one.membership.onDeclaredDead(resolve));
  await declareDead(nats);
  await isTold;
  await nats.kill();
  killed.resolve();
  await until(() => one.exits.length > 0 || states(one)[0] === 'n1 alive');
  expect({ exits: one.exits, tries: clock.tries }).toEqual({ exits, tries: 3 });
  if (exits.length > 0) await one.crash();
});
