/** The routes of reactions and of the audience's numbers. The edge serves them itself: a tap must cost no call between actors. */
import { AudienceView, ReactBody } from '../audience/reactions.ts';
import { StreamParams } from './control-routes.ts';
import type { Route } from './routes.ts';

const ofStream = { tag: 'audience', auth: 'none', params: StreamParams } as const;
const unknown = ['STREAM_NOT_FOUND', 'STREAM_REMOVED', 'OVERLOADED', 'UNAVAILABLE'] as const;

export const reactionRoutes = {
  react: {
    ...ofStream,
    method: 'post',
    path: '/v1/streams/{id}/reactions',
    operation: 'react',
    summary: 'Adds a reaction, which is counted and shown for seconds',
    body: ReactBody,
    reply: { status: 202 },
    errors: unknown,
  },
  audience: {
    ...ofStream,
    method: 'get',
    path: '/v1/streams/{id}/audience',
    operation: 'getAudience',
    summary: "How many watch a stream in the node's region, and how many of them can speak",
    reply: { status: 200, schema: AudienceView },
    errors: unknown,
  },
} as const satisfies Record<string, Route>;
