/**
 * What is kept of reactions: how many of each kind this node counted in a minute (A5). A minute is written while it goes on, too, as its
 * counts only grow, so a node that dies loses seconds. Bounds: minutes that wait for the store; older than 10 minutes, they are given up.
 */
import type { KeepReactions, ReactionCounts } from '../../cluster/contract/audience/reactions.ts';
import type { StreamId } from '../../cluster/model/ids.ts';

interface Minute {
  readonly stream: StreamId;
  readonly minuteMs: number;
  readonly counts: Map<string, number>;
  isChanged: boolean;
}

const minuteLengthMs = 60_000;
const mostMinutes = 10_000;
const givenUpMs = 600_000;

export class MinuteCounts {
  readonly #source: string;
  readonly #minutes = new Map<string, Minute>();

  /** @param source this boot of this node */
  constructor(source: string) {
    this.#source = source;
  }

  get size(): number {
    return this.#minutes.size;
  }

  /** @returns how many reactions find no room */
  add(stream: StreamId, counts: ReactionCounts, nowMs: number): number {
    const minuteMs = Math.floor(nowMs / minuteLengthMs) * minuteLengthMs;
    const key = `${stream} ${minuteMs}`;
    const known = this.#minutes.get(key);
    if (known === undefined && this.#minutes.size >= mostMinutes)
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    const minute = known ?? { stream, minuteMs, counts: new Map<string, number>(), isChanged: true };
    this.#minutes.set(key, minute);
    for (const [kind, count] of Object.entries(counts))
      minute.counts.set(kind, (minute.counts.get(kind) ?? 0) + count);
    minute.isChanged = true;
    return 0;
  }

  /** Writes what has changed. What the store refuses is written at the next call. @returns how many could not be written */
  async write(keep: KeepReactions, nowMs: number): Promise<number> {
    const changed = [...this.#minutes.values()].filter(({ isChanged }) => isChanged);
    const written = await Promise.allSettled(
      changed.map(async (minute) => {
        minute.isChanged = false;
        const { stream, minuteMs, counts } = minute;
        try {
          await keep(stream, this.#source, { minuteMs, counts: Object.fromEntries(counts) });
        } catch (error) {
          minute.isChanged = true;
          throw error;
        }
      }),
    );
    for (const [key, { minuteMs, isChanged }] of this.#minutes) {
      const ageMs = nowMs - minuteMs;
      if (ageMs > givenUpMs || (!isChanged && ageMs > 2 * minuteLengthMs)) this.#minutes.delete(key);
    }
    return written.filter(({ status }) => status === 'rejected').length;
  }
}
