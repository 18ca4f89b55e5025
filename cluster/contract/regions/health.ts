/** How a stream is, as its home region answers an operator in another one. */
import { StreamHealth } from '../stream-health.ts';
import { StreamParams } from './claims.ts';
import type { RegionCall } from './crossing.ts';

export const healthAtHome: RegionCall<StreamParams, StreamHealth> = {
  name: 'health',
  params: StreamParams,
  result: StreamHealth,
  maxBytes: 200,
  maxResultBytes: 64_000,
  perSecond: 50,
};
