import { expect, test } from 'vitest';
import { Circuit, isKept, orderOf } from '../../../../cluster/cassandra/circuit.ts';

test('the own data centre is asked first, and the next one while it fails', () => {
  const [own, next] = [new Circuit(), new Circuit()];
  expect(orderOf([own, next])).toEqual([0, 1]);
  own.failed(0);
  expect(orderOf([own, next])).toEqual([1]);
});

test('one that fails is tried each 5 s, by one at a time', () => {
  const own = new Circuit();
  expect(own.isToTry(0)).toBe(false);
  own.failed(0);
  expect([4999, 5000, 5001, 9999, 10_000].map((ms) => own.isToTry(ms))).toEqual([
    false,
    true,
    false,
    false,
    true,
  ]);
});

// Goal: who was sent elsewhere is not sent back to a data centre that lacks what it was shown meanwhile.
test('one that answers again is asked when it has answered for 30 s, and before that if no other can be', () => {
  const [own, next] = [new Circuit(), new Circuit()];
  own.failed(0);
  expect(own.answered(5000)).toBe('answers');
  expect(own.answered(34_999)).toBeUndefined();
  expect(orderOf([own, next])).toEqual([1, 0]);
  next.failed(34_999);
  expect(orderOf([own, next])).toEqual([0]);
  expect({ news: own.answered(35_000), order: orderOf([own, next]) }).toEqual({ news: 'back', order: [0] });
});

test('one that fails while it recovers begins anew', () => {
  const own = new Circuit();
  own.failed(0);
  own.answered(5000);
  expect(own.failed(6000)).toBe(true);
  expect(own.answered(11_000)).toBe('answers');
  expect(own.answered(40_000)).toBeUndefined();
  expect(own.answered(41_000)).toBe('back');
});

test('the only one there is is asked at once when it answers', () => {
  const only = new Circuit(true);
  only.failed(0);
  expect({ order: orderOf([only]), news: only.answered(10), state: only.state }).toEqual({
    order: [0],
    news: 'back',
    state: 'closed',
  });
});

test('where all fail, the one that answered last is asked, and the own one where none ever did', () => {
  const [own, next] = [new Circuit(), new Circuit()];
  own.failed(0);
  next.failed(0);
  expect(orderOf([own, next])).toEqual([0]);
  own.answered(5000);
  own.failed(5001);
  next.answered(6000);
  next.failed(9000);
  expect(orderOf([own, next])).toEqual([1]);
});

test('only the first failure is news', () => {
  const circuit = new Circuit();
  const news = [circuit.answered(0), circuit.failed(0), circuit.failed(1)];
  expect({ news }).toEqual({ news: [undefined, true, false] });
});

// Goal: a node that was frozen while its data centre was cut off a second time does not read it before hints have come.
test('one that recovers begins anew when this node stood still, and one that is asked stays so', () => {
  const [own, next] = [new Circuit(), new Circuit()];
  own.failed(0);
  own.answered(5000);
  for (const one of [own, next]) one.stoodStill(25_000);
  expect(own.answered(54_999)).toBeUndefined();
  expect({ order: orderOf([own, next]) }).toEqual({ order: [1, 0] });
  expect(own.answered(55_000)).toBe('back');
});

// Goal: nobody reads pages without what they were shown because one request was late.
test('the only one that has all is asked on after a late answer, until it has answered nothing for 5 s', () => {
  const [own, next] = [new Circuit(), new Circuit()];
  own.failed(0);
  const kept = (nowMs: number) => isKept(next, [own, next], nowMs);
  next.answered(4000);
  const whileOwnFails = kept(4001);
  own.answered(5000);
  next.answered(6000);
  expect({ whileOwnFails, late: kept(10_999), silent: kept(11_000) }).toEqual({
    whileOwnFails: false,
    late: true,
    silent: false,
  });
  own.answered(35_000);
  next.answered(35_000);
  expect({ hasAnother: kept(35_001) }).toEqual({ hasAnother: false });
});

test('one that never answered is not kept', () => {
  const [own, next] = [new Circuit(), new Circuit()];
  own.failed(0);
  own.answered(5000);
  expect(isKept(next, [own, next], 5001)).toBe(false);
});
