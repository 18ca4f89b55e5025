/** Builds the feed of a node from the node's parts. */
import type { ClusterParts } from '../../../cluster/node/cluster-parts.composition.ts';
import { watchFreezes } from '../../../cluster/time/freeze.ts';
import { viewOf } from '../comment-view.ts';
import type { StoredComment } from '../store/comment-store.ts';
import { openNatsAudienceEvents } from './audience-events.nats.ts';
import { Feed } from './feed.ts';
import type { ReadableStore } from './store-reads.ts';

const tickMs = 1000;

export function composeFeed(
  parts: Omit<ClusterParts, 'log' | 'ownership' | 'queue' | 'loads' | 'fingerprint'>,
  store: ReadableStore,
  closing: AsyncDisposableStack,
): Feed {
  const { node, region, bootId, clock, logger, metrics, members, nats, natsDownMs } = parts;
  const { connection } = nats;
  const events = openNatsAudienceEvents({ connection, region, clock, downMs: natsDownMs });
  const self = { node, region, bootId, clock, logger, metrics };
  const feed = new Feed({ ...self, store, events, members, show: forAll, hasReplication: false });
  const stops = [
    clock.every(tickMs, () => feed.tick()),
    watchFreezes(clock, () => feed.doubt('standstill')),
    () => feed.close(),
    () => events.close(),
  ];
  closing.defer(() => stops.forEach((stop) => stop()));
  return feed;
}

/** A comment as everybody may see it: of a held one not even its author sees the text here, who has it by the answer. */
function forAll(comment: StoredComment) {
  const view = viewOf(comment, undefined);
  return comment.isHeld ? { ...view, text: '' } : view;
}
