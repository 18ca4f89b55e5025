/**
 * Writes the content steering reply, which gives a viewer its own order of edges (M14). It is the same for DASH (ETSI
 * TS 103 998) and HLS (RFC 8216bis 7.2).
 *
 * The MPD itself names every edge. The HLS main playlist names none: its one pathway is the edge that it came from, by
 * relative addresses. The other edges are clones of that pathway, and this reply names them. Rejected: a copy of all
 * variants for each edge in the playlist. ffmpeg opens every copy and complains about the other hosts, and players
 * never learn of an edge that joins later.
 * Rejected: a clone of the edge that the playlist came from. Players move from it to itself at their start, and load
 * every playlist twice.
 *
 * A clone lists each playlist by its address. Rejected: `HOST`, which has no port, and which Shaka cannot put into a
 * relative address.
 */
import type { StreamId } from '../../../cluster/model/ids.ts';
import { liveUrl, type EdgeAddress } from './manifest-options.ts';
import { servedRenditions } from './query.ts';
import type { Timeline } from './timeline.ts';

/**
 * The pathway of the main playlist, on which the clones are based. It is the specification's default, and no node's id.
 */
export const basePathway = '.';

export interface SteeringOptions {
  readonly streamId: StreamId;
  /** Edges in this viewer's order, the nearest healthy one first. */
  readonly edges: readonly EdgeAddress[];
  /** HLS pathways, best first, with the base pathway in its place. What they leave out is not cloned. Default: the edges' ids. */
  readonly pathways?: readonly string[] | undefined;
  /** The absolute URL to ask next (RELOAD-URI). */
  readonly reloadUrl: string;
  /** Undefined when this edge does not follow the stream. Then nothing is cloned, and players keep their clones. */
  readonly timeline?: Timeline | undefined;
  /** Seconds until a player asks again. The specifications' default of 300 s is too long to keep a dead edge. */
  readonly ttlSeconds?: number;
}

/** The reply as JSON. */
export function steeringReply(options: SteeringOptions): string {
  const { edges, reloadUrl, timeline, ttlSeconds = 10 } = options;
  const { pathways = edges.map((edge) => edge.id) } = options;
  const cloned = edges.filter(({ id }) => pathways.includes(id));
  return JSON.stringify({
    VERSION: 1,
    TTL: ttlSeconds,
    'RELOAD-URI': reloadUrl,
    'PATHWAY-PRIORITY': pathways,
    ...(timeline === undefined ? {} : { 'PATHWAY-CLONES': clones(timeline, options.streamId, cloned) }),
  });
}

function clones(timeline: Timeline, streamId: StreamId, edges: readonly EdgeAddress[]): readonly object[] {
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
