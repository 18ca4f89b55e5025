/** The content steering reply, the same for DASH (ETSI TS 103 998) and HLS (RFC 8216bis 7.2): a viewer's own order (M14). */
import type { StreamId } from '../../../cluster/model/ids.ts';
import { liveUrl, type EdgeAddress } from './manifest-options.ts';

export interface SteeringOptions {
  readonly streamId: StreamId;
  /** In this viewer's order, nearest healthy first. */
  readonly edges: readonly EdgeAddress[];
  /** Absolute URL under which this reply was asked for: the one to ask again where there is no other edge. */
  readonly selfUrl: string;
  /** Seconds until a player asks again; the specifications' default of 300 s is too long to leave a dead edge. */
  readonly ttlSeconds?: number;
}

/**
 * JSON of the reply. Its RELOAD-URI is absolute and names an edge other than the first pathway, so that the death of the
 * edge that a viewer plays from does not take the steering with it (M14).
 */
export function steeringReply({ streamId, edges, selfUrl, ttlSeconds = 10 }: SteeringOptions): string {
  const other = edges[1];
  return JSON.stringify({
    VERSION: 1,
    TTL: ttlSeconds,
    'RELOAD-URI': other === undefined ? selfUrl : `${liveUrl(other, streamId)}steering`,
    'PATHWAY-PRIORITY': edges.map((edge) => edge.id),
  });
}
