import { expect, test } from 'vitest';
import { errorCodeOf, TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import { BootId, Epoch, NodeId, StreamId } from '../../../../cluster/model/ids.ts';
import { OwnershipMemory } from '../../../../cluster/ownership/known-ownership.ts';
import type {
  OwnershipRecord,
  WatchedOwnershipStore,
} from '../../../../cluster/ownership/ownership-store.ts';
import type { Clock } from '../../../../cluster/time/clock.ts';
import { region } from '../../../support/ports/records.ts';

const [one, two] = [StreamId.parse('one'), StreamId.parse('two')];
const ownedBy = (node: string, epoch = 1): OwnershipRecord => ({
  owner: NodeId.parse(node),
  region,
  bootId: BootId.parse('b'),
  epoch: Epoch.parse(epoch),
  since: 'then',
  reason: 'first publish',
});

/** A store that answers, fails or keeps silent; patience ends at once. */
function setUp() {
  const records = new Map<StreamId, OwnershipRecord>([[one, ownedBy('n1')]]);
  const state = { answer: 'yes' as 'yes' | 'fails' | 'never', isDown: false, nowMs: 1000, asked: 0 };
  const answer = <T>(value: () => T): Promise<T> => {
    state.asked += 1;
    if (state.answer === 'never') return new Promise(() => {});
    if (state.answer === 'fails') return Promise.reject(new TangazaError('LOG_UNAVAILABLE', 'timeout'));
    return Promise.resolve(value());
  };
  const watched: (readonly [StreamId, OwnershipRecord])[] = [];
  const store: WatchedOwnershipStore = {
    get: (stream) => answer(() => ({ record: records.get(stream), revision: 1 })),
    put: (stream, record) =>
      answer(() => {
        records.set(stream, record);
        return 2;
      }),
    list: () => answer(() => ({ records: new Map(records), unreadable: [] })),
    async *watch() {
      yield* watched;
    },
    close: () => {},
  };
  const clock: Clock = {
    utcMs: () => state.nowMs,
    monotonicMs: () => state.nowMs,
    runningMs: () => state.nowMs,
    every: () => () => {},
    sleep: async () => {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    },
  };
  const memory = new OwnershipMemory({ store, clock, isDown: () => state.isDown });
  return { memory, state, records, watched };
}

test('while the store answers, its answer is given, with no age', async () => {
  const { memory } = setUp();
  expect(await memory.known(one)).toEqual({ value: ownedBy('n1') });
  expect(await memory.allKnown()).toEqual({ value: new Map([[one, ownedBy('n1')]]) });
});

test.each(['fails', 'never'] as const)(
  'a store that answers "%s" is answered for, with the age',
  async (how) => {
    const { memory, state } = setUp();
    await memory.list();
    Object.assign(state, { answer: how, nowMs: 15_000 });
    expect(await memory.known(one)).toEqual({ value: ownedBy('n1'), ageMs: 14_000 });
    expect(await memory.known(two)).toEqual({ value: undefined, ageMs: 14_000 });
    expect(await memory.allKnown()).toEqual({ value: new Map([[one, ownedBy('n1')]]), ageMs: 14_000 });
  },
);

test('while the connection is known to be down nobody asks', async () => {
  const { memory, state } = setUp();
  await memory.list();
  Object.assign(state, { answer: 'never', isDown: true, asked: 0 });
  await memory.known(one);
  await memory.allKnown();
  expect(state.asked).toBe(0);
});

test('where nothing is known yet, the error is the one of the store', async () => {
  const { memory, state } = setUp();
  state.answer = 'fails';
  for (const work of [memory.known(one), memory.allKnown()])
    expect(await work.then(() => 'none', errorCodeOf)).toBe('LOG_UNAVAILABLE');
});

test('what was written or read after the list is newer than the list', async () => {
  const { memory, state, records } = setUp();
  await memory.list();
  state.nowMs = 4000;
  await memory.put(two, ownedBy('n2'), 0);
  records.set(one, ownedBy('n2', 2));
  await memory.get(one);
  Object.assign(state, { answer: 'fails', nowMs: 6000 });
  expect(await memory.known(two)).toEqual({ value: ownedBy('n2'), ageMs: 2000 });
  const all = new Map([
    [one, ownedBy('n2', 2)],
    [two, ownedBy('n2')],
  ]);
  expect(await memory.allKnown()).toEqual({ value: all, ageMs: 5000 });
});

test('what the watch brings is known at once, but never an older epoch', async () => {
  const { memory, state, records, watched } = setUp();
  records.set(one, ownedBy('n2', 2));
  await memory.list();
  Object.assign(state, { answer: 'fails', nowMs: 3000 });
  watched.push([one, ownedBy('n1', 1)], [two, ownedBy('n2')]);
  memory.start();
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  expect(await memory.known(one)).toEqual({ value: ownedBy('n2', 2), ageMs: 2000 });
  expect(await memory.known(two)).toEqual({ value: ownedBy('n2'), ageMs: 0 });
});

test('a stream that the list no longer has is forgotten', async () => {
  const { memory, state, records } = setUp();
  await memory.list();
  records.delete(one);
  state.nowMs = 2000;
  await memory.list();
  state.answer = 'fails';
  expect(await memory.known(one)).toEqual({ value: undefined, ageMs: 0 });
});

test('what decides goes to the store, and fails with it', async () => {
  const { memory, state } = setUp();
  await memory.list();
  state.answer = 'fails';
  for (const work of [memory.get(one), memory.list(), memory.put(one, ownedBy('n2'), 1)])
    expect(await work.then(() => 'none', errorCodeOf)).toBe('LOG_UNAVAILABLE');
});
