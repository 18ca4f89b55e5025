/** Routes that every edge serves by itself: playback, the frames API, and the node's own pages. */
import { z } from 'zod';
import { mustBe } from '../../errors/input-sentences.ts';
import { NodeId, RegionId, RenditionName, StreamId } from '../../model/ids.ts';
import { seconds, wholeNumber } from './numbers.ts';
import type { Route } from './routes.ts';

export const DeviceType = z.enum(['phone', 'tablet', 'desktop', 'tv']).meta({ id: 'DeviceType' });
export type DeviceType = z.infer<typeof DeviceType>;

/** A whole number from 0 on: a period, or a media time in the timescale of the rendition. */
const digits = wholeNumber(z.number().int().min(0));

export const PlaybackParams = z.object({ id: StreamId });
export type PlaybackParams = z.infer<typeof PlaybackParams>;
export const PlaylistParams = z.object({ id: StreamId, rendition: RenditionName });
export type PlaylistParams = z.infer<typeof PlaylistParams>;
export const InitParams = z.object({ id: StreamId, period: digits, rendition: RenditionName });
export type InitParams = z.infer<typeof InitParams>;
export const SegmentParams = InitParams.extend({ startTime: digits });
export type SegmentParams = z.infer<typeof SegmentParams>;

export const ManifestQuery = z.object({
  device: DeviceType.optional().meta({ description: 'Only what such a device can use.' }),
  _HLS_skip: z.enum(['YES', 'v2']).optional().meta({ description: 'Asks for a delta update (HLS).' }),
});
export type ManifestQuery = z.infer<typeof ManifestQuery>;

/** What steering names a player by. */
export const PlayerSession = z.string().regex(/^[\w-]{8,64}$/, mustBe('a session that steering gave'));

export const SteeringQuery = z.object({
  _DASH_pathway: z.string().max(500).optional(),
  _DASH_throughput: z.string().max(200).optional(),
  _HLS_pathway: z.string().max(200).optional(),
  _HLS_throughput: z.string().max(200).optional(),
  base: z
    .string()
    .regex(/^(?:\.|[a-z0-9][a-z0-9_-]{0,63})$/, mustBe('. or the id of a node'))
    .optional()
    .meta({
      description:
        'Which edge the pathway `.` of an HLS main playlist is; `.`: the one that is asked. Playlists and replies say it.',
    }),
  session: PlayerSession.optional().meta({
    description: 'Which player asks, so that players are counted. Replies give it in RELOAD-URI.',
  }),
  counted: NodeId.optional().meta({
    description: 'The edge that has counted this player so far. Replies give it in RELOAD-URI.',
  }),
  region: RegionId.optional().meta({
    description:
      "The viewer's region, where it is another one than that of the edge. Replies say it in RELOAD-URI.",
  }),
  leaves: z.literal('true').optional().meta({ description: 'The player stops: it counts no longer.' }),
});
export type SteeringQuery = z.infer<typeof SteeringQuery>;

/** The longest clip that the frames API makes, in seconds. */
export const maxFrameSeconds = 60;

export const FramesQuery = z.object({
  deviceType: DeviceType,
  offsetSeconds: seconds(z.number().min(0)).meta({ description: "Counted from the stream's start." }),
  durationSeconds: seconds(z.number().gt(0).max(maxFrameSeconds)).default(10),
});
export type FramesQuery = z.infer<typeof FramesQuery>;

export const FrameView = z
  .object({
    streamId: StreamId,
    deviceType: DeviceType,
    rendition: RenditionName,
    offsetSeconds: z.number(),
    durationSeconds: z.number(),
    width: z.number().int().optional(),
    height: z.number().int().optional(),
    codecs: z.string(),
    startsAt: z.iso.datetime(),
    segments: z.array(
      z.object({
        url: z.string(),
        init: z.string(),
        rendition: RenditionName,
        startTime: z.number().int(),
        durationSeconds: z.number(),
        bytes: z.number().int(),
        sha256: z.string(),
      }),
    ),
    next: z.string(),
  })
  .meta({ id: 'Frame' });
export type FrameView = z.infer<typeof FrameView>;

const part = z.object({ name: z.string(), isReady: z.boolean(), detail: z.string().optional() });
export const Readiness = z
  .object({ ready: z.boolean(), node: z.string(), parts: z.array(part) })
  .meta({ id: 'Readiness' });
export type Readiness = z.infer<typeof Readiness>;

const playback = { method: 'get', tag: 'playback', auth: 'none' } as const;
const node = { method: 'get', tag: 'node', auth: 'none' } as const;
const ofStream = [
  'STREAM_NOT_FOUND',
  'STREAM_REMOVED',
  'STREAM_NOT_LIVE',
  'LOG_UNAVAILABLE',
  'OVERLOADED',
  'UNAVAILABLE',
] as const;
const ofMedia = [
  'STREAM_NOT_FOUND',
  'STREAM_REMOVED',
  'SEGMENT_NOT_FOUND',
  'STORE_UNAVAILABLE',
  'UNAVAILABLE',
  'OVERLOADED',
  'RANGE_NOT_SATISFIABLE',
] as const;

const manifestHeaders = {
  'tangaza-log-stale':
    'While the index log cannot be reached, for about how many seconds so far, in steps of 5: the manifest stands still meanwhile. Absent while it can.',
};

