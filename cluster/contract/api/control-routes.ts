/** The routes of the control API, for streams and for the cluster. */
import { z } from 'zod';
import { RegionId, NodeId, StreamId, UserId } from '../../model/ids.ts';
import { mustBe } from '../../errors/input-sentences.ts';
import { placeOfCursor } from './cursor.ts';
import { wholeNumber } from './numbers.ts';
import type { Route } from './routes.ts';
import {
  ClusterView,
  DrainBody,
  DrainView,
  Unheard,
  CreateStreamBody,
  LiveStreams,
  RegionsView,
  ReleaseView,
  StreamPage,
  StreamView,
  StreamWithKey,
  UpdateStreamBody,
} from './control-views.ts';
import { controlActions } from '../control-actions.ts';
import { StreamHealth } from '../stream-health.ts';

export const StreamParams = z.object({ id: StreamId });
export type StreamParams = z.infer<typeof StreamParams>;

export const NodeParams = z.object({ id: NodeId });
export type NodeParams = z.infer<typeof NodeParams>;

export const PageQuery = z.object({
  cursor: z
    .string()
    .refine(
      (text) => placeOfCursor(text) !== undefined,
      mustBe('the nextCursor of a page before, or left out'),
    )
    .optional()
    .meta({ description: 'The `nextCursor` of the page before.' }),
  limit: wholeNumber(z.number().int().min(1).max(200)).default(50),
});
export type PageQuery = z.infer<typeof PageQuery>;

export const EdgeList = z
  .object({
    items: z.array(
      z.object({
        id: z.string(),
        region: z.string(),
        url: z.string(),
        why: z.enum(['inYourRegion', 'inYourRegionWithoutRoom', 'inAnotherRegion']).meta({
          description:
            'Why it stands there. Edges of your region come first, in an order of your own, those with room before those without; then two edges of each other region.',
        }),
      }),
    ),
    revision: z.number().int(),
  })
  .meta({ id: 'EdgeList' });
export type EdgeList = z.infer<typeof EdgeList>;

export const StreamState = z.enum(['notBegun', 'live', 'interrupted', 'ended', 'recording']).meta({
  id: 'StreamState',
  description:
    'notBegun: never on air. live: the publisher sends and segments are committed. interrupted: nothing comes from the publisher, its time-out runs, the broadcast is not over. ended: over, and nothing of it is kept. recording: over, and segments of it can still be played.',
});
export type StreamState = z.infer<typeof StreamState>;

export const PublicStream = z
  .object({
    id: StreamId,
    title: z.string(),
    state: StreamState,
    since: z.iso.datetime().meta({ description: 'Since when it is in this state.' }),
    unheard: Unheard.optional().meta({
      description:
        'Set while the region that broadcasts it cannot be reached from here: what arrived before can be watched.',
    }),
    poster: z.url().nullable().meta({ description: 'Its newest picture; null when there is none.' }),
  })
  .meta({ id: 'PublicStream' });
export type PublicStream = z.infer<typeof PublicStream>;

const streams = { tag: 'streams', auth: 'operator' } as const;
/** What the registry of streams answers whoever asks it, and whoever changes it. */
const asked = ['UNAUTHENTICATED', 'UNAVAILABLE', 'OVERLOADED'] as const;
const changed = [...asked, 'STORE_FULL'] as const;
const one = { ...streams, path: '/v1/streams/{id}', params: StreamParams } as const;

export const EdgesQuery = z.object({
  user: UserId.optional().meta({
    description: "A user's id, as a token has it too: then the first edge is the one for their live socket.",
  }),
  region: RegionId.optional().meta({
    description: "The viewer's region; by default that of the edge that is asked.",
  }),
});
export type EdgesQuery = z.infer<typeof EdgesQuery>;

/** The edge that is asked answers by itself: it orders edges as its content steering does, without knowing where a player is now. */
export const streamEdges = {
  ...one,
  method: 'get',
  path: '/v1/streams/{id}/edges',
  operation: 'streamEdges',
  auth: 'none',
  summary:
    'Edges for this viewer, best first: those of the own region that are alive, do not drain and have room, then others, each with the reason',
  query: EdgesQuery,
  reply: { status: 200, schema: EdgeList },
  errors: ['STREAM_NOT_FOUND', 'STREAM_REMOVED'],
} as const satisfies Route;

/** Pages ask for this every second or two, so edges answer it from memory. */
export const publicStream = {
  ...one,
  method: 'get',
  path: '/v1/streams/{id}/public',
  operation: 'publicStream',
  tag: 'playback',
  auth: 'none',
  summary: 'Title and state of a stream, for its viewers; changes show within 3 s on every edge',
  reply: { status: 200, schema: PublicStream },
  errors: ['STREAM_NOT_FOUND', 'STREAM_REMOVED', 'LOG_UNAVAILABLE', 'OVERLOADED', 'UNAVAILABLE'],
} as const satisfies Route;

