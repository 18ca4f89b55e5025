/** When the record of a living owner is written again (C1, C5): where it is lost, and never against a newer claim. */
import { expect, test } from 'vitest';
import { restoreRecords } from '../../../../../actors/stream/owner/own-records.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { BootId, Epoch, NodeId, StreamId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import type { OwnershipRecord } from '../../../../../cluster/ownership/ownership-store.ts';
import { MemoryIndexLog } from '../../../../support/ports/memory-index-log.ts';
import { openRecord, region, stream } from '../../../../support/ports/records.ts';

const recordOf = (node: string, epoch: number): OwnershipRecord => ({
  owner: NodeId.parse(node),
  region,
  bootId: BootId.parse(`boot-${node}`),
  epoch: Epoch.parse(epoch),
  since: '',
  reason: 'first publish',
});
const own = recordOf('n1', 7);

interface Found {
  /** By the look, and by the read before the write. */
  readonly listed: OwnershipRecord | undefined;
  readonly read?: OwnershipRecord | undefined;
  /** Of the log. */
  readonly head?: { readonly node: string; readonly epoch: number };
  readonly isTaken?: boolean;
}

/** What is put into the bucket, at which revision. */
async function written({ listed, read, head = { node: 'n1', epoch: 7 }, isTaken = false }: Found) {
  const log = new MemoryIndexLog();
  const { node, epoch } = head;
  await log.append(stream, openRecord({ node, epoch, bootId: `boot-${node}` }), 0);
  const puts: [OwnershipRecord, number][] = [];
  const ownership = {
    get: async () => ({ record: read, revision: 4 }),
    put: async (_: StreamId, record: OwnershipRecord, revision: number) => {
      if (isTaken) throw new TangazaError('CONFLICT');
      return puts.push([record, revision]);
    },
    list: async () => ({ records: new Map(), unreadable: [] }),
  };
  const records = new Map(listed === undefined ? [] : [[stream, listed] as const]);
  const { signal } = new AbortController();
  await restoreRecords([{ stream, record: own }], records, { log, ownership, logger: silentLogger }, signal);
  return puts;
}

test('a record that is lost, or went back, is written again as it was', async () => {
  expect(await written({ listed: undefined })).toEqual([[own, 4]]);
  const over = { ...own, endedAt: 'then' };
  expect(await written({ listed: over, read: over })).toEqual([[own, 4]]);
  const older = recordOf('n2', 6);
  expect(await written({ listed: older, read: older })).toEqual([[own, 4]]);
});

test('a record that is there, or there again, is let be', async () => {
  expect(await written({ listed: own, read: undefined })).toEqual([]);
  expect(await written({ listed: undefined, read: own })).toEqual([]);
});

test('a newer claim stands, by whatever it is seen', async () => {
  expect(await written({ listed: recordOf('n2', 8) })).toEqual([]);
  expect(await written({ listed: undefined, read: recordOf('n2', 8) })).toEqual([]);
  expect(await written({ listed: undefined, head: { node: 'n2', epoch: 8 } })).toEqual([]);
  expect(await written({ listed: undefined, isTaken: true })).toEqual([]);
});

test('NATS that falls silent, or a stop, leaves the rest for later', async () => {
  const asked: StreamId[] = [];
  const stopping = new AbortController();
  const ownership = {
    get: async (id: StreamId) => {
      asked.push(id);
      throw new TangazaError('LOG_UNAVAILABLE');
    },
    put: async () => 1,
    list: async () => ({ records: new Map(), unreadable: [] }),
  };
  const two = [stream, StreamId.parse('other')].map((id) => ({ stream: id, record: own }));
  const ports = { log: new MemoryIndexLog(), ownership, logger: silentLogger };
  await restoreRecords(two, new Map(), ports, stopping.signal);
  expect(asked).toEqual([stream]);
  stopping.abort();
  await restoreRecords(two, new Map(), ports, stopping.signal);
  expect(asked).toEqual([stream]);
});
