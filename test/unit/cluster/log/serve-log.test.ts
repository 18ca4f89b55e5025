/** What a region answers to relayers of others: pages of a log, and its head (R4). */
import { beforeEach, expect, test } from 'vitest';
import { readHead, readLog, logPage, type LogPage } from '../../../../cluster/contract/regions/log.ts';
import { serveLog, type ServeLogPorts } from '../../../../cluster/log/serve-log.ts';
import { RegionId } from '../../../../cluster/model/ids.ts';
import { MemoryIndexLog } from '../../../support/ports/memory-index-log.ts';
import { by, stream } from '../../../support/ports/records.ts';
import { MemoryRegions } from '../../../support/regions/memory-regions.ts';

const eu = RegionId.parse('eu');
const regions = new MemoryRegions({ regions: ['eu', 'us', 'asia'] });
const options = { key: stream, withinMs: 1000 };
let log = new MemoryIndexLog();
let length = 0;

beforeEach(() => {
  log = new MemoryIndexLog();
  length = 0;
  const stop = serveLog({ log, others: regions.of('eu') });
  return () => stop();
});

const read = (from: number | 'snapshot'): Promise<LogPage> =>
  regions.of('us').call(eu, readLog, { stream, from }, options);

async function write(kind: 'open' | 'snapshot', bytes = 0): Promise<void> {
  const recordId = `r${length}`;
  const record =
    kind === 'open'
      ? ({ kind, ...by({ recordId }) } as const)
      : ({ kind, ...by({ recordId }), nextNumber: 0, state: 'x'.repeat(bytes) } as const);
  length = await log.append(stream, record, length);
}

const shown = ({ entries, hasMore, hasPlace }: LogPage) => ({
  places: entries.map(({ sequence }) => sequence),
  hasMore,
  hasPlace,
});

test('from a place on, or from the newest snapshot', async () => {
  for (const kind of ['open', 'snapshot', 'open', 'snapshot', 'open'] as const) await write(kind);
  expect(shown(await read(2))).toEqual({ places: [2, 3, 4, 5], hasMore: false, hasPlace: true });
  expect(shown(await read('snapshot'))).toEqual({ places: [4, 5], hasMore: false, hasPlace: true });
});

test('without a snapshot from the first record; of an empty log nothing', async () => {
  expect(shown(await read('snapshot'))).toEqual({ places: [], hasMore: false, hasPlace: true });
  await write('open');
  expect(shown(await read('snapshot'))).toEqual({ places: [1], hasMore: false, hasPlace: true });
});

test('a place that the log no longer has, or not yet, is said', async () => {
  for (let count = 0; count < 3; count += 1) await write('open');
  await log.purgeBelow(stream, 3);
  expect(shown(await read(2))).toEqual({ places: [3], hasMore: false, hasPlace: false });
  expect(shown(await read(9))).toEqual({ places: [], hasMore: false, hasPlace: false });
});

test('pages are bounded in records and in bytes, and say that there is more', async () => {
  for (let count = 0; count <= logPage.maxRecords; count += 1) await write('open');
  expect(await read(1)).toMatchObject({ entries: { length: logPage.maxRecords }, hasMore: true });
  await write('snapshot', logPage.maxBytes);
  await write('open');
  const last = length;
  expect(shown(await read(last - 2))).toEqual({ places: [last - 2], hasMore: true, hasPlace: true });
  expect(shown(await read(last - 1))).toEqual({ places: [last - 1], hasMore: true, hasPlace: true });
});

test('a page costs no more than a page: the rest of the log is not read for it', async () => {
  const lengths: number[] = [];
  const counting: ServeLogPorts['log'] = {
    tail: (of) => log.tail(of),
    read: async (...args) => {
      const entries = await log.read(...args);
      lengths.push(entries.length);
      return entries;
    },
  };
  const asia = serveLog({ log: counting, others: regions.of('asia') });
  for (let count = 0; count < 3 * logPage.maxRecords; count += 1) await write('open');
  const call = regions.of('us').call(RegionId.parse('asia'), readLog, { stream, from: 1 }, options);
  expect(await call).toMatchObject({ entries: { length: logPage.maxRecords }, hasMore: true });
  expect(lengths).toEqual([logPage.maxRecords + 1]);
  asia();
});

test('the head is the last record; an empty log has none', async () => {
  const head = () => regions.of('us').call(eu, readHead, { stream }, options);
  expect(await head()).toEqual({});
  await write('open');
  expect(await head()).toEqual({ head: { sequence: 1, recordId: 'r0', epoch: by().epoch } });
});
