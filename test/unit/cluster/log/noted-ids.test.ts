/** What a node notes of its region's log, for the warning that ids of periods run out (M1). */
import { expect, test } from 'vitest';
import { notingIds } from '../../../../cluster/log/noted-ids.ts';
import { MemoryIndexLog } from '../../../support/ports/memory-index-log.ts';
import { by, openRecord, stream } from '../../../support/ports/records.ts';
import { composeEpoch } from '../../../../cluster/ownership/epoch.ts';

test('a stream that has changed its region a thousand times is told, whoever appended or found it', async () => {
  const memory = new MemoryIndexLog();
  const [writer, reader] = [notingIds(memory), notingIds(memory)];
  await writer.log.append(stream, openRecord({ epoch: 5 }), 0);
  expect(writer.warning()).toBeUndefined();
  const tail = await writer.log.tail(stream);
  const epoch = composeEpoch({ term: 1024, regionOrdinal: 1, n: 0 });
  await writer.log.append(stream, { kind: 'open', ...by({ epoch }) }, tail?.sequence ?? 0);
  expect(writer.warning()).toContain('changed its region 1024 times');
  expect(reader.warning()).toBeUndefined();
  await reader.log.tail(stream);
  expect(reader.warning()).toContain('changed its region 1024 times');
});
