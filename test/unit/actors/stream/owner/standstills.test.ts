/** Who takes a stream whose log stands still under a living owner, and when nobody may (C3: media liveness). */
import { expect, test } from 'vitest';
import { Standstills, standstillMs } from '../../../../../actors/stream/owner/standstills.ts';
import type { AdoptParams } from '../../../../../cluster/contract/stream-actions.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { BootId, Epoch, NodeId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import type { OwnershipRecord } from '../../../../../cluster/ownership/ownership-store.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { MemoryIndexLog } from '../../../../support/ports/memory-index-log.ts';
import { by, region, stream } from '../../../../support/ports/records.ts';

const [n1, n2, n3] = [NodeId.parse('n1'), NodeId.parse('n2'), NodeId.parse('n3')];

/** n1 has a waiting session of a stream that `owner` owns. */
async function scene({ owner = n2, mayTake = true, successors = [n2, n3] } = {}) {
  const log = new MemoryIndexLog();
  let last = 0;
  const append = async (record: Parameters<MemoryIndexLog['append']>[1]): Promise<void> => {
    last = await log.append(stream, record, last);
  };
  for (const { record } of new LogBuilder().open().clock().segments(1).entries) await append(record);
  const record: OwnershipRecord = {
    owner,
    region,
    bootId: BootId.parse('b'),
    epoch: Epoch.parse(1),
    since: '',
    reason: 'first publish',
  };
  const clock = new JumpingClock();
  const state = { record, isUnreadable: false };
  const adopted: (readonly [NodeId, AdoptParams])[] = [];
  const standstills = new Standstills({
    node: n1,
    clock,
    logger: silentLogger,
    log,
    ownership: {
      get: async () => {
        if (state.isUnreadable) throw new TangazaError('LOG_UNAVAILABLE');
        return { record: state.record, revision: 1 };
      },
      put: async () => 1,
      list: async () => ({ records: new Map(), unreadable: [] }),
    },
    mayTake: () => mayTake,
    successors: async () => successors,
    adopt: async (node, params) => void adopted.push([node, params]),
  });
  const lookFor = async (ms: number): Promise<void> => {
    for (let passed = 0; passed <= ms; passed += 1000) {
      await standstills.look(stream);
      clock.nowMs += 1000;
    }
  };
  return { adopted, append, clock, lookFor, standstills, state };
}

test('after 6 s of a log that does not move the session’s own node takes the stream', async () => {
  const it = await scene();
  await it.lookFor(standstillMs - 1000);
  expect(it.adopted).toEqual([]);
  await it.lookFor(0);
  expect(it.adopted).toEqual([
    [n1, { streamId: stream, from: n2, epoch: 1, reason: 'the log stood still for 6 s (n2)', sessions: [] }],
  ]);
});

test('an owner on the session’s node gives it to the next in line, and so does a node that drains', async () => {
  const own = await scene({ owner: n1 });
  await own.lookFor(standstillMs);
  const draining = await scene({ mayTake: false });
  await draining.lookFor(standstillMs);
  expect({ own: own.adopted[0]?.[0], draining: draining.adopted[0]?.[0] }).toEqual({ own: n2, draining: n3 });
});

test('without anybody else it stays, and the caller hears why', async () => {
  const it = await scene({ owner: n1, successors: [] });
  await expect(it.lookFor(standstillMs)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('a record in the log, another owner and a broadcast that is over begin the count anew', async () => {
  const it = await scene();
  await it.lookFor(4000);
  await it.append({
    kind: 'gap',
    ...by(),
    number: 1,
    period: 2 as never,
    start90k: 180_000,
    duration90k: 1,
    reason: 'x',
  });
  await it.lookFor(4000);
  it.state.record = { ...it.state.record, owner: n3, epoch: Epoch.parse(2) };
  await it.lookFor(4000);
  await it.append({ kind: 'end', ...by(), reason: 'test' });
  await it.lookFor(20_000);
  expect(it.adopted).toEqual([]);
});

test('a log that cannot be read is evidence against nobody (C8)', async () => {
  const it = await scene();
  await it.lookFor(4000);
  it.state.isUnreadable = true;
  await it.lookFor(20_000);
  it.state.isUnreadable = false;
  await it.lookFor(4000);
  expect(it.adopted).toEqual([]);
});

test('a session that has not waited for a while begins anew', async () => {
  const it = await scene();
  await it.lookFor(4000);
  it.clock.nowMs += 10_000;
  await it.lookFor(4000);
  expect(it.adopted).toEqual([]);
});