export const streamRoutes: readonly Route[] = [
  {
    ...streams,
    method: 'post',
    path: '/v1/streams',
    operation: 'createStream',
    summary: 'Creates a stream; only this reply shows its key',
    body: CreateStreamBody,
    reply: { status: 201, schema: StreamWithKey },
    errors: ['BAD_REQUEST', 'CONFLICT', ...changed],
    action: controlActions.create,
  },
  {
    ...streams,
    method: 'get',
    path: '/v1/streams',
    operation: 'listStreams',
    summary: 'Lists streams, newest first',
    query: PageQuery,
    reply: { status: 200, schema: StreamPage },
    errors: ['BAD_REQUEST', ...asked],
    action: controlActions.list,
  },
  {
    ...one,
    method: 'get',
    operation: 'getStream',
    summary: 'Shows a stream, without its key',
    reply: { status: 200, schema: StreamView },
    errors: ['STREAM_NOT_FOUND', ...asked],
    action: controlActions.get,
  },
  {
    ...one,
    method: 'patch',
    operation: 'updateStream',
    summary: 'Changes the title or the ladder (from the next period on)',
    body: UpdateStreamBody,
    reply: { status: 200, schema: StreamView },
    errors: ['BAD_REQUEST', 'STREAM_NOT_FOUND', ...changed],
    action: controlActions.update,
  },
  {
    ...one,
    method: 'delete',
    operation: 'deleteStream',
    summary: 'Deletes a stream and disconnects its publisher',
    reply: { status: 204 },
    errors: ['STREAM_NOT_FOUND', ...changed],
    action: controlActions.remove,
  },
  {
    ...one,
    method: 'post',
    path: '/v1/streams/{id}/key',
    operation: 'rotateKey',
    summary: 'Makes a new key; the old one ends at once, its publisher is disconnected',
    reply: { status: 200, schema: StreamWithKey },
    errors: ['STREAM_NOT_FOUND', ...changed],
    action: controlActions.rotateKey,
  },
  {
    ...one,
    method: 'get',
    path: '/v1/streams/{id}/health',
    operation: 'streamHealth',
    summary: 'Who owns it, what comes in, how far each rendition is behind',
    reply: { status: 200, schema: StreamHealth },
    errors: ['STREAM_NOT_FOUND', 'LOG_UNAVAILABLE', ...asked],
    action: controlActions.health,
  },
  streamEdges,
  publicStream,
  {
    ...streams,
    method: 'get',
    path: '/v1/live',
    operation: 'liveStreams',
    auth: 'none',
    summary: 'What is on air',
    reply: { status: 200, schema: LiveStreams },
    errors: ['LOG_UNAVAILABLE'],
    action: controlActions.live,
  },
  {
    method: 'get',
    path: '/v1/cluster',
    operation: 'showCluster',
    tag: 'cluster',
    auth: 'operator',
    summary: 'Regions, nodes and who owns what',
    reply: { status: 200, schema: ClusterView },
    errors: ['UNAUTHENTICATED', 'LOG_UNAVAILABLE'],
    action: controlActions.cluster,
  },
  {
    method: 'get',
    path: '/v1/regions',
    operation: 'showRegions',
    tag: 'cluster',
    auth: 'operator',
    summary:
      'All regions: nodes, streams, connections of viewers and links; one that is cut off as it was last known, with its age',
    reply: { status: 200, schema: RegionsView },
    errors: ['UNAUTHENTICATED', 'LOG_UNAVAILABLE'],
    action: controlActions.regions,
  },
  {
    method: 'post',
    path: '/v1/nodes/{id}/drain',
    operation: 'drainNode',
    tag: 'cluster',
    auth: 'operator',
    summary: 'The node hands its streams over and leaves, within a bound',
    params: NodeParams,
    body: DrainBody,
    reply: { status: 202, schema: DrainView },
    errors: ['BAD_REQUEST', 'UNAUTHENTICATED', 'NOT_FOUND', 'CONFLICT', 'UNAVAILABLE'],
    action: controlActions.drain,
  },
  {
    method: 'post',
    path: '/v1/cluster/release',
    operation: 'releaseBrake',
    tag: 'cluster',
    auth: 'operator',
    summary: 'Lifts the brake on mass deaths: suspected nodes are declared dead without the wait of 30 s',
    reply: { status: 202, schema: ReleaseView },
    errors: ['UNAUTHENTICATED', 'LOG_UNAVAILABLE'],
    action: controlActions.release,
  },
];
