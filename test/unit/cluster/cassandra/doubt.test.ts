import { expect, test } from 'vitest';
import { Circuit, orderOf } from '../../../../cluster/cassandra/circuit.ts';
import { Doubt, type OtherNodes } from '../../../../cluster/cassandra/doubt.ts';

/** A node that stood still until now. @param doWithout what other nodes say */
function stoodStill(doWithout: OtherNodes['doWithout'], [own, next] = [new Circuit(), new Circuit()]) {
  let away = 0;
  const onAway = (): void => {
    away += 1;
  };
  const clock = { sleep: async () => {} };
  new Doubt({ own: { name: 'own', circuit: own }, others: { doWithout }, clock, onAway }).begin(0);
  return { own, order: () => orderOf([own, next]), away: () => away };
}

test('the own data centre is asked last until other nodes have said that they do not do without it', async () => {
  const asking = Promise.withResolvers<ReadonlySet<string>>();
  const node = stoodStill(() => asking.promise);
  const before = { order: node.order(), failed: node.own.hasFailed };
  asking.resolve(new Set(['next']));
  await expect.poll(() => node.own.state).toBe('closed');
  expect({ before, after: node.order(), away: node.away() }).toEqual({
    before: { order: [1, 0], failed: false },
    after: [0, 1],
    away: 0,
  });
});

// Method: it answers all the while, as it does while it gets what it missed. This node has not seen it fail, and does not say so to others.
test('one that other nodes do without is asked again once it has answered for 30 s', async () => {
  const node = stoodStill(async () => new Set(['own']));
  await expect.poll(() => node.away()).toBe(1);
  expect({
    early: node.own.answered(29_999),
    order: node.order(),
    failed: node.own.hasFailed,
    late: node.own.answered(30_000),
    atLast: node.order(),
  }).toEqual({ early: undefined, order: [1, 0], failed: false, late: 'back', atLast: [0, 1] });
});

test('where nobody answers they are asked again', async () => {
  const answers = [undefined, undefined, new Set<string>()];
  const node = stoodStill(async () => answers.shift());
  await expect.poll(() => node.own.state).toBe('closed');
  expect({ left: answers, away: node.away() }).toEqual({ left: [], away: 0 });
});

test('one that fails meanwhile is known to have failed, whatever others say', async () => {
  const asking = Promise.withResolvers<ReadonlySet<string>>();
  const node = stoodStill(() => asking.promise);
  node.own.failed(1);
  asking.resolve(new Set());
  await asking.promise;
  expect({ state: node.own.state, failed: node.own.hasFailed }).toEqual({ state: 'open', failed: true });
});

test('of one that recovers, or is the only one, there is no doubt', () => {
  const [failed, only] = [new Circuit(), new Circuit(true)];
  failed.failed(0);
  let asked = 0;
  for (const own of [failed, only])
    stoodStill(async () => {
      asked += 1;
      return new Set();
    }, [own, new Circuit()]);
  expect({ asked, only: only.state }).toEqual({ asked: 0, only: 'closed' });
});
