/** Builds what the stream actor asks other regions and tells them, from the node's parts; nothing of it where there is one region (R3, R7). */
import type { ClusterParts } from '../../../cluster/node/cluster-parts.composition.ts';
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import { rtmpUrlOf } from '../../../config/public-url.ts';
import type { NodeConfig } from '../../../config/config.ts';
import type { SegmentStore } from '../../segment-store/segment-store.ts';
import { OnAirTelling } from '../on-air-telling.ts';
import type { HeadPorts } from '../owner/heads.ts';
import { askAcross } from './across.ts';
import { ClaimsHeard } from './claims-heard.ts';
import { tellHeads } from './tell-heads.ts';

interface AcrossParts extends ClusterParts {
  readonly config: Pick<NodeConfig, 'rtmp'>;
  readonly store: SegmentStore;
}

export function composeAcross(parts: AcrossParts, asks: Pick<HeadPorts, 'askEdges' | 'askFold'>) {
  const { others, region, clock, members, metrics } = parts;
  if (others.regions.length === 0) return {};
  const heard = new ClaimsHeard(region, others, clock);
  const rtmpUrl = (node: string) => members.list().members.find(({ id }) => id === node)?.rtmpUrl;
  const stopTelling = tellHeads(others, { ...parts, ...asks, heard, rtmpUrlOf: rtmpUrl });
  const outcomes = metrics.counter({
    name: 'tangaza_claims_across_total',
    help: 'Streams that a publisher wanted to begin here and that other regions were asked about.',
    labels: ['outcome'],
  });
  const ports = { ...parts, heard, outcomes };
  return {
    askAcross: (stream: StreamId, tail: IndexEntry | undefined) => askAcross(stream, tail, ports),
    telling: new OnAirTelling(others, rtmpUrlOf(parts.config.rtmp)),
    onStopped: () => {
      stopTelling();
      heard.close();
    },
  };
}
