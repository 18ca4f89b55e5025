/** Keeps in Cassandra whose likes or answers a region has counted anew, for the other regions: rows that end by themselves after 10 minutes. */
import { z } from 'zod';
import type { Database } from '../../../cluster/cassandra/database.cassandra.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { idOf, localOf, minuteOf } from '../store/cassandra/comment-row.ts';
import type { ChangedCounts } from './changed-counts.ts';

const Row = z.object({ region: z.string(), id: z.string(), at: z.number() });
/** A batch of one partition; Cassandra warns of large ones. */
const mostAtOnce = 50;
/** What is written by a clock that is ahead. */
const aheadMs = 2000;

/** @param nowMs UTC */
export function openCassandraChangedCounts(
  database: Pick<Database, 'run' | 'runTogether'>,
  region: RegionId,
  nowMs: () => number,
): ChangedCounts {
  const query = 'INSERT INTO changed_counts (stream, minute, region, id, at) VALUES (?, ?, ?, ?, ?)';
  return {
    note: async (stream, ids, atMs) => {
      for (let first = 0; first < ids.length; first += mostAtOnce)
        await database.runTogether(
          ids.slice(first, first + mostAtOnce).map((id) => ({
            query,
            values: [stream, minuteOf(atMs), region, localOf(id), atMs],
          })),
        );
    },
    elsewhereSince: async (stream, sinceMs) => {
      const minutes: number[] = [];
      for (let minute = minuteOf(sinceMs); minute <= minuteOf(nowMs() + aheadMs); minute += 1)
        minutes.push(minute);
      const rows = await Promise.all(minutes.map((minute) => ofMinute(database, stream, minute)));
      return rows
        .flat()
        .filter((row) => row.region !== region)
        .map(({ id, at }) => ({ id: idOf(stream, id), atMs: at }));
    },
  };
}

async function ofMinute(database: Pick<Database, 'run'>, stream: StreamId, minute: number) {
  const query = 'SELECT region, id, at FROM changed_counts WHERE stream = ? AND minute = ?';
  return (await database.run(query, [stream, minute])).map((row) => Row.parse(row));
}
