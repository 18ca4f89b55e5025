/** What a node tells the other members of itself when it joins. */
import { hostname } from 'node:os';
import type { Member } from '../cluster/membership/member-directory.ts';
import type { BootId } from '../cluster/model/ids.ts';
import type { Clock } from '../cluster/time/clock.ts';
import type { NodeConfig } from './config.ts';
import { httpUrlOf, rtmpUrlOf } from './public-url.ts';

/** The version of what nodes say to each other. It is raised when two versions cannot work together. */
const protocol = 1;

/** @param bootId of this process @param topologyVersion 0 where there is no file of regions, of which then nothing is told */
export function describeNode(
  config: NodeConfig,
  bootId: BootId,
  topologyVersion: number,
  clock: Clock,
): Member {
  const { nodeId, region, roles, weight, http, rtmp, store } = config;
  return {
    id: nodeId,
    region,
    host: hostname(),
    pid: process.pid,
    bootId,
    roles: [...roles],
    httpUrl: httpUrlOf(http),
    rtmpUrl: rtmpUrlOf(rtmp),
    store: store.kind,
    startedAt: new Date(clock.utcMs()).toISOString(),
    weight,
    protocol,
    ...(topologyVersion === 0 ? {} : { topologyVersion }),
  };
}
