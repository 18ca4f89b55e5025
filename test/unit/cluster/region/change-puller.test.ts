/** What a region takes of another one's changes, and what it refuses (R12). */
import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  ChangedEvent,
  changesCall,
  type Changes,
  type ChangesQuery,
} from '../../../../cluster/contract/regions/changes.ts';
import type { RegionId } from '../../../../cluster/model/ids.ts';
import { silentLogger as logger } from '../../../../cluster/observe/logger.ts';
import { noMetrics as metrics } from '../../../../cluster/observe/metrics.ts';
import { ChangePuller } from '../../../../cluster/region/change-puller.ts';
import { HandClock, settled } from '../../../support/regions/hand-clock.ts';
import { MemoryRegions } from '../../../support/regions/memory-regions.ts';

const call = changesCall('numbers', z.number(), 1000);
const hint = { name: 'numbers-changed', event: ChangedEvent, maxBytes: 500, perSecond: 1000 };
const cursor: ChangesQuery = { by: 'us', of: 'eu', afterSeq: 500, mark: 'before' };
const part: Changes<number> = { databaseId: 'eu', changes: [1], toSeq: 500, mark: 'before', isAll: false };
const whole: Changes<number> = { ...part, changes: [], isAll: true };

/** Asks with `cursor`, until all came or nothing leads on. @returns what was taken of the answer, and of the one behind it, which says that it is all */
async function taken(answer: Changes<number>): Promise<readonly Changes<number>[]> {
  const clock = new HandClock();
  const allowed = { calls: [call], events: [hint] };
  const joined = new MemoryRegions({ regions: ['eu', 'us'], clock, allowed });
  const answers = [answer];
  joined.of('eu').serve(call, async () => answers.shift() ?? whole);
  const all: Changes<number>[] = [];
  const database = {
    cursor: async () => cursor,
    take: async (_: RegionId, came: Changes<number>) => void all.push(came),
  };
  const ports = { name: 'numbers', others: joined.of('us'), clock, logger, metrics, call, hint, database };
  const puller = new ChangePuller({ ...ports, isMine: () => true });
  puller.start();
  await settled();
  puller.stop();
  return all;
}

test('an answer that says that there is more, and ends where the reader is, is not taken, and nobody asks for it at once again', async () => {
  expect(await taken(part)).toEqual([]);
});

// Goal: a region whose backup was put back is read again. Method: it begins anew, and its first part of 500 ends at the number that the reader had.
test('an answer that begins anew is taken, though it ends at the number where the reader was', async () => {
  const another = { ...part, mark: 'after-the-backup' };
  expect(await taken(another)).toEqual([another, whole]);
  const first = { ...part, databaseId: 'another-file' };
  expect(await taken(first)).toEqual([first, whole]);
});
