/**
 * The content steering reply, the same for DASH (ETSI TS 103 998) and HLS (RFC 8216bis 7.2): a viewer's own order (M14).
 *
 * The MPD names every edge itself. The HLS main playlist names none: its one pathway is the edge that it came from, by relative
 * addresses, and the edges are clones of that pathway, told here. Rejected: a copy of all variants for each edge in the
 * playlist; ffmpeg opens every copy and complains of the other hosts, and an edge that joins later is never known.
 *
 * A clone lists each playlist by its address. Rejected: `HOST`, which has no port and which Shaka cannot put into a relative address.
 */
import type { StreamId } from '../../../cluster/model/ids.ts';
import { liveUrl, type EdgeAddress } from './manifest-options.ts';
import { servedRenditions } from './query.ts';
import type { Timeline } from './timeline.ts';

/** The pathway of the main playlist, on which the clones are based: the specification's default, and no node's id. */
export const basePathway = '.';

export interface SteeringOptions {
  readonly streamId: StreamId;
  /** In this viewer's order, nearest healthy first. */
  readonly edges: readonly EdgeAddress[];
  /** Absolute URL to ask next (RELOAD-URI). */
  readonly reloadUrl: string;
  /** Undefined where this edge does not follow the stream: then nothing is cloned, and players keep the clones that they have. */
  readonly timeline?: Timeline | undefined;
  /** Seconds until a player asks again; the specifications' default of 300 s is too long to leave a dead edge. */
  readonly ttlSeconds?: number;
}

/** JSON of the reply. */
export function steeringReply(options: SteeringOptions): string {
  const { edges, reloadUrl, timeline, ttlSeconds = 10 } = options;
  return JSON.stringify({
    VERSION: 1,
    TTL: ttlSeconds,
    'RELOAD-URI': reloadUrl,
    'PATHWAY-PRIORITY': edges.map((edge) => edge.id),
    ...(timeline === undefined ? {} : { 'PATHWAY-CLONES': clones(timeline, options) }),
  });
}

function clones(timeline: Timeline, { edges, streamId }: SteeringOptions): readonly object[] {
  const names = new Set(timeline.periods.flatMap(servedRenditions).map((one) => one.name));
  return edges.map((edge) => {
    const prefix = liveUrl(edge, streamId);
    const uris = Object.fromEntries([...names].map((name) => [name, `${prefix}${name}.m3u8`]));
    return {
      'BASE-ID': basePathway,
      ID: edge.id,
      'URI-REPLACEMENT': { 'PER-VARIANT-URIS': uris, 'PER-RENDITION-URIS': uris },
    };
  });
}
