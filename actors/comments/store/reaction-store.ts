/** The port of what remains of reactions: how many of each kind a stream had in a minute (A5). */
import type { StreamId } from '../../../cluster/model/ids.ts';

export interface ReactionMinute {
  /** When the minute began: a multiple of 60,000. */
  readonly minuteMs: number;
  /** By kind. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface ReactionStore {
  /**
   * Says how many reactions of each kind one source has counted in a minute so far. Counts of a source only grow: of two, the higher stays,
   * so each write may be done again.
   *
   * @param source one boot of one node
   */
  keepReactions(stream: StreamId, source: string, minute: ReactionMinute): Promise<void>;
  /** The minutes that have any, all sources together, oldest first: of a day at most. @param fromMs inclusive @param toMs exclusive */
  reactions(stream: StreamId, fromMs: number, toMs: number): Promise<readonly ReactionMinute[]>;
}
