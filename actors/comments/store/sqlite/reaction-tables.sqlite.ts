/** How many reactions a stream had in each minute, in SQLite's tables (A5). */
import type { StreamId } from '../../../../cluster/model/ids.ts';
import type { ReactionMinute } from '../reaction-store.ts';
import type { CommentDatabase } from './database.sqlite.ts';

const dayMs = 86_400_000;

export class ReactionTables {
  readonly #database: CommentDatabase;

  constructor(database: CommentDatabase) {
    this.#database = database;
  }

  keepReactions(stream: StreamId, source: string, { minuteMs, counts }: ReactionMinute): void {
    for (const [kind, count] of Object.entries(counts))
      this.#database.run(
        `INSERT INTO reactionCounts (streamId, minuteMs, kind, source, count) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET count = max(count, excluded.count)`,
        ...[stream, minuteMs, kind, source, count],
      );
  }

  reactions(stream: StreamId, fromMs: number, toMs: number): readonly ReactionMinute[] {
    const minutes = new Map<number, Record<string, number>>();
    const rows = this.#database.all(
      `SELECT minuteMs, kind, sum(count) AS count FROM reactionCounts
       WHERE streamId = ? AND minuteMs >= ? AND minuteMs < ? GROUP BY minuteMs, kind ORDER BY minuteMs, kind`,
      ...[stream, fromMs, Math.min(toMs, fromMs + dayMs)],
    );
    for (const { minuteMs, kind, count } of rows) {
      const counts = minutes.get(Number(minuteMs)) ?? {};
      minutes.set(Number(minuteMs), { ...counts, [String(kind)]: Number(count) });
    }
    return [...minutes].map(([minuteMs, counts]) => ({ minuteMs, counts }));
  }
}