export const playbackRoutes = {
  dash: {
    ...playback,
    path: '/live/{id}/manifest.mpd',
    operation: 'dashManifest',
    summary: 'The MPEG-DASH manifest',
    params: PlaybackParams,
    query: ManifestQuery,
    reply: { status: 200, contentType: 'application/dash+xml', headers: manifestHeaders },
    errors: ofStream,
  },
  hlsMain: {
    ...playback,
    path: '/live/{id}/main.m3u8',
    operation: 'hlsMainPlaylist',
    summary: 'The HLS multivariant playlist',
    params: PlaybackParams,
    query: ManifestQuery,
    reply: { status: 200, contentType: 'application/vnd.apple.mpegurl', headers: manifestHeaders },
    errors: ofStream,
  },
  hlsMedia: {
    ...playback,
    path: '/live/{id}/{rendition}.m3u8',
    operation: 'hlsMediaPlaylist',
    summary: 'The HLS playlist of one rendition',
    params: PlaylistParams,
    query: ManifestQuery,
    reply: { status: 200, contentType: 'application/vnd.apple.mpegurl', headers: manifestHeaders },
    errors: ofStream,
  },
  init: {
    ...playback,
    path: '/live/{id}/{period}/{rendition}/init.mp4',
    operation: 'initSegment',
    summary: 'The CMAF init segment of a rendition in a period',
    params: InitParams,
    reply: { status: 200, contentType: 'video/mp4' },
    errors: ofMedia,
  },
  segment: {
    ...playback,
    path: '/live/{id}/{period}/{rendition}/{startTime}.m4s',
    operation: 'mediaSegment',
    summary: 'A CMAF segment; one that the live edge is about to reach is waited for',
    params: SegmentParams,
    reply: { status: 200, contentType: 'video/mp4' },
    errors: ofMedia,
  },
  steering: {
    ...playback,
    path: '/live/{id}/steering',
    operation: 'contentSteering',
    summary: 'Edges for this viewer, for DASH and HLS content steering',
    params: PlaybackParams,
    query: SteeringQuery,
    reply: { status: 200, contentType: 'application/json' },
    errors: ['STREAM_NOT_FOUND', 'STREAM_REMOVED'],
  },
  thumbnail: {
    ...playback,
    path: '/live/{id}/thumbnail.jpg',
    operation: 'thumbnail',
    summary: 'The newest picture',
    params: PlaybackParams,
    reply: { status: 200, contentType: 'image/jpeg' },
    errors: [...ofStream, 'NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
  frames: {
    ...playback,
    path: '/v1/videos/{id}/frames',
    operation: 'videoFrame',
    summary: 'A piece of the video as one MP4 that starts at time 0, or as JSON by Accept',
    params: PlaybackParams,
    query: FramesQuery,
    reply: {
      status: 200,
      schema: FrameView,
      contentType: 'video/mp4',
      headers: { 'tangaza-starts-at': "When the piece was on air, in RFC 3339, by the stream's clock." },
    },
    errors: [
      'BAD_REQUEST',
      'STREAM_NOT_FOUND',
      'STREAM_REMOVED',
      'RANGE_EXPIRED',
      'RANGE_AHEAD',
      'NOT_PRODUCED_YET',
      'STORE_UNAVAILABLE',
      'UNAVAILABLE',
      'OVERLOADED',
    ],
  },
} as const satisfies Record<string, Route>;

export const TimeQuery = z.object({
  region: RegionId.optional().meta({
    description: "By whose clock. The node's own counts where nobody has measured that region's.",
  }),
});

export const nodeRoutes = {
  alive: {
    ...node,
    path: '/healthz',
    operation: 'alive',
    summary: 'Answers while the process lives',
    reply: { status: 200, schema: z.object({ status: z.literal('ok') }) },
    errors: [],
  },
  ready: {
    ...node,
    path: '/readyz',
    operation: 'ready',
    summary:
      'May this node receive traffic? 503 with the same body when not; with details where `/metrics` may be read',
    reply: { status: 200, schema: Readiness },
    errors: [],
  },
  metrics: {
    ...node,
    auth: 'insider',
    path: '/metrics',
    operation: 'metrics',
    summary: 'Prometheus text, at most a second old; without a token on the operator port',
    reply: { status: 200, contentType: 'text/plain' },
    errors: ['UNAUTHENTICATED'],
  },
  openapi: {
    ...node,
    path: '/openapi.json',
    operation: 'openapi',
    summary: 'This document',
    reply: { status: 200, contentType: 'application/json' },
    errors: [],
  },
  asyncapi: {
    ...node,
    path: '/asyncapi.json',
    operation: 'asyncapi',
    summary: 'The live socket: all that is said over it, as AsyncAPI 3',
    reply: { status: 200, contentType: 'application/json' },
    errors: [],
  },
  time: {
    ...node,
    path: '/v1/time',
    operation: 'time',
    summary:
      "The node's UTC, or that of a region as this node knows its clock; RFC 3339 (DASH UTCTiming http-iso)",
    query: TimeQuery,
    reply: { status: 200, contentType: 'text/plain' },
    errors: [],
  },
} as const satisfies Record<string, Route>;
