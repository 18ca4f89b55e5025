/**
 * The port of the index log: one ordered log for each stream, appended to by compare-and-set on its last sequence (C1).
 *
 * The log is the fence: the server refuses an append that does not name the log's last sequence.
 */
import type { IndexEntry, IndexRecord } from '../contract/index-records.ts';
import type { StreamId } from '../model/ids.ts';

export type FollowItem = IndexEntry | { readonly caughtUp: true } | { readonly wentBack: true };

export interface IndexLog {
  /**
   * Appends and returns the record's sequence number.
   *
   * @param expectedSequence sequence of the stream's last record, 0 for none
   * @throws TangazaError `FENCED` when the tail is another; `LOG_UNAVAILABLE` on a time-out or when the server is gone
   *   (the record may or may not be there: read the tail and look for its recordId)
   */
  append(stream: StreamId, record: IndexRecord, expectedSequence: number): Promise<number>;
  /** Reads the last record; undefined for an empty log. @throws TangazaError `LOG_UNAVAILABLE` */
  tail(stream: StreamId): Promise<IndexEntry | undefined>;
  /** Reads all records from `fromSequence` (by default the first one kept) up to the tail at the time of the call, or the first `atMost` of them. */
  read(stream: StreamId, fromSequence?: number, atMost?: number): Promise<readonly IndexEntry[]>;
  /**
   * Gives every record from `fromSequence` on, in order and across reconnects, until `signal` aborts. `caughtUp` comes once, when all
   * records that existed at the call have been given (also for an empty log). `wentBack` comes when the log no longer has the last given
   * record (C7). After it come all the records that the log has, from its beginning.
   */
  follow(stream: StreamId, fromSequence: number, signal: AbortSignal): AsyncIterable<FollowItem>;
  /** Removes the stream's records below `sequence`. */
  purgeBelow(stream: StreamId, sequence: number): Promise<void>;
}
