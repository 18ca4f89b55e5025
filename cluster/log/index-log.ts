/**
 * The index-log port: one ordered log for each stream, appended by compare-and-set on its last sequence (C1).
 *
 * The log is the fence: an append whose expectation is not the log's tail is refused by the server.
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
  /** The last record, or undefined. @throws TangazaError `LOG_UNAVAILABLE` */
  tail(stream: StreamId): Promise<IndexEntry | undefined>;
  /** All records from `fromSequence` (default: the first kept) to the tail at the time of the call. */
  read(stream: StreamId, fromSequence?: number): Promise<readonly IndexEntry[]>;
  /**
   * Every record from `fromSequence` on, for ever, in order, across reconnects, until `signal` aborts.
   * `caughtUp` comes once, when all that was there at the call has been given (also for an empty log). `wentBack` comes
   * when the log no longer has what was given last (C7): all that it has follows, from its beginning.
   */
  follow(stream: StreamId, fromSequence: number, signal: AbortSignal): AsyncIterable<FollowItem>;
  /** Removes the stream's records below `sequence`. */
  purgeBelow(stream: StreamId, sequence: number): Promise<void>;
}
