/** Actions of the stream actor: the owner of one live stream and the only writer of its index log (C2). Calls go to the owner's node. */
import { z } from 'zod';
import type { RenditionName } from '../model/ids.ts';
import { Epoch, NodeId, PeriodId, SessionId, Sha256, StreamId } from '../model/ids.ts';
import { SourceOffer } from './index-records.ts';
import { TaskReport } from './transcode-task.ts';
import { InputReport } from './stream-health.ts';
import { SourceVideo, SourceAudio, PeriodMarks } from './contribution.ts';

/** A session attaches to the stream before it takes the first byte of media (C2). */
export const AttachParams = z.object({
  streamId: StreamId,
  sessionId: SessionId,
  node: NodeId,
  remoteAddress: z.string(),
  encoder: z.string().optional(),
  priority: z.number().int(),
  ladder: z.string(),
  /** The period that the session feeds already: after a change of owner it attaches again, as the twin that it was. */
  period: PeriodId.optional(),
  /** The last owner said that another session was on air at a node other than its own. That session may attach again as well. */
  hadTwin: z.boolean().optional(),
});
export type AttachParams = z.infer<typeof AttachParams>;

export interface AttachReply {
  readonly epoch: Epoch;
  /** A ghost of the same encoder, which this session replaces. The node of the ghost closes it. */
  readonly supersedes?: { readonly sessionId: SessionId; readonly node: NodeId };
}

/** Sent when the first whole GOP is known. The owner opens a period or lets the running one continue (M1, M2). */
export const OpenPeriodParams = z.object({
  streamId: StreamId,
  sessionId: SessionId,
  epoch: Epoch,
  sequenceHeaderHash: Sha256,
  /** The unwrapped RTMP time in ms of the first picture (or first audio frame), and the session's UTC at that moment. */
  connectionZeroMs: z.number(),
  wallZeroMs: z.number().int(),
  video: SourceVideo.optional(),
  audio: SourceAudio.optional(),
  /** Sent by a session that was answered `TWIN_PENDING`. */
  marks: PeriodMarks.optional(),
});
export type OpenPeriodParams = z.infer<typeof OpenPeriodParams>;

export interface OpenPeriodReply {
  readonly period: PeriodId;
  /** The stream time of the session's `connectionZeroMs`, in 1/90,000 s: 0 for a new period, more when the clock continues (M2). */
  readonly offset90k: number;
  /** The same for the audio, in samples, where the audio was recognised by its content. Absent: it follows from `offset90k`. */
  readonly audioOffset?: number;
  /** Another session feeds the period already. This session leaves to it the segment that it joined in the middle of. */
  readonly isTwin?: boolean;
  /** The names under which the session stores its media: the rung that is passed through, or `source`. Absent for a missing track. */
  readonly video?: RenditionName;
  readonly audio?: RenditionName;
}

export const OfferParams = z.object({
  streamId: StreamId,
  epoch: Epoch,
  offer: SourceOffer,
  /** True for what was unfinished when the connection ended. It is worth nothing where a twin brings the same segment whole (M4). */
  isTail: z.boolean().optional(),
});
export type OfferParams = z.infer<typeof OfferParams>;

export const DetachParams = z.object({
  streamId: StreamId,
  sessionId: SessionId,
  reason: z.string().max(200),
});
export type DetachParams = z.infer<typeof DetachParams>;

/** Both reports go to the owner with the epoch under which the session is attached. An owner of another epoch refuses them. */
export const InputCall = InputReport.extend({ epoch: Epoch });
export type InputCall = z.infer<typeof InputCall>;

export const DetachCall = DetachParams.extend({ epoch: Epoch });
export type DetachCall = z.infer<typeof DetachCall>;

/** The owner's answer to an input report. Its place in the log shows the session that the owner works (C3). */
export const InputReply = z.object({
  sequence: z.number().int().nonnegative(),
  /** A twin of this session feeds the stream at another node, so this session may be closed (C2). */
  feedsElsewhere: z.boolean(),
  /**
   * Another session is on air at a node other than the owner's, so it would survive the owner's node. Absent where the owner does not know
   * this session.
   */
  hasTwin: z.boolean().optional(),
});
export type InputReply = z.infer<typeof InputReply>;

/** A session that waits for its owner asks its own node to check whether the owner still works (C3, media liveness). */
export const StandsStillParams = z.object({ streamId: StreamId });
export type StandsStillParams = z.infer<typeof StandsStillParams>;

/** The owner after the check, where the check changed it. */
export const StandsStillReply = z.object({ owner: NodeId.optional() });
export type StandsStillReply = z.infer<typeof StandsStillReply>;

/** A session that feeds a stream, as the owner describes it to its successor. */
export const FeedingSession = AttachParams.omit({ streamId: true, period: true, hadTwin: true });
export type FeedingSession = z.infer<typeof FeedingSession>;

/** The owner gives a stream to another node. By this consent that node takes it over (C2). */
export const AdoptParams = z.object({
  streamId: StreamId,
  from: NodeId,
  /** The epoch of the owner that gives the stream away. The consent holds against no other owner. */
  epoch: Epoch,
  /** For people: the reason, where it is not the owner that gives the stream away. */
  reason: z.string().max(200).optional(),
  /** The sessions return with their next offers, at different times. Until then they count as present. */
  sessions: z.array(FeedingSession).max(16).default([]),
});
export type AdoptParams = z.infer<typeof AdoptParams>;

export const ReportParams = z.object({ report: TaskReport });

/** Says whether an output of the task would still count. A decided segment needs none. */
export const ReportReply = z.object({ isWanted: z.boolean() });
export type ReportReply = z.infer<typeof ReportReply>;

export const streamActions = {
  attach: 'stream.attach',
  openPeriod: 'stream.openPeriod',
  offer: 'stream.offer',
  input: 'stream.input',
  detach: 'stream.detach',
  report: 'stream.report',
  adopt: 'stream.adopt',
  standsStill: 'stream.standsStill',
  health: 'stream.health',
  onAir: 'stream.onAir',
} as const;
