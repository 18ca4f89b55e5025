/** Which records make a node adopt a stream (C2): those of the dead, readable or not, and what it won without knowing it. */
import { expect, test } from 'vitest';
import { Orphans } from '../../../../../actors/stream/succession/orphans.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { BootId, Epoch, NodeId, StreamId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import type { OwnershipRecord } from '../../../../../cluster/ownership/ownership-store.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { MemoryIndexLog } from '../../../../support/ports/memory-index-log.ts';
import { region, stream } from '../../../../support/ports/records.ts';
import { relayInto } from '../../../../support/ports/relayed.ts';

const [n1, n2] = [NodeId.parse('n1'), NodeId.parse('n2')];
const bootOf = (node: NodeId): BootId => BootId.parse(`boot-${node}`);

interface Found {
  readonly alive: readonly NodeId[];
  readonly isActive?: boolean;
  readonly hasEnded?: boolean;
  readonly isUnreadable?: boolean;
  readonly hasLog?: boolean;
  /** The log's head comes from another region. */
  readonly isRelayed?: boolean;
  /** In the record. */
  readonly endedAt?: string;
  readonly isTakenMeanwhile?: boolean;
}

interface Done {
  /** Why, for each stream that is adopted. */
  readonly adopted: readonly string[];
  readonly written: readonly (readonly [OwnershipRecord, number])[];
  readonly warnings: readonly string[];
}

const recordOf = (owner: NodeId): OwnershipRecord => ({
  owner,
  region,
  bootId: bootOf(owner),
  epoch: Epoch.parse(1),
  since: '',
  reason: 'first publish',
});

/** What n1 does, when `owner` has written the log and the stream's record, and these nodes live. */
async function look(owner: NodeId, found: Found): Promise<Done> {
  const { alive, isActive = false, hasEnded = false, isUnreadable = false, hasLog = true } = found;
  const log = new MemoryIndexLog();
  let last = 0;
  const builder = new LogBuilder()
    .open({ node: owner, bootId: bootOf(owner) })
    .clock()
    .segments(1);
  const { entries } = hasEnded ? builder.end() : builder;
  const wrote = found.isRelayed === true ? relayInto([], entries) : entries;
  for (const { record } of hasLog ? wrote : []) last = await log.append(stream, record, last);
  const { endedAt } = found;
  const record = { ...recordOf(owner), ...(endedAt === undefined ? {} : { endedAt }) };
  const adopted: string[] = [];
  const written: (readonly [OwnershipRecord, number])[] = [];
  const warnings: string[] = [];
  const orphans = new Orphans({
    node: n1,
    bootId: bootOf(n1),
    clock: new JumpingClock(),
    log,
    logger: { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) },
    ownership: {
      get: async () => ({ record: isUnreadable ? undefined : record, revision: 1 }),
      put: async (_: StreamId, one: OwnershipRecord, revision: number) => {
        if (found.isTakenMeanwhile === true) throw new TangazaError('CONFLICT');
        return written.push([one, revision]);
      },
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
  return { adopted, written, warnings };
}

const adoptedBy = async (owner: NodeId, found: Found): Promise<readonly string[]> =>
  (await look(owner, found)).adopted;

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

// The clock has stood for the first wait in line, 300 ms.
const endedAt = '1970-01-01T00:00:00.300Z';

test.each([
  ['of a dead owner', n2, {}],
  ['of its own', n1, {}],
  ['of a dead owner, whose log is lost', n2, { hasLog: false }],
])('a broadcast %s that has ended is not adopted, and its record says so', async (_, owner, change) => {
  expect(await look(owner, { alive: [n1], hasEnded: true, ...change })).toEqual({
    adopted: [],
    warnings: [],
    written: [[{ ...recordOf(owner), endedAt }, 1]],
  });
});

test('a stream that another region has now is left alone, and its record says that it is over here', async () => {
  expect(await look(n2, { alive: [n1], isRelayed: true })).toEqual({
    adopted: [],
    warnings: [],
    written: [[{ ...recordOf(n2), endedAt }, 1]],
  });
  expect(await look(n2, { alive: [n1], isRelayed: true, isUnreadable: true })).toMatchObject({
    adopted: [],
    written: [],
  });
});

test('a record that says that its broadcast has ended is not asked for again', async () => {
  const nothing = { adopted: [], written: [], warnings: [] };
  expect(await look(n2, { alive: [n1], hasEnded: true, endedAt })).toEqual(nothing);
  expect(await look(n2, { alive: [n1, n2], hasEnded: true })).toEqual(nothing);
});

test('a publisher that claims the stream at that moment wins it, and that is no fault', async () => {
  expect(await look(n2, { alive: [n1], hasEnded: true, isTakenMeanwhile: true })).toEqual({
    adopted: [],
    written: [],
    warnings: [],
  });
});

test('where the record cannot be read, the head of the log says who owns the stream, and it is adopted from the dead alone', async () => {
  const isUnreadable = true;
  expect(await adoptedBy(n2, { alive: [n1], isUnreadable })).toEqual(['owner died (n2)']);
  expect(await adoptedBy(n2, { alive: [n1, n2], isUnreadable })).toEqual([]);
  expect(await adoptedBy(n1, { alive: [n1], isUnreadable })).toEqual(['its record was lost']);
  expect(await adoptedBy(n1, { alive: [n1], isUnreadable, isActive: true })).toEqual([]);
});

test('a record that cannot be read, of a broadcast that has ended or never began, makes nobody an owner', async () => {
  const { adopted, written } = await look(n2, { alive: [n1], isUnreadable: true, hasEnded: true });
  expect({ adopted, written }).toMatchObject({
    adopted: [],
    written: [[{ owner: n2, epoch: 1, endedAt }, 1]],
  });
  expect(await adoptedBy(n2, { alive: [n1], isUnreadable: true, hasLog: false })).toEqual([]);
});

/** Who n1 is asked to adopt of the streams of n2, when each adoption takes as long as `adopt` says. */
async function lookAtMany(count: number, adopt: () => Promise<void>): Promise<readonly StreamId[]> {
  const log = new MemoryIndexLog();
  const records = new Map<StreamId, OwnershipRecord>();
  const [opened] = new LogBuilder().open({ node: n2, bootId: bootOf(n2) }).entries;
  for (let index = 0; index < count; index += 1) {
    const id = StreamId.parse(`stream-${index}`);
    records.set(id, recordOf(n2));
    if (opened !== undefined) await log.append(id, opened.record, 0);
  }
  const asked: StreamId[] = [];
  const orphans = new Orphans({
    node: n1,
    bootId: bootOf(n1),
    clock: new JumpingClock(),
    log,
    logger: silentLogger,
    ownership: {
      get: async (id) => ({ record: records.get(id), revision: 1 }),
      put: async () => 2,
      list: async () => ({ records, unreadable: [] }),
    },
    candidates: () => [{ id: n1, weight: 1 }],
    isAlive: (node) => node === n1,
    isActive: () => false,
    own: () => [],
    adopt: async (id) => {
      asked.push(id);
      await adopt();
    },
  });
  await orphans.look();
  for (let turn = 0; turn < 100 * count; turn += 1) await Promise.resolve();
  return asked;
}

test('one look finds an owner for each of a dead node, however many they are', async () => {
  expect(new Set(await lookAtMany(300, async () => {})).size).toBe(300);
});

test('adoptions that do not end hold up the others: so many are under way at once', async () => {
  expect(await lookAtMany(300, () => new Promise(() => {}))).toHaveLength(32);
});
