/** What the comments of a node are made with. */
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Metrics } from '../../cluster/observe/metrics.ts';
import type { RegionId, StreamId } from '../../cluster/model/ids.ts';
import type { RegionClock } from '../../cluster/region/region-clock.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { ChangedCounts } from './regions/changed-counts.ts';
import type { Counts } from './counts/counts.ts';
import type { ChangeOutlet } from './feed/change.ts';
import type { Identities, Receipts } from './identity/identity.ts';
import type { Replication } from './replication/replication.ts';
import type { Voices } from './identity/voices.ts';
import type { AudienceStore } from './store/audience-store.ts';
import type { StoredComment } from './store/comment-store.ts';
import type { WordRules } from './text/word-rules.ts';

/** What the registry of streams says of an id. */
export interface StreamStanding {
  readonly kind: 'known' | 'removed' | 'unknown';
}

export interface CommentPorts {
  readonly region: RegionId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: AudienceStore;
  readonly identities: Identities;
  readonly receipts: Receipts;
  readonly voices: Voices;
  /** @throws when the registry cannot be asked */
  readonly lookUpStream: (id: StreamId) => Promise<StreamStanding>;
  readonly outlet: ChangeOutlet;
  /** The newest comments that are not held, in order, where this node keeps up with the stream. */
  readonly newest: (stream: StreamId, limit: number) => readonly StoredComment[] | undefined;
  /** Of this node, and of its feed. */
  readonly counts: Counts;
  /** Where other regions write into the same database. */
  readonly changedCounts?: ChangedCounts | undefined;
  readonly words: WordRules;
  readonly replication: Replication;
  /** Until when this region knows what other regions have, each of which has a database of its own (A8). */
  readonly lag?: { knownToMs(): number } | undefined;
  /** One clock for what is compared between regions, where each has a database of its own (R12). */
  readonly times?: Pick<RegionClock, 'common' | 'latest'> | undefined;
  /**
   * Waits until all that was written here is in all regions, where each has a database of its own.
   *
   * @throws TangazaError `UNAVAILABLE` with the regions that lack it
   */
  readonly mustBeEverywhere?: (() => Promise<void>) | undefined;
}
