/** The stream actor: owner of one live stream and only writer of its index log (C2). Actions go to the owner's node. */
import { z } from 'zod';
import type { RenditionName } from '../model/ids.ts';
import { Epoch, NodeId, PeriodId, SessionId, Sha256, StreamId } from '../model/ids.ts';
import { SourceOffer } from './index-records.ts';
import { TaskReport } from './transcode-task.ts';
import { InputReport } from './stream-health.ts';
import { SourceVideo, SourceAudio, PeriodMarks } from './contribution.ts';

/** A session asks for the stream before its first byte of media is taken (C2). */
export const AttachParams = z.object({
  streamId: StreamId,
  sessionId: SessionId,
  node: NodeId,
  remoteAddress: z.string(),
  encoder: z.string().optional(),
  priority: z.number().int(),
  ladder: z.string(),
  /** The period that it feeds already: it comes back to a new owner, as the twin that it was. */
  period: PeriodId.optional(),
  /** Another session was on air, and not at the node of the last owner, as that one said: it may come back as well. */
  hadTwin: z.boolean().optional(),
});
export type AttachParams = z.infer<typeof AttachParams>;

export interface AttachReply {
  readonly epoch: Epoch;
  /** A ghost of the same encoder that this session supersedes; its node closes it. */
  readonly supersedes?: { readonly sessionId: SessionId; readonly node: NodeId };
}

/** The first whole GOP is known: the owner opens a period or lets the running one go on (M1, M2). */
export const OpenPeriodParams = z.object({
  streamId: StreamId,
  sessionId: SessionId,
  epoch: Epoch,
  sequenceHeaderHash: Sha256,
  /** Unwrapped RTMP time in ms of the first picture (or first audio frame), and the session's UTC then. */
  connectionZeroMs: z.number(),
  wallZeroMs: z.number().int(),
  video: SourceVideo.optional(),
  audio: SourceAudio.optional(),
  /** Sent by one that was told `TWIN_PENDING`. */
  marks: PeriodMarks.optional(),
});
export type OpenPeriodParams = z.infer<typeof OpenPeriodParams>;

export interface OpenPeriodReply {
  readonly period: PeriodId;
  /** Stream time of the session's `connectionZeroMs`, 90 kHz: 0 for a new period, more when the clock goes on (M2). */
  readonly offset90k: number;
  /** The same for its audio, in samples, where that was recognised by content; else it follows from `offset90k`. */
  readonly audioOffset?: number;
  /** Another session feeds the period: this one leaves it what it joined in the middle of. */
  readonly isTwin?: boolean;
  /** Under which names the session stores its media: the passed-through rung or `source`; absent for a missing track. */
  readonly video?: RenditionName;
  readonly audio?: RenditionName;
}

export const OfferParams = z.object({
  streamId: StreamId,
  epoch: Epoch,
  offer: SourceOffer,
  /** What was unfinished when the connection ended: nothing worth while a twin brings it whole (M4). */
  isTail: z.boolean().optional(),
});
export type OfferParams = z.infer<typeof OfferParams>;

export const DetachParams = z.object({
  streamId: StreamId,
  sessionId: SessionId,
  reason: z.string().max(200),
});
export type DetachParams = z.infer<typeof DetachParams>;

/** As both go to the owner, under the epoch that the session is attached under: one that was succeeded refuses them. */
export const InputCall = InputReport.extend({ epoch: Epoch });
export type InputCall = z.infer<typeof InputCall>;

export const DetachCall = DetachParams.extend({ epoch: Epoch });
export type DetachCall = z.infer<typeof DetachCall>;

/** What an owner says to an input report; where its log stands shows a session that it works (C3). */
export const InputReply = z.object({
  sequence: z.number().int().nonnegative(),
  /** A twin of this session feeds the stream at another node: this one may go (C2). */
  feedsElsewhere: z.boolean(),
  /** Another session is on air, and not at the owner's node, with which it would die; absent where this one is not known. */
  hasTwin: z.boolean().optional(),
});
export type InputReply = z.infer<typeof InputReply>;

/** A session waits for its owner, and asks its own node to look (C3: media liveness). */
export const StandsStillParams = z.object({ streamId: StreamId });
export type StandsStillParams = z.infer<typeof StandsStillParams>;

/** The owner there is now, if the look has changed it. */
export const StandsStillReply = z.object({ owner: NodeId.optional() });
export type StandsStillReply = z.infer<typeof StandsStillReply>;

/** A session that feeds a stream, as its owner tells a successor of it. */
export const FeedingSession = AttachParams.omit({ streamId: true, period: true, hadTwin: true });
export type FeedingSession = z.infer<typeof FeedingSession>;

/** The owner gives a stream to another node, which takes it over by this consent (C2). */
export const AdoptParams = z.object({
  streamId: StreamId,
  from: NodeId,
  /** Of the owner that gives it away: consent to nobody else's loss. */
  epoch: Epoch,
  /** Why, where it is not the owner that gives it away: for people. */
  reason: z.string().max(200).optional(),
  /** They come back with their next offer, one sooner than the other; until then they count as there. */
  sessions: z.array(FeedingSession).max(16).default([]),
});
export type AdoptParams = z.infer<typeof AdoptParams>;

export const ReportParams = z.object({ report: TaskReport });

/** Whether an output of the task would still count; what is decided, nobody waits for. */
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
  handOverAll: 'stream.handOverAll',
  sessionsGone: 'stream.sessionsGone',
  health: 'stream.health',
  onAir: 'stream.onAir',
} as const;
