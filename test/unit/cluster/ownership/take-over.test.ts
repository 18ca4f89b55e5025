/** Taking over under races and lost acks (C1), on a log and a store in memory that fail on command. */
import { expect, test } from 'vitest';
import { errorCodeOf, TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import { BootId, Epoch, NodeId } from '../../../../cluster/model/ids.ts';
import type { OwnershipRecord } from '../../../../cluster/ownership/ownership-store.ts';
import { takeOver, type Claim } from '../../../../cluster/ownership/take-over.ts';
import { MemoryIndexLog } from '../../../support/ports/memory-index-log.ts';
import { MemoryOwnershipStore } from '../../../support/ports/stores/memory-ownership-store.ts';
import { openRecord, region, stream } from '../../../support/ports/records.ts';

const held: OwnershipRecord = {
  owner: NodeId.parse('n3'),
  region,
  bootId: BootId.parse('b3'),
  epoch: Epoch.parse(1),
  since: '',
  reason: 'test',
};

function claim(change: Partial<Claim> = {}): Claim {
  return {
    stream,
    node: NodeId.parse('n1'),
    region,
    bootId: BootId.parse('b1'),
    regionOrdinal: 0,
    reason: () => 'test',
    mayTakeFrom: async () => true,
    utcMs: () => 0,
    newRecordId: () => 'own',
    ...change,
  };
}

/** Does something before or instead of each append. */
class MeddledLog extends MemoryIndexLog {
  meddle: ((log: MemoryIndexLog, append: () => Promise<number>) => Promise<number>) | undefined;
  appends = 0;

  override async append(...call: Parameters<MemoryIndexLog['append']>): Promise<number> {
    this.appends += 1;
    const { meddle } = this;
    this.meddle = undefined;
    const append = (): Promise<number> => super.append(...call);
    return meddle === undefined ? append() : meddle(this, append);
  }
}

test('an `open` whose ack was lost is found at the tail, and not written twice', async () => {
  const log = new MeddledLog();
  log.meddle = async (_, append) => {
    await append();
    throw new TangazaError('LOG_UNAVAILABLE');
  };
  const taken = await takeOver(log, new MemoryOwnershipStore(), claim());
  const entries = await log.read(stream);
  expect(entries.map((entry) => entry.record.recordId)).toEqual(['own']);
  expect(taken).toMatchObject({ epoch: 1, openSequence: entries[0]?.sequence });
});

test('an `open` that was never stored is sent again', async () => {
  const log = new MeddledLog();
  log.meddle = async () => {
    throw new TangazaError('LOG_UNAVAILABLE');
  };
  await takeOver(log, new MemoryOwnershipStore(), claim());
  expect(log.appends).toBe(2);
});

test('an append of the former owner in between only makes it read again', async () => {
  const log = new MeddledLog();
  const first = await log.append(stream, openRecord({ epoch: 1, recordId: 'former' }), 0);
  log.meddle = async (_, append) => {
    await log.append(stream, openRecord({ epoch: 1, recordId: 'last gasp' }), first);
    return append();
  };
  const taken = await takeOver(log, new MemoryOwnershipStore(), claim());
  expect(taken.epoch).toBe(2);
  expect((await log.read(stream)).map((entry) => entry.record.recordId)).toEqual([
    'former',
    'last gasp',
    'own',
  ]);
});

test('a rival that opened an epoch that is not below ours is never overwritten: the claim begins again above it', async () => {
  const log = new MeddledLog();
  log.meddle = async (_, append) => {
    await log.append(stream, openRecord({ epoch: 9, node: 'n2', recordId: 'rival' }), 0);
    return append();
  };
  const taken = await takeOver(log, new MemoryOwnershipStore(), claim());
  expect(taken.epoch).toBe(10);
  expect((await log.read(stream)).map((entry) => Number(entry.record.epoch))).toEqual([9, 10]);
});

test('heads seen elsewhere lift the epoch', async () => {
  const taken = await takeOver(
    new MemoryIndexLog(),
    new MemoryOwnershipStore(),
    claim({ seenEpochs: [Epoch.parse(70)] }),
  );
  expect(taken.epoch).toBe(71);
});

test('a record that others keep changing ends in FENCED, not in a loop', async () => {
  const store = new MemoryOwnershipStore();
  const put = store.put.bind(store);
  store.put = async (...call) => {
    const { revision } = await store.get(stream);
    await put(stream, { ...held, owner: NodeId.parse('n9') }, revision);
    return put(...call);
  };
  expect(await takeOver(new MemoryIndexLog(), store, claim()).then(() => 'none', errorCodeOf)).toBe('FENCED');
});

test('a log that does not answer ends the claim with LOG_UNAVAILABLE', async () => {
  const log = new MemoryIndexLog();
  log.append = async () => {
    throw new TangazaError('LOG_UNAVAILABLE');
  };
  expect(await takeOver(log, new MemoryOwnershipStore(), claim()).then(() => 'none', errorCodeOf)).toBe(
    'LOG_UNAVAILABLE',
  );
});

// Goal: T5. Method: the log's head is of a higher epoch than the record, or there is no record; its author lives.
test.each([
  ['missing', undefined],
  ['of a lower epoch', { owner: NodeId.parse('n3'), epoch: Epoch.parse(4) }],
])('a record that is %s takes nothing from the living author of the log', async (_, former) => {
  const log = new MemoryIndexLog();
  await log.append(stream, openRecord({ epoch: 9, node: 'n2' }), 0);
  const store = new MemoryOwnershipStore();
  if (former !== undefined) await store.put(stream, { ...held, ...former }, 0);
  const asked: string[] = [];
  const mayTakeFrom = async ({ owner }: OwnershipRecord): Promise<boolean> => {
    asked.push(owner);
    return owner !== 'n2';
  };
  const refused = await takeOver(log, store, claim({ mayTakeFrom })).catch((error: unknown) => error);
  expect({ code: errorCodeOf(refused), asked }).toEqual({ code: 'NOT_OWNER', asked: ['n2'] });
  const taken = await takeOver(log, store, claim());
  expect(taken.epoch).toBe(10);
});
