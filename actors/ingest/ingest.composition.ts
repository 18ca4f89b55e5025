/** Builds the ingest actor of a node from the node's parts. */
import { otherIngest } from '../../cluster/membership/members-for.ts';
import type { HandOverPorts } from '../../cluster/contract/hand-over.ts';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import type { MakeService } from '../../cluster/rpc/node-calls.moleculer.ts';
import type { NodeConfig } from '../../config/config.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import { ingestService } from './ingest.service.ts';
import { defaultIngestLimits, openRtmpIngest } from './rtmp/rtmp-ingest.rtmp.ts';

export interface IngestParts extends ClusterParts {
  readonly config: Pick<NodeConfig, 'rtmp'>;
  readonly store: SegmentStore;
  readonly local: HandOverPorts;
}

/** @param onStopped told when the last session has offered what it had */
export function composeIngest(parts: IngestParts, onStopped: () => void): MakeService {
  const { node, clock, store, metrics, logger, members } = parts;
  const { host, port, maxPublishers } = parts.config.rtmp;
  const limits = { ...defaultIngestLimits, maxConnections: maxPublishers };
  const ingest = openRtmpIngest({ host, port, limits, clock, metrics, logger });
  return ({ stream, authenticate, forgetOwner }) =>
    ingestService({
      checkDeadline: members.checkDeadline,
      otherIngest: (stream) => otherIngest(members, node, stream),
      onOwnerGone: (listener) => members.onGone(({ node: gone }) => listener(forgetOwner(gone))),
      ingest,
      node,
      clock,
      store,
      stream,
      authenticate,
      metrics,
      logger,
      onListening: (bound) => logger.info({ host, port: bound }, 'RTMP is listening'),
      onMade: (publishers) => {
        parts.local.publishers = publishers;
      },
      onStopped,
    });
}
