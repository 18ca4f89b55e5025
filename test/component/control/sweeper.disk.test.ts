/** The sweeper on a real disk store, with a log in memory: what stays and what goes. */
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Sweeper, type SweepReport } from '../../../actors/control/sweeper.ts';
import { addNamedKeys } from '../../../actors/control/sweep-plan.ts';
import { toSnapshot } from '../../../actors/media/timeline/snapshot.ts';
import type { Timeline } from '../../../actors/media/timeline/timeline.ts';
import { openDiskStore } from '../../../actors/segment-store/segment-store.disk.ts';
import type { SegmentStore } from '../../../actors/segment-store/segment-store.ts';
import { NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { LogBuilder } from '../../support/ports/log-builder.ts';
import { MemoryIndexLog } from '../../support/ports/memory-index-log.ts';
import { stream } from '../../support/ports/records.ts';

const hourMs = 3_600_000;
const retentionSeconds = 24 * 3600;
const stray = `demo/2/h264-240p/999-${'f'.repeat(16)}`;

class Rig implements AsyncDisposable {
  readonly folder: string;
  readonly store: SegmentStore;

  constructor(folder: string, store: SegmentStore) {
    this.folder = folder;
    this.store = store;
  }

  static async open(): Promise<Rig> {
    const folder = await mkdtemp(join(tmpdir(), 'tangaza-sweeper-'));
    return new Rig(
      folder,
      await openDiskStore({ folder, reserveBytes: 0, clock: systemClock, metrics: noMetrics }),
    );
  }

  /** Stores an object as if that had been `hours` ago. */
  async put(key: string, hours: number, body = 'media'): Promise<void> {
    await this.store.putIfAbsent(key, Buffer.from(body));
    const at = new Date(Date.now() - hours * hourMs);
    await utimes(join(this.folder, key), at, at);
  }

  async keys(): Promise<readonly string[]> {
    const keys: string[] = [];
    for await (const { key } of this.store.list('')) keys.push(key);
    return keys;
  }

  sweep(log: IndexLog): Promise<SweepReport> {
    return new Sweeper({
      node: NodeId.parse('n1'),
      region: RegionId.parse('r1'),
      clock: systemClock,
      members: { list: () => ({ revision: 0, members: [], readAtMs: 0 }) },
      log,
      store: this.store,
      metrics: noMetrics,
      logger: silentLogger,
      retentionSeconds,
    }).sweepAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function namedBy(timeline: Timeline): readonly string[] {
  const keys = new Set<string>();
  addNamedKeys(keys, stream, timeline);
  return [...keys].toSorted();
}

async function logOf(builder: LogBuilder, fromSequence = 1): Promise<MemoryIndexLog> {
  const log = new MemoryIndexLog();
  let last = 0;
  for (const { record } of builder.entries) last = await log.append(stream, record, last);
  await log.purgeBelow(stream, fromSequence);
  return log;
}

// Goal: only what is too old or was never committed goes. Method: real files with ages of hours on both sides of each bound.
test('committed segments stay, uncommitted and expired ones go, inits stay', async () => {
  await using rig = await Rig.open();
  const builder = new LogBuilder().open().clock().segments(3);
  const named = namedBy(builder.fold());
  const inits = named.filter((key) => key.includes('/init-'));
  const [old, ...young] = named.filter((key) => !key.includes('/init-'));
  for (const key of inits) await rig.put(key, 1000);
  for (const key of young) await rig.put(key, 23);
  await rig.put(old ?? '', 25);
  await rig.put(stray, 1);
  await rig.put(stray.replace('999', '1000'), 0);
  const report = await rig.sweep(await logOf(builder));
  expect(report).toMatchObject({ streams: 1, unknown: 0, expired: 1, uncommitted: 1, bytes: 10 });
  expect(await rig.keys()).toEqual([...inits, ...young, stray.replace('999', '1000')].toSorted());
});

// Goal: what has left the log lives by its archive. Method: the log is purged to a snapshot; an archive has the rest.
test('segments that only an archive names stay, with their inits, and an archive past retention goes', async () => {
  await using rig = await Rig.open();
  const builder = new LogBuilder().open().clock().segments(6);
  const whole = builder.fold();
  const named = namedBy(whole);
  const body = JSON.stringify(toSnapshot(whole));
  const state = JSON.parse(JSON.stringify(toSnapshot(builder.fold(), 4)));
  const sequence = builder.add({ ...first(builder), kind: 'snapshot', nextNumber: 6, state });
  for (const key of named) await rig.put(key, 2);
  await rig.put('index/demo/1-6.json', 2, body);
  await rig.put('index/demo/1-5.json', 30, body);
  expect(await rig.sweep(await logOf(builder, sequence))).toMatchObject({
    expired: 0,
    uncommitted: 0,
    archives: 1,
  });
  expect(await rig.keys()).toEqual([...named, 'index/demo/1-6.json'].toSorted());
});

// Goal: what is not known is kept (expiry.ts E1). Method: every way in which a log or an archive fails to say what it names.
test.each([
  ['the log cannot be read', { isBroken: true, archive: undefined, isDamaged: false }],
  ['the log ends before an archive', { isBroken: false, archive: 'index/demo/1-7.json', isDamaged: false }],
  ['an archive is damaged', { isBroken: false, archive: 'index/demo/1-2.json', isDamaged: true }],
])('nothing of a stream goes when %s', async (_, { isBroken, archive, isDamaged }) => {
  await using rig = await Rig.open();
  const builder = new LogBuilder().open().clock().segments(3);
  await rig.put(stray, 1000);
  if (archive !== undefined)
    await rig.put(archive, 1, isDamaged ? '{"version":1' : JSON.stringify(toSnapshot(builder.fold())));
  const log = await logOf(builder);
  if (isBroken) log.read = () => Promise.reject(new Error('gone'));
  expect(await rig.sweep(log)).toMatchObject({ unknown: 1, uncommitted: 0, expired: 0 });
  expect(await rig.keys()).toContain(stray);
});

test('nothing of a stream goes when its log is empty', async () => {
  await using rig = await Rig.open();
  await rig.put(stray, 1000);
  expect(await rig.sweep(new MemoryIndexLog())).toMatchObject({ unknown: 1, uncommitted: 0 });
  expect(await rig.keys()).toEqual([stray]);
});

/** The fields that every record has. */
function first(builder: LogBuilder) {
  const [entry] = builder.entries;
  if (entry === undefined) throw new Error('the log is empty');
  const { epoch, node, region, bootId, recordId, atMs } = entry.record;
  return { epoch, node, region, bootId, recordId, atMs };
}
