/** The tasks that an owner publishes, and the reports that workers send it (C9, M6, M7, M12). Workers have no actions: they pull. */
import { z } from 'zod';
import { Epoch, NodeId, PeriodId, RegionId, RenditionName, Sha256, StreamId } from '../model/ids.ts';
import { maxPicturesOfSegment } from '../model/media-limits.ts';
import { StoredMedia } from './index-records.ts';
import { InitSegment, Ratio, VideoRendition } from './renditions.ts';

/** `lowest` holds only the ladder's last rung, and is encoded first (M12). */
export const TaskGroup = z.enum(['lowest', 'upper']);
export type TaskGroup = z.infer<typeof TaskGroup>;

export const TranscodeTask = z.object({
  /** The id is `{stream}/{period}/{start90k}/{group}`. The message id on the queue is `taskId#attempt`. */
  taskId: z.string(),
  attempt: z.number().int().positive(),
  group: TaskGroup,
  /** How many workers died while they had this task, as far as the owner knows. After two deaths the task runs alone (C9). */
  deaths: z.number().int().nonnegative().default(0),
  region: RegionId,
  streamId: StreamId,
  /**
   * The period under whose name the source is stored, and the output will be. It is the segment's own, or the one that its period continues
   * (M7).
   */
  period: PeriodId,
  epoch: Epoch,
  /** The node that reports go to. */
  owner: NodeId,
  start90k: z.number().int().nonnegative(),
  duration90k: z.number().int().positive(),
  /** Where the source's video is stored. The worker checks `sha256` after reading it. */
  source: z.object({
    key: z.string(),
    initKey: z.string(),
    sha256: Sha256,
    bytes: z.number().int().positive(),
  }),
  sourceFrameRate: Ratio,
  /**
   * The presentation times of the pictures, sorted, from `start90k` on. The encoder must produce as many pictures as there are times (M6).
   */
  times90k: z.array(z.number().int().nonnegative()).min(1).max(maxPicturesOfSegment),
  renditions: z.array(VideoRendition).min(1).max(8),
  /** The reference init segments that the log has already. An output with another init segment is refused (M7). */
  inits: z.record(RenditionName, InitSegment),
  fingerprint: z.string(),
  /** How long the owner waits for the result. */
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
  /**
   * `code` is a code of the error catalogue, `fingerprint` that of the worker. Three reported failures from two nodes make the segment a
   * gap (C9).
   */
  z.object({
    kind: z.literal('failed'),
    ...about,
    code: z.string(),
    detail: z.string().max(1000),
    fingerprint: z.string().optional(),
  }),
  /** The worker had begun the task and now drains. This is no failure; the owner publishes the task again at once. */
  z.object({ kind: z.literal('returned'), ...about }),
]);
export type TaskReport = z.infer<typeof TaskReport>;
