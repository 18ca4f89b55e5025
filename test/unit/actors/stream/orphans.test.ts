/** Which records make a node adopt a stream (C2): those of the dead, readable or not, and what it won without knowing it. */
import { expect, test } from 'vitest';
import { Orphans } from '../../../../actors/stream/orphans.ts';
import { BootId, Epoch, NodeId } from '../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../cluster/observe/logger.ts';
import type { OwnershipRecord } from '../../../../cluster/ownership/ownership-store.ts';
import { JumpingClock } from '../../../support/jumping-clock.ts';
import { LogBuilder } from '../../../support/log-builder.ts';
import { MemoryIndexLog } from '../../../support/memory-index-log.ts';
import { region, stream } from '../../../support/records.ts';

const [n1, n2] = [NodeId.parse('n1'), NodeId.parse('n2')];
const bootOf = (node: NodeId): BootId => BootId.parse(`boot-${node}`);

interface Found {
  readonly alive: readonly NodeId[];
  readonly isActive?: boolean;
  readonly hasEnded?: boolean;
  readonly isUnreadable?: boolean;
  readonly hasLog?: boolean;
}

/** What n1 adopts, when `owner` has written the log and the stream's record, and these nodes live. */
async function adoptedBy(
  owner: NodeId,
  { alive, isActive = false, hasEnded = false, isUnreadable = false, hasLog = true }: Found,
): Promise<readonly string[]> {
  const log = new MemoryIndexLog();
  let last = 0;
  const builder = new LogBuilder()
    .open({ node: owner, bootId: bootOf(owner) })
    .clock()
    .segments(1);
  for (const { record } of hasLog ? (hasEnded ? builder.end() : builder).entries : [])
    last = await log.append(stream, record, last);
  const record: OwnershipRecord = {
    ...{ owner, region, bootId: bootOf(owner), epoch: Epoch.parse(1), since: '', reason: 'first publish' },
  };
  const adopted: string[] = [];
  const orphans = new Orphans({
    ...{ node: n1, bootId: bootOf(n1), clock: new JumpingClock(), logger: silentLogger, log },
    ownership: {
      get: async () => ({ record: isUnreadable ? undefined : record, revision: 1 }),
      put: async () => 1,
      list: async () =>
        isUnreadable
          ? { records: new Map(), unreadable: [stream] }
          : { records: new Map([[stream, record]]), unreadable: [] },
    },
    candidates: () => alive.map((id) => ({ id, weight: 1 })),
    isAlive: (node) => alive.includes(node),
    isActive: () => isActive,
    own: () => [],
    adopt: async (_, reason) => void adopted.push(reason),
  });
  await orphans.look();
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  return adopted;
}

test('the stream of a dead owner is adopted, that of a living one is not', async () => {
  expect(await adoptedBy(n2, { alive: [n1] })).toEqual(['owner died (n2)']);
  expect(await adoptedBy(n2, { alive: [n1, n2] })).toEqual([]);
});

test('a stream that this node has won without knowing it is taken up, one that it runs is not', async () => {
  expect(await adoptedBy(n1, { alive: [n1] })).toEqual(['first publish']);
  expect(await adoptedBy(n1, { alive: [n1], isActive: true })).toEqual([]);
});

test('a node that was declared dead takes up nothing, not even what the record calls its own', async () => {
  expect(await adoptedBy(n1, { alive: [n2] })).toEqual([]);
  expect(await adoptedBy(n2, { alive: [] })).toEqual([]);
});

test('a broadcast that has ended has no owner to mourn', async () => {
  expect(await adoptedBy(n2, { alive: [n1], hasEnded: true })).toEqual([]);
});

test('where the record cannot be read, the head of the log says who owns the stream, and it is adopted from the dead alone', async () => {
  const isUnreadable = true;
  expect(await adoptedBy(n2, { alive: [n1], isUnreadable })).toEqual(['owner died (n2)']);
  expect(await adoptedBy(n2, { alive: [n1, n2], isUnreadable })).toEqual([]);
  expect(await adoptedBy(n1, { alive: [n1], isUnreadable })).toEqual(['its record was lost']);
  expect(await adoptedBy(n1, { alive: [n1], isUnreadable, isActive: true })).toEqual([]);
});

test('a record that cannot be read, of a broadcast that has ended or never began, makes nobody an owner', async () => {
  expect(await adoptedBy(n2, { alive: [n1], isUnreadable: true, hasEnded: true })).toEqual([]);
  expect(await adoptedBy(n2, { alive: [n1], isUnreadable: true, hasLog: false })).toEqual([]);
});
