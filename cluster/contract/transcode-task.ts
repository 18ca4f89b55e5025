/** Tasks of the map step and what workers report (C9, M6, M7, M12). */
import { z } from 'zod';
import { Epoch, NodeId, PeriodId, RegionId, RenditionName, Sha256, StreamId } from '../model/ids.ts';
import { maxPicturesOfSegment } from '../model/media-limits.ts';
import { StoredMedia } from './index-records.ts';
import { InitSegment, Ratio, VideoRendition } from './renditions.ts';

/** `lowest` holds the ladder's last rung alone and is first in line (M12). */
export const TaskGroup = z.enum(['lowest', 'upper']);
export type TaskGroup = z.infer<typeof TaskGroup>;

export const TranscodeTask = z.object({
  /** `{stream}/{period}/{start90k}/{group}`; the message id on the queue is `taskId#attempt`. */
  taskId: z.string(),
  attempt: z.number().int().positive(),
  group: TaskGroup,
  /** Workers that died over it, as its owner knows: after two deaths it runs alone (C9). */
  deaths: z.number().int().nonnegative().default(0),
  region: RegionId,
  streamId: StreamId,
  /** Under whose name the source is stored and the output is to be: the segment's own, but for M7. */
  period: PeriodId,
  epoch: Epoch,
  /** Who to report to. */
  owner: NodeId,
  start90k: z.number().int().nonnegative(),
  duration90k: z.number().int().positive(),
  /** Where the source's video lies; `sha256` is checked after reading. */
  source: z.object({
    key: z.string(),
    initKey: z.string(),
    sha256: Sha256,
    bytes: z.number().int().positive(),
  }),
  sourceFrameRate: Ratio,
  /** Sorted presentation times counted from `start90k`: as many pictures out as there are here (M6). */
  times90k: z.array(z.number().int().nonnegative()).min(1).max(maxPicturesOfSegment),
  renditions: z.array(VideoRendition).min(1).max(8),
  /** Reference init segments where the log has them: an output that differs is refused (M7). */
  inits: z.record(RenditionName, InitSegment),
  fingerprint: z.string(),
  /** How long the owner waits for it. */
  budgetMs: z.number().int().positive(),
});
export type TranscodeTask = z.infer<typeof TranscodeTask>;

const about = {
  streamId: StreamId,
  taskId: z.string(),
  attempt: z.number().int().positive(),
  worker: NodeId,
  epoch: Epoch,
};

export const TaskReport = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('started'), ...about }),
  z.object({
    kind: z.literal('done'),
    ...about,
    outputs: z.record(RenditionName, StoredMedia.extend({ init: InitSegment })),
    encodeMs: z.number().nonnegative(),
  }),
  /** `code` is of the error catalogue, `fingerprint` the worker's own; three reported failures from two nodes are a poison (C9). */
  z.object({
    kind: z.literal('failed'),
    ...about,
    code: z.string(),
    detail: z.string().max(1000),
    fingerprint: z.string().optional(),
  }),
  /** Begun and not finished, for the worker drains: no failure, to be published again at once. */
  z.object({ kind: z.literal('returned'), ...about }),
]);
export type TaskReport = z.infer<typeof TaskReport>;
