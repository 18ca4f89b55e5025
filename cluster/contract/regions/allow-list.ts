/** All that may cross between regions. What is not listed here crosses nowhere, in either direction (R2). */
import { edgeCounts, reactionWindow } from './audience.ts';
import { claiming, streamFold, streamHeads } from './claims.ts';
import { commentChanges, commentsChanged } from './comments.ts';
import type { RegionCall, RegionEvent } from './crossing.ts';
import { healthAtHome } from './health.ts';
import { headTold, readHead, readLog, recordPublished } from './log.ts';
import { edges, onAir, onAirList } from './on-air.ts';
import { regionReport } from './report.ts';
import { registryChanged, registryChanges, registryStream } from './registry.ts';
import { commentsWritten } from './written.ts';

/** A call as gateways see it: they know its bounds, and leave its shapes to the two ends. */
export type CallBounds = Omit<RegionCall<unknown, unknown>, 'params' | 'result'>;
/** An event as gateways see it. */
export type EventBounds = Omit<RegionEvent<unknown>, 'event'>;

export interface AllowList {
  readonly calls: readonly CallBounds[];
  readonly events: readonly EventBounds[];
}

export const allowList: AllowList = {
  calls: [
    onAirList,
    streamHeads,
    streamFold,
    registryChanges,
    registryStream,
    commentChanges,
    readLog,
    readHead,
    regionReport,
    healthAtHome,
  ],
  events: [
    onAir,
    edges,
    claiming,
    registryChanged,
    commentsChanged,
    commentsWritten,
    reactionWindow,
    edgeCounts,
    recordPublished,
    headTold,
  ],
};
