/** Playback as one part of an edge: builds what serves manifests, media, clips and pictures, and says which routes they serve. */
import { playbackRoutes } from '../../../cluster/contract/api/edge-routes.ts';
import type { Readiness } from '../../../cluster/contract/api/edge-routes.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Timeline } from '../../media/timeline/timeline.ts';
import { defineRoute, withoutQuery, type LocalRoute } from '../http/define-route.ts';
import type { KnownStreams } from '../public/known-streams.ts';
import { openCrossing, type Crossing, type CrossingPart } from '../crossing/open-crossing.ts';
import { archivesInStore } from './archive-source.ts';
import { Archives } from './archives.ts';
import { EntityCache } from './entity-cache.ts';
import { FarStreams, type FarPart } from './far-streams.ts';
import { Frames, type FramesPorts } from './frames.ts';
import { MediaSource, type MediaPorts } from './media-source.ts';
import { MissingMedia } from './missing-media.ts';
import { Playback, type PlaybackPorts } from './playback.ts';
import { StreamFinder } from './stream-finder.ts';
import type { StreamFollower } from './stream-follower.ts';
import { StreamFollowers, type FollowersOptions } from './stream-followers.ts';
import { Thumbnails, type ThumbnailPorts } from './thumbnails.ts';

/** Playback's part of an edge. Each bound is explained beside the code that keeps it. */
export interface PlaybackPart
  extends
    FollowersOptions,
    Pick<MediaPorts, 'store' | 'liveEdgeMs'>,
    Pick<
      PlaybackPorts,
      'listEdges' | 'region' | 'dvrWindowSeconds' | 'leastHoldBackSeconds' | 'hasOtherRegions'
    >,
    Pick<FramesPorts, 'retentionSeconds'>,
    Pick<ThumbnailPorts, 'makeThumbnail'> {
  readonly cacheBytes: number;
  /** Undefined in a deployment of one region. */
  readonly crossing: CrossingPart | undefined;
  /** How long a player waits for the first segment. By default 10 s. */
  readonly firstSegmentMs?: number;
  /** Streams of other regions; absent in a deployment of one region. */
  readonly far?: FarPart;
}

export interface OpenPlayback {
  readonly playback: Playback;
  readonly followers: StreamFollowers;
  readonly finder: StreamFinder;
  readonly routes: readonly LocalRoute[];
  /** Notices what time changes. To be called a few times a second. */
  readonly tick: () => void;
  readonly close: () => void;
  /** What it adds to `/readyz`. */
  readonly readiness: () => Readiness['parts'];
  /** What this edge does for other nodes and regions. */
  readonly crossing: Pick<Crossing, 'pull' | 'beside' | 'bytesFrom' | 'close'>;
  /** How far this edge has folded the stream's log; undefined where it does not follow it, or not to the end. */
  readonly foldOf: (stream: StreamId) => Timeline | undefined;
}

export function openPlayback(part: PlaybackPart, knownStreams: KnownStreams): OpenPlayback {
  const { clock, store, metrics } = part;
  const cache = new EntityCache({ maxBytes: part.cacheBytes, metrics });
  const far = part.far === undefined ? undefined : new FarStreams(part.far);
  const cutOffSeconds = (follower: StreamFollower): number => far?.staleSeconds(follower) ?? 0;
  const followers = new StreamFollowers({ ...part, cutOffSeconds });
  const finder = new StreamFinder(followers, knownStreams, { far, firstSegmentMs: part.firstSegmentMs });
  const crossing = openCrossing(part.crossing, part);
  const source = crossing.archives(archivesInStore(store, clock));
  const archives = new Archives({ source, clock, metrics });
  const missing = new MissingMedia(part);
  const { liveEdgeMs, retentionSeconds, makeThumbnail } = part;
  const media = new MediaSource({
    clock,
    store,
    cache,
    archives,
    missing,
    liveEdgeMs,
    bring: crossing.bring,
  });
  const playback = new Playback({ ...part, cutOffSeconds, followers, finder, knownStreams, media, cache });
  const frames = new Frames({ finder, media, cache, archives, retentionSeconds });
  const thumbnails = new Thumbnails({ clock, finder, media, makeThumbnail, pictureOfHome: crossing.picture });
  return {
    playback,
    followers,
    finder,
    crossing,
    routes: [...routesOf(playback), ...mediaRoutesOf(frames, thumbnails)],
    tick: () => {
      far?.tick();
      playback.refresh();
      followers.sweep();
    },
    close: () => {
      far?.close();
      followers.close();
    },
    readiness: () => readinessOf(missing),
    foldOf: (stream) => {
      const follower = followers.get(stream);
      return follower?.isCaughtUp === true ? follower.timeline : undefined;
    },
  };
}

function routesOf(playback: Playback): readonly LocalRoute[] {
  const { dash, hlsMain, hlsMedia, init, segment } = playbackRoutes;
  return [
    defineRoute(dash, (request, input) => playback.dash(request, input)),
    defineRoute(hlsMain, (request, input) => playback.hlsMain(request, input)),
    defineRoute(hlsMedia, (request, input) => playback.hlsMedia(request, input)),
    defineRoute(withoutQuery(init), (request, input) => playback.init(request, input)),
    defineRoute(withoutQuery(segment), (request, input) => playback.segment(request, input)),
  ];
}

function mediaRoutesOf(frames: Frames, thumbnails: Thumbnails): readonly LocalRoute[] {
  const { frames: framesRoute, thumbnail } = playbackRoutes;
  return [
    defineRoute(framesRoute, (request, input) => frames.serve(request, input)),
    defineRoute(withoutQuery(thumbnail), (request, input) => thumbnails.serve(request, input)),
  ];
}

/** Appears once media is missing. The edge stays ready, as every other edge would miss the same. */
function readinessOf({ words }: MissingMedia): Readiness['parts'] {
  return words === undefined ? [] : [{ name: 'media', isReady: true, detail: words }];
}
