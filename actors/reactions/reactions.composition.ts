/** Builds the reactions actor of a node from the node's parts. */
import type { AudiencePorts } from '../../cluster/contract/audience/audience-feed.ts';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import type { MakeService } from '../../cluster/rpc/node-calls.moleculer.ts';
import { openNatsReactionEvents } from './reaction-events.nats.ts';
import { acrossRegions } from './reactions-across.ts';
import { NodeReactions } from './reactions.ts';
import { reactionsService } from './reactions.service.ts';

export interface ReactionsParts extends ClusterParts {
  /** Gets the reactions, for the edge of this node. */
  readonly audience: AudiencePorts;
}

export function composeReactions(parts: ReactionsParts): MakeService {
  const { node, bootId, region, clock, logger, metrics, nats, natsDownMs, audience, others } = parts;
  const own = openNatsReactionEvents({ connection: nats.connection, region, downMs: natsDownMs });
  const reactions = new NodeReactions({
    node,
    bootId,
    clock,
    logger,
    metrics,
    events: acrossRegions(own, others),
    keep: () => audience.keepReactions,
    ownCounts: () => audience.ownCounts?.() ?? new Map(),
    players: () => audience.players,
  });
  audience.reactions = reactions;
  return () => reactionsService(reactions, clock);
}
