/** Counts of reactions by minute in Cassandra's tables (A5). */
import { z } from 'zod';
import type { Database } from '../../../../cluster/cassandra/database.cassandra.ts';
import type { StreamId } from '../../../../cluster/model/ids.ts';
import type { ReactionMinute } from '../reaction-store.ts';
import { dayOf, minuteOf, startOf } from './comment-row.ts';

const Row = z.object({ minute: z.number(), kind: z.string(), count: z.number() });
/** One question covers no more days. */
const mostDays = 400;

export class ReactionTables {
  readonly #database: Pick<Database, 'run' | 'runTogether'>;

  constructor(database: Pick<Database, 'run' | 'runTogether'>) {
    this.#database = database;
  }

  /** A count is its own timestamp: of two, the higher one stays, in whatever order they come. */
  async keepReactions(stream: StreamId, source: string, { minuteMs, counts }: ReactionMinute): Promise<void> {
    const minute = minuteOf(minuteMs);
    const kinds = Object.entries(counts).filter(([, count]) => count > 0);
    if (kinds.length === 0) return;
    await this.#database.runTogether(
      kinds.map(([kind, count]) => ({
        query: `INSERT INTO reaction_minutes (stream, day, minute, kind, source, count) VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`,
        values: [stream, dayOf(minute), minute, kind, source, count, count],
      })),
    );
  }

  async reactions(stream: StreamId, fromMs: number, toMs: number): Promise<readonly ReactionMinute[]> {
    const minutes = new Map<number, Record<string, number>>();
    const [from, to] = [minuteOf(fromMs), minuteOf(toMs - 1)];
    const lastDay = Math.min(dayOf(to), dayOf(from) + mostDays);
    for (let day = dayOf(from); day <= lastDay; day += 1) {
      const rows = await this.#database.run(
        'SELECT minute, kind, count FROM reaction_minutes WHERE stream = ? AND day = ? AND minute >= ? AND minute <= ?',
        [stream, day, from, to],
      );
      for (const row of rows) {
        const { minute, kind, count } = Row.parse(row);
        const counts = minutes.get(minute) ?? {};
        minutes.set(minute, { ...counts, [kind]: (counts[kind] ?? 0) + count });
      }
    }
    return [...minutes].map(([minute, counts]) => ({ minuteMs: startOf(minute), counts }));
  }
}
