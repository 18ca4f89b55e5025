/**
 * Serves the playback of live streams: manifests, segments, inits and steering.
 *
 * A manifest is a pure function of the log and the list of edges, so its bytes are equal on every edge of a region (M14). It is made and compressed
 * once for each fold. After that the server answers it without calling this code (`hot`).
 *
 * While the log cannot be reached, manifests stay as they are, with status 200, and say so in `tangaza-log-stale: seconds` (C8). So do those of
 * a stream whose home is a region that is cut off (R4).
 */
import type {
  InitParams,
  ManifestQuery,
  PlaybackParams,
  PlaylistParams,
  SegmentParams,
} from '../../../cluster/contract/api/edge-routes.ts';
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { PeriodId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { EdgeSet } from '../../media/timeline/manifest-options.ts';
import type { Timeline } from '../../media/timeline/timeline.ts';
import { makeEntity } from './entity.ts';
import type { EntityCache } from './entity-cache.ts';
import { cachePolicy, type Entity, type HttpRequest } from '../http/http.ts';
import { namedEdges } from '../region-edges.ts';
import type { KnownStreams, Standing } from '../public/known-streams.ts';
import { canonicalTarget, manifestTypes, renderManifest, type ManifestKind } from './manifest.ts';
import { periodIdOf, type MediaSource } from './media-source.ts';
import type { StreamFinder } from './stream-finder.ts';
import { mustBeKnown } from './stream-finder.ts';
import type { StreamFollower } from './stream-follower.ts';
import type { StreamFollowers } from './stream-followers.ts';

export interface PlaybackPorts {
  readonly followers: StreamFollowers;
  readonly finder: StreamFinder;
  readonly knownStreams: KnownStreams;
  readonly media: MediaSource;
  readonly cache: EntityCache;
  /** Of all regions, those of this one first. */
  readonly listEdges: () => EdgeSet;
  /** The region of this edge. */
  readonly region: RegionId;
  /** For how long the index log has been unreachable; 0 while it answers. */
  readonly logDownSeconds: () => number;
  /** For how long a stream of another region has stood still here; 0 while its home can be heard. */
  readonly cutOffSeconds: (follower: StreamFollower) => number;
  readonly dvrWindowSeconds: number;
  readonly leastHoldBackSeconds: number;
  readonly hasOtherRegions?: boolean;
}

const encoder = new TextEncoder();
/** Staleness is told in steps, so that a manifest that stands still is made again only this often. */
const staleStepSeconds = 5;

export class Playback {
  readonly #ports: PlaybackPorts;
  #edges: EdgeSet;
  /** What the rendered manifests of each follower say; absent: they are not stale. */
  readonly #staleSeconds = new WeakMap<StreamFollower, number>();

  constructor(ports: PlaybackPorts) {
    this.#ports = ports;
    this.#edges = ports.listEdges();
  }

  /** What can be sent at once: cached media by path, and rendered manifests by `path?query`. */
  readonly hot = (target: string): Entity | undefined => {
    const media = this.#ports.cache.get(target);
    if (media !== undefined || !target.startsWith('/live/')) return media;
    const id = target.slice(6, target.indexOf('/', 6));
    return this.#ports.followers.get(id)?.rendered(target);
  };

  dash(request: HttpRequest, { params, query }: RouteInput<PlaybackParams, ManifestQuery>): Promise<Entity> {
    return this.#manifest(request, params.id, { kind: 'dash' }, query);
  }

  hlsMain(
    request: HttpRequest,
    { params, query }: RouteInput<PlaybackParams, ManifestQuery>,
  ): Promise<Entity> {
    return this.#manifest(request, params.id, { kind: 'hlsMain' }, query);
  }

  hlsMedia(
    request: HttpRequest,
    { params, query }: RouteInput<PlaylistParams, ManifestQuery>,
  ): Promise<Entity> {
    const isDelta = query['_HLS_skip'] !== undefined;
    return this.#manifest(
      request,
      params.id,
      { kind: 'hlsMedia', rendition: params.rendition, isDelta },
      query,
    );
  }

  async segment(request: HttpRequest, { params }: RouteInput<SegmentParams>): Promise<Entity> {
    const { id, rendition, startTime } = params;
    const period = mustBePeriod(params.period);
    const follower = await this.#ports.finder.find(request, id);
    const name = { period, rendition, startTime };
    return this.#ports.media.segment(request, follower, name);
  }

  async init(request: HttpRequest, { params }: RouteInput<InitParams>): Promise<Entity> {
    const period = mustBePeriod(params.period);
    const follower = await this.#ports.finder.find(request, params.id);
    return this.#ports.media.init(follower, period, params.rendition);
  }

  /**
   * The timeline to steer in. Undefined when this edge does not follow the stream.
   * @throws TangazaError `STREAM_NOT_FOUND` or `STREAM_REMOVED`, only when the registry says so, as players then stop steering for good
   * (M14)
   */
  async steered(request: HttpRequest, id: StreamId): Promise<Timeline | undefined> {
    const follower = this.#ports.followers.get(id);
    if (follower !== undefined) return follower.isCaughtUp ? follower.timeline : undefined;
    const standing = await this.#ports.knownStreams
      .standingOrLast(request, id)
      .catch((): Standing | undefined => undefined);
    if (standing !== undefined) mustBeKnown(id, standing);
    return undefined;
  }

  /** Notices what changes manifests besides the log. To be called a few times a second. */
  refresh(): void {
    const edges = this.#ports.listEdges();
    const areEqual = edges.revision === this.#edges.revision;
    this.#edges = edges;
    for (const follower of this.#ports.followers.all()) {
      const staleSeconds = this.#staleOf(follower);
      if (areEqual && staleSeconds === (this.#staleSeconds.get(follower) ?? 0)) continue;
      this.#staleSeconds.set(follower, staleSeconds);
      follower.forgetRendered();
    }
  }

  #staleOf(follower: StreamFollower): number {
    const { logDownSeconds, cutOffSeconds } = this.#ports;
    const seconds = Math.max(logDownSeconds(), cutOffSeconds(follower));
    return seconds <= 0 ? 0 : Math.max(1, Math.floor(seconds / staleStepSeconds) * staleStepSeconds);
  }

  /** Drops all that is kept of a removed stream. */
  forget(id: StreamId): void {
    this.#ports.knownStreams.forget(id);
    this.#ports.followers.drop(id);
    this.#ports.cache.dropPrefix(`/live/${id}/`);
  }

  async #manifest(
    request: HttpRequest,
    streamId: StreamId,
    what: ManifestKind,
    { device }: ManifestQuery,
  ): Promise<Entity> {
    const follower = await this.#ports.finder.findPlayable(request, streamId);
    const { region, dvrWindowSeconds, leastHoldBackSeconds, hasOtherRegions } = this.#ports;
    const staleSeconds = this.#staleSeconds.get(follower) ?? 0;
    return follower.render(canonicalTarget(request.path, what, device), (timeline) => {
      const { revision, edges: all } = this.#edges;
      const edges = { revision, edges: namedEdges(all, region, streamId) };
      const more = { edges, device, hasOtherRegions };
      const options = { streamId, dvrWindowSeconds, leastHoldBackSeconds, ...more };
      const text = renderManifest(timeline, what, options);
      if (text === undefined) throw new TangazaError('NOT_FOUND', 'The stream has no such rendition.');
      return makeEntity(encoder.encode(text), {
        contentType: manifestTypes[what.kind],
        cacheControl: cachePolicy.manifest,
        isText: true,
        headers: staleSeconds === 0 ? {} : { 'tangaza-log-stale': String(staleSeconds) },
      });
    });
  }
}

function mustBePeriod(number: number): PeriodId {
  const period = periodIdOf(number);
  if (period === undefined) throw new TangazaError('SEGMENT_NOT_FOUND', 'There is no such period.');
  return period;
}
