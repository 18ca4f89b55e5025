/** Asks each data centre of Cassandra by itself what it has of the comments, at its own LOCAL_QUORUM (A6). */
import { z } from 'zod';
import type { Database, DataCentreReads } from '../../../cluster/cassandra/database.cassandra.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { CommentId, StreamId } from '../../../cluster/model/ids.ts';
import { idOf, minuteOf } from '../store/cassandra/comment-row.ts';
import { isMinuteThere } from '../store/cassandra/minutes.cassandra.ts';
import type { ReplicaReads, Stretch } from './replica-reads.ts';

/** More rows of one stretch are no comments of people. What is left out is looked for in a later read. */
const mostRows = 20_000;
/** Minutes that are known to be in the index of a data centre. Of one that is not, nothing is remembered. */
const mostMinutes = 20_000;

/** Its time of arrival comes in one write with all that its author sent. A row that was hidden before it came has none. */
const Row = z.object({ id: z.string(), arrived_at: z.number().nullable() });

export function cassandraReplicaReads({ dataCentres }: Pick<Database, 'dataCentres'>): ReplicaReads {
  const byName = new Map(dataCentres.map((one) => [one.name, one]));
  const minutes = new Set<string>();

  /** Pages step over a minute that is not in the index (A3): a comment of it would be there, and nobody would find it. */
  async function isFound(centre: DataCentreReads, stream: StreamId, minute: number): Promise<boolean> {
    const name = `${centre.name} ${stream} ${minute}`;
    if (minutes.has(name)) return true;
    if (!(await isMinuteThere(centre, stream, minute))) return false;
    minutes.add(name);
    const [oldest] = minutes;
    if (minutes.size > mostMinutes && oldest !== undefined) minutes.delete(oldest);
    return true;
  }

  return {
    dataCentres: [...byName.keys()],
    async there({ dataCentre, streamId, fromMs, toMs }: Stretch): Promise<ReadonlySet<CommentId>> {
      const centre = byName.get(dataCentre);
      if (centre === undefined) throw new TangazaError('INTERNAL', `There is no data centre ${dataCentre}.`);
      const minute = minuteOf(fromMs);
      const [rows, isIndexed] = await Promise.all([
        centre.read(
          `SELECT id, arrived_at FROM comments_by_stream
           WHERE stream = ? AND minute = ? AND created_at >= ? AND created_at <= ? LIMIT ?`,
          [streamId, minute, new Date(fromMs), new Date(toMs), mostRows],
        ),
        isFound(centre, streamId, minute),
      ]);
      const there = rows.map((row) => Row.parse(row)).filter(({ arrived_at: arrived }) => arrived !== null);
      return new Set(isIndexed ? there.map(({ id }) => idOf(streamId, id)) : []);
    },
  };
}
