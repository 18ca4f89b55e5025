/** What an owner knows of its log: what is in it, what is to be appended, and whether it answers. */
import type { IndexRecord } from '../../../../cluster/contract/index-records.ts';
import type { FoldedTimeline } from '../../../media/timeline/timeline.ts';

export type LogLink =
  | { readonly kind: 'up' }
  /** `retryAtMs` is undefined while a read of the tail is under way. */
  | {
      readonly kind: 'down';
      readonly sinceAtMs: number;
      readonly failures: number;
      readonly retryAtMs: number | undefined;
    };

export interface LogState {
  /** The fold of what is in the log. */
  readonly timeline: FoldedTimeline;
  readonly link: LogLink;
  /** Records to be appended, in order; the append of the first may be under way. */
  readonly outbox: readonly IndexRecord[];
  readonly isAppending: boolean;
  readonly isProbing: boolean;
  /** When the log last answered. */
  readonly logProvenAtMs: number;
  /** The sequence of this owner's last record, which the next append expects (C1). */
  readonly lastSequence: number;
  /** How many records this owner has made; each gets its id from it. */
  readonly recordCount: number;
  /** About how many records of this stream the log holds. */
  readonly logRecords: number;
}
