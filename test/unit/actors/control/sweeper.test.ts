import { expect, test } from 'vitest';
import { Sweeper, sweepEveryMs } from '../../../../actors/control/sweeper.ts';
import { BootId, NodeId, RegionId } from '../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../../cluster/time/clock.ts';
import { LogBuilder } from '../../../support/ports/log-builder.ts';
import { MemoryIndexLog } from '../../../support/ports/memory-index-log.ts';
import { MemorySegmentStore } from '../../../support/ports/memory-segment-store.ts';
import { stream } from '../../../support/ports/records.ts';

const stray = `demo/2/h264-240p/999-${'f'.repeat(16)}`;
const hourMs = 3_600_000;

/** An hour after all was stored; its timer is rung by hand. */
class HandClock implements Clock {
  everyMs: number | undefined;
  ring: () => void | Promise<void> = () => {};
  utcMs = (): number => hourMs;
  monotonicMs = (): number => 0;
  runningMs = (): number => 0;
  sleep = async (): Promise<void> => {};
  every(ms: number, run: () => void | Promise<void>): () => void {
    this.everyMs = ms;
    this.ring = run;
    return () => {
      this.everyMs = undefined;
    };
  }
}

const member = (name: string, isAlive: boolean) => ({
  id: NodeId.parse(name),
  region: RegionId.parse('r1'),
  host: 'h',
  pid: 1,
  bootId: BootId.parse('b1'),
  roles: ['control'],
  httpUrl: '',
  rtmpUrl: '',
  startedAt: '',
  weight: 1,
  protocol: 1,
  incarnation: 1,
  state: isAlive ? ('alive' as const) : ('dead' as const),
  isAlive,
});

async function start(aliveOthers: readonly string[]) {
  const store = new MemorySegmentStore();
  await store.putIfAbsent(stray, Buffer.from('media'));
  const log = new MemoryIndexLog();
  let last = 0;
  for (const { record } of new LogBuilder().open().clock().segments(1).entries)
    last = await log.append(stream, record, last);
  const failures: number[] = [];
  const metrics = {
    ...noMetrics,
    counter: ({ name }: { readonly name: string }) => ({
      add: (value: number) => void (name === 'tangaza_sweep_failures_total' && failures.push(value)),
    }),
  };
  const members = [member('n1', true), ...aliveOthers.map((name) => member(name, true))];
  const clock = new HandClock();
  const sweeper = new Sweeper({
    node: NodeId.parse('n1'),
    region: RegionId.parse('r1'),
    clock,
    members: { list: () => ({ revision: 1, members, readAtMs: 0 }) },
    log,
    store,
    metrics,
    logger: silentLogger,
    retentionSeconds: 86_400,
  });
  sweeper.start();
  const keys = async (): Promise<readonly string[]> =>
    (await Array.fromAsync(store.list(''))).map(({ key }) => key);
  return { sweeper, clock, store, failures, keys };
}

test('a node that is alone sweeps every ten minutes', async () => {
  const { clock, keys } = await start([]);
  expect(clock.everyMs).toBe(sweepEveryMs);
  await clock.ring();
  expect(await keys()).toEqual([]);
});

// Goal: one node sweeps. Method: companions are added until another one stands first for `sweep`.
test('a node that does not stand first leaves the store alone', async () => {
  const { clock, keys } = await start(Array.from({ length: 40 }, (_, index) => `m${index}`));
  await clock.ring();
  expect(await keys()).toEqual([stray]);
});

test('a store that fails ends the sweep, is counted, and stops nothing', async () => {
  const { clock, store, failures, keys } = await start([]);
  const deleteAll = store.delete.bind(store);
  store.delete = () => Promise.reject(new Error('gone'));
  await clock.ring();
  expect(failures).toEqual([1]);
  store.delete = deleteAll;
  await clock.ring();
  expect(await keys()).toEqual([]);
});

test('a sweeper that is stopped has no timer, and a sweep under way ends without a failure', async () => {
  const { sweeper, clock, store, failures } = await start([]);
  store.delete = () => {
    sweeper.stop();
    return Promise.reject(new Error('aborted'));
  };
  await clock.ring();
  expect(clock.everyMs).toBeUndefined();
  expect(failures).toEqual([]);
});
