/** The path of the live socket, as HTTP sees it; what is said over it is in `audience/socket-messages.ts`. */
import { socketPath, socketProtocol } from '../audience/socket-messages.ts';
import { StreamParams } from './control-routes.ts';
import type { Route } from './routes.ts';

export const socketRoute = {
  tag: 'audience',
  method: 'get',
  path: socketPath,
  operation: 'liveSocket',
  auth: 'none',
  summary: `The live socket, subprotocol ${socketProtocol}: /asyncapi.json describes what is said over it`,
  params: StreamParams,
  reply: { status: 101 },
  errors: ['BAD_REQUEST', 'UPGRADE_REQUIRED', 'OVERLOADED', 'UNAVAILABLE'],
} as const satisfies Route;
