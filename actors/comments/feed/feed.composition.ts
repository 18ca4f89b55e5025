/** Builds the feed of a node from the node's parts. */
import type { Database } from '../../../cluster/cassandra/database.cassandra.ts';
import type { ClusterParts } from '../../../cluster/node/cluster-parts.composition.ts';
import { watchFreezes } from '../../../cluster/time/freeze.ts';
import { isOverWithin } from '../../../cluster/time/within.ts';
import type { CommentId } from '../../../cluster/model/ids.ts';
import { viewOf, type Told } from '../comment-view.ts';
import type { ChangedCounts } from '../regions/changed-counts.ts';
import type { RegionLag } from '../regions/region-lag.ts';
import type { Counts } from '../counts/counts.ts';
import type { Replication } from '../replication/replication.ts';
import { tellEveryMs } from '../regions/written-here.ts';
import type { StoredComment } from '../store/comment-store.ts';
import { openNatsAudienceEvents } from './audience-events.nats.ts';
import { Feed } from './feed.ts';
import type { ReadableStore } from './store-reads.ts';

const tickMs = 1000;
const nothing = (): void => {};

interface FeedStore {
  readonly store: ReadableStore;
  readonly counts: Counts;
  readonly changedCounts: ChangedCounts | undefined;
  /** Other regions write into the same database (A7). */
  readonly isSharedByRegions: boolean;
  readonly replication: Replication;
  readonly lag: RegionLag | undefined;
  /** Calls when a part of the database that was away is back; undefined: it has no parts. */
  readonly onBack: Database['onBack'] | undefined;
}

/** A page does not wait longer for numbers of likes and answers: it gets the last known ones. */
const countMs = 300;

export function composeFeed(
  parts: Omit<ClusterParts, 'log' | 'ownership' | 'queue' | 'loads' | 'fingerprint'>,
  { store, counts, changedCounts, isSharedByRegions, replication, onBack, lag }: FeedStore,
  closing: AsyncDisposableStack,
): Feed {
  const { node, region, bootId, clock, logger, metrics, members, nats, natsDownMs, others } = parts;
  const isLinked = isSharedByRegions && others.regions.length > 0;
  const { connection } = nats;
  const self = { node, region, bootId, clock, logger, metrics };
  const events = openNatsAudienceEvents({ self, connection, region, clock, downMs: natsDownMs });
  const show = (comment: StoredComment) =>
    forAll(comment, { ...counts.known(comment.id), isReplicated: replication.has(comment.id) });
  const count = (ids: readonly CommentId[]) =>
    isOverWithin(counts.of(ids), { clock, ms: countMs }).then(nothing);
  const feed = new Feed({
    ...self,
    store,
    events,
    members,
    show,
    count,
    changedCounts,
    recount: (ids) => counts.changedElsewhere(ids),
    isSharedByRegions,
    ...(isLinked ? { regions: others } : {}),
    hasReplication: replication.isOn,
    lag,
  });
  const stops = [
    clock.every(tickMs, () => feed.tick()),
    lag === undefined ? nothing : clock.every(tickMs, () => void lag.look()),
    isLinked ? clock.every(tellEveryMs, () => feed.tellRegions()) : nothing,
    watchFreezes(clock, () => feed.doubt('standstill')),
    onBack?.((sinceMs) => feed.doubt('database', sinceMs)) ?? nothing,
    () => feed.close(),
    () => events.close(),
  ];
  closing.defer(() => stops.forEach((stop) => stop()));
  return feed;
}

/** A comment as everybody may see it: of a held one not even its author sees the text here, who has it by the answer. */
function forAll(comment: StoredComment, told: Told) {
  const view = viewOf(comment, undefined, told);
  return comment.isHeld ? { ...view, text: '' } : view;
}
