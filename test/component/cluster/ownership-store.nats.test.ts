/** Ownership records on a real nats-server beyond their port's contract, and the take-over on top of them (C1, C5). */
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { BootId, Epoch, NodeId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { openNatsIndexLog } from '../../../cluster/log/index-log.nats.ts';
import { openNatsOwnershipStore } from '../../../cluster/ownership/ownership-store.nats.ts';
import type { OwnershipRecord } from '../../../cluster/ownership/ownership-store.ts';
import { takeOver, type Claim } from '../../../cluster/ownership/take-over.ts';
import { openRecord, region, stream } from '../../support/ports/records.ts';
import { startNats } from '../../support/cluster/start-nats.ts';

async function openBoth() {
  const nats = await startNats({ jetstream: true });
  const connection = await connect({ servers: nats.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  const log = await openNatsIndexLog({ connection, region, metrics: noMetrics, logger: silentLogger });
  const store = await openNatsOwnershipStore({ connection, region, logger: silentLogger });
  const dispose = async (): Promise<void> => {
    await connection.close();
    await nats[Symbol.asyncDispose]();
  };
  return { nats, connection, log, store, [Symbol.asyncDispose]: dispose };
}

const record = (node: string, epoch: number): OwnershipRecord => ({
  owner: NodeId.parse(node),
  region,
  bootId: BootId.parse('b1'),
  epoch: Epoch.parse(epoch),
  since: '2026-11-24T00:00:00.000Z',
  reason: 'test',
});

function claim(node: string, change: Partial<Claim> = {}): Claim {
  let count = 0;
  return {
    stream,
    node: NodeId.parse(node),
    region,
    bootId: BootId.parse(`boot-${node}`),
    regionOrdinal: 0,
    reason: (former) => (former === undefined ? 'first publish' : 'owner died'),
    mayTakeFrom: async () => true,
    utcMs: () => 1_700_000_000_000,
    newRecordId: () => `${node}-${(count += 1)}`,
    ...change,
  };
}

const codeOf = async (work: Promise<unknown>): Promise<string> => work.then(() => 'none', errorCodeOf);

test('a corrupt record reads as none, is told by the list, and can be replaced', async () => {
  await using cluster = await openBoth();
  const kv = await new Kvm(cluster.connection).open('ownership-eu');
  const revision = await kv.put(stream, 'not json');
  expect(await cluster.store.get(stream)).toEqual({ record: undefined, revision });
  expect(await cluster.store.list()).toEqual({ records: new Map(), unreadable: [stream] });
  await cluster.store.put(stream, record('n1', 7), revision);
  const records = new Map([[stream, record('n1', 7)]]);
  expect(await cluster.store.list()).toEqual({ records, unreadable: [] });
  await kv.delete(stream);
  expect(await cluster.store.list()).toEqual({ records: new Map(), unreadable: [] });
});

test('with the server gone the store says LOG_UNAVAILABLE', async () => {
  await using cluster = await openBoth();
  await cluster.nats.kill();
  expect(await codeOf(cluster.store.get(stream))).toBe('LOG_UNAVAILABLE');
});

test('a first claim starts at epoch 1 and the next is above it', async () => {
  await using cluster = await openBoth();
  const first = await takeOver(cluster.log, cluster.store, claim('n1'));
  const second = await takeOver(cluster.log, cluster.store, claim('n2'));
  expect({ firstEpoch: first.epoch, secondEpoch: second.epoch }).toEqual({ firstEpoch: 1, secondEpoch: 2 });
  expect((await cluster.store.get(stream)).record).toMatchObject({
    owner: 'n2',
    epoch: 2,
    reason: 'owner died',
  });
  const open = (await cluster.log.read(stream)).map((entry) => [
    entry.record.kind,
    entry.record.epoch,
    entry.record.node,
  ]);
  expect(open).toEqual([
    ['open', 1, 'n1'],
    ['open', 2, 'n2'],
  ]);
});

test('a live owner is not passed over, and its name is told', async () => {
  await using cluster = await openBoth();
  await takeOver(cluster.log, cluster.store, claim('n1'));
  const refused = await takeOver(
    cluster.log,
    cluster.store,
    claim('n2', { mayTakeFrom: async () => false }),
  ).catch((e: unknown) => e);
  expect(refused).toBeInstanceOf(TangazaError);
  expect(refused).toMatchObject({ code: 'NOT_OWNER', data: { owner: 'n1' } });
});

test('with the record lost, the epoch comes from the head of the log', async () => {
  await using cluster = await openBoth();
  await cluster.log.append(stream, openRecord({ epoch: 41 }), 0);
  const taken = await takeOver(cluster.log, cluster.store, claim('n1'));
  expect(taken.epoch).toBe(42);
});

// Goal: of many nodes that take one stream over at once, epochs stay unique and the log never shows one going back.
test('ten nodes that take over at once leave a log of strictly growing epochs', async () => {
  await using cluster = await openBoth();
  const nodes = Array.from({ length: 10 }, (_, index) => `n${index}`);
  const taken = await Promise.all(
    nodes.map((node) => takeOver(cluster.log, cluster.store, claim(node)).catch(() => undefined)),
  );
  const epochs = (await cluster.log.read(stream)).map((entry) => Number(entry.record.epoch));
  expect(epochs).toEqual([...new Set(epochs)].toSorted((a, b) => a - b));
  const winners = taken.filter((one) => one !== undefined);
  expect(winners.length).toBeGreaterThan(0);
  for (const winner of winners) expect(epochs).toContain(winner.epoch);
});

test('a former owner is fenced by the open of its successor', async () => {
  await using cluster = await openBoth();
  const first = await takeOver(cluster.log, cluster.store, claim('n1'));
  await takeOver(cluster.log, cluster.store, claim('n2'));
  const late = openRecord({ epoch: first.epoch, recordId: 'late' });
  expect(await codeOf(cluster.log.append(stream, late, first.openSequence))).toBe('FENCED');
});
