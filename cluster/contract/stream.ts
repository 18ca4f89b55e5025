/** The stream actor: owner of one live stream and only writer of its index log (C2). Actions go to the owner's node. */
import { z } from 'zod';
import {
  BootId,
  Epoch,
  NodeId,
  PeriodId,
  RegionId,
  RenditionName,
  SessionId,
  Sha256,
  StreamId,
} from '../model/ids.ts';
import { SourceOffer } from './index-log.ts';
import { InitSegment, Ratio } from './renditions.ts';
import { Staleness } from './staleness.ts';
import { TaskReport } from './transcode.ts';

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

export const SourceVideo = z.object({
  codec: z.enum(['h264', 'hevc', 'av1']),
  codecs: z.string(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  sampleAspectRatio: Ratio,
  frameRate: Ratio,
  bitDepth: z.union([z.literal(8), z.literal(10)]),
  /** Its pictures may be two fields; absent means that they are not. */
  isInterlaced: z.boolean().optional(),
  /** CEA-608/708 in its pictures; absent means none. */
  hasCaptions: z.boolean().optional(),
  /** From metadata, or measured over the first GOP. */
  bitrateBps: z.number().int().positive(),
  init: InitSegment,
});
export type SourceVideo = z.infer<typeof SourceVideo>;

export const SourceAudio = z.object({
  codecs: z.string(),
  sampleRate: z.number().int().positive(),
  channels: z.number().int().positive(),
  samplesPerFrame: z.number().int().positive(),
  bitrateBps: z.number().int().positive(),
  init: InitSegment,
});
export type SourceAudio = z.infer<typeof SourceAudio>;

/** Marks are the first hex digits of a SHA-256. */
export const markHashLength = 16;
const MarkHash = z
  .string()
  .length(markHashLength)
  .regex(/^[0-9a-f]+$/);

/** What a session has that may be recognised, by its own clock (M2). */
export const PeriodMarks = z.object({
  /** Its last IDRs: time since its zero, hash of the VCL NAL units. */
  pictures: z.array(z.object({ at90k: z.number(), hash: MarkHash })).max(64),
  /** Its last audio frames, back to back from `start` on, in samples since its zero. */
  audio: z
    .object({
      start: z.number().int(),
      samplesPerFrame: z.number().int().positive(),
      hashes: z.array(MarkHash).max(1024),
    })
    .optional(),
});
export type PeriodMarks = z.infer<typeof PeriodMarks>;

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

/** What a session tells while it runs: shown in health, and used for warnings (M11). */
export const InputReport = z.object({
  streamId: StreamId,
  sessionId: SessionId,
  videoCodec: z.string().optional(),
  audioCodec: z.string().optional(),
  width: z.number().optional(),
  height: z.number().optional(),
  fps: z.number().optional(),
  bitrateBps: z.number(),
  keyframeIntervalSeconds: z.number().optional(),
  lastPacketAgeMs: z.number(),
  warnings: z.array(z.string()).max(16),
  fault: z.string().optional().meta({
    description: 'The newest warning that means harm; what is only mended or expected degrades no stream.',
  }),
});
export type InputReport = z.infer<typeof InputReport>;

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

/** Health of a stream: durations in ms, times in RFC 3339. */
export const StreamHealth = z.object({
  /** `unknown`: its owner cannot be asked, as NATS does not answer. */
  state: z.enum(['offline', 'starting', 'live', 'degraded', 'refused', 'unknown']),
  owner: NodeId.optional(),
  region: RegionId.optional(),
  epoch: Epoch.optional(),
  bootId: BootId.optional(),
  since: z.string().optional(),
  reason: z.string(),
  /** Why it is owned there: `first publish`, `owner died (node-1)`, … */
  ownedBecause: z.string().optional(),
  successors: z.array(NodeId),
  asOf: z.string(),
  /** NATS does not answer: who owns it and who is next was last known then; the rest is as of `asOf`. */
  stale: Staleness.optional(),
  input: InputReport.omit({ streamId: true }).partial().optional(),
  /** Who is connected: `active` feeds the stream (two are twins), a `candidate` is being compared with them. */
  sessions: z
    .array(
      z.object({
        sessionId: SessionId,
        node: NodeId,
        role: z.enum(['active', 'candidate', 'superseded']),
        // An owner of an earlier version tells none of what has a default here.
        remoteAddress: z.string().default(''),
        encoder: z.string().optional(),
        bitrateBps: z.number().optional(),
        lastPacketAgeMs: z.number().default(0),
        warnings: z.array(z.string()).default([]),
      }),
    )
    .optional(),
  renditions: z.array(
    z.object({
      name: RenditionName,
      lagMs: z.number(),
      gaps: z
        .number()
        .int()
        .meta({ description: 'Segments that lack it, of those that manifests reach in this period.' }),
      recentGaps: z
        .number()
        .int()
        .default(0)
        .meta({ description: 'Segments that lack it, of the last 10 minutes, whatever the period.' }),
    }),
  ),
});
export type StreamHealth = z.infer<typeof StreamHealth>;

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

/** What an edge has folded of a stream: asked by who takes it over (C7). */
export const EdgeParams = z.object({ streamId: StreamId });
export const EdgeHead = z.object({
  node: NodeId,
  epoch: Epoch,
  nextNumber: z.number().int().nonnegative(),
  /** The last period that it knows, which may have no segment yet; absent where there is none. */
  period: PeriodId.optional(),
});
export type EdgeHead = z.infer<typeof EdgeHead>;
export const edgeActions = {
  /** An `EdgeHead`, or null from an edge that does not follow the stream. */
  head: 'edge-delivery.head',
  /** A snapshot of its fold, or null. */
  fold: 'edge-delivery.fold',
} as const;

export const ingestActions = {
  /** Of every ingest: a session must close (key rotated, stream deleted, superseded). */
  closeSessions: 'ingest.closeSessions',
  /** Of one node, for its drain: how many sessions it has; and each is closed at its next keyframe. */
  count: 'ingest.count',
  closeAtKeyframe: 'ingest.closeAtKeyframe',
  /** Of one node, for its stop: closes its publishers, and answers when they have brought what they have. */
  end: 'ingest.end',
  /** The first word: whoever has a twin elsewhere is closed, who understands it is asked to connect elsewhere. */
  askToLeave: 'ingest.askToLeave',
} as const;
export const CloseSessionsParams = z.object({
  streamId: StreamId,
  /** Only this one; all of the stream's when absent. */
  sessionId: SessionId.optional(),
  reason: z.string(),
  /** What the publisher is told; when absent that another has its place, or where all are closed that the key is unknown. */
  code: z.enum(['UNAVAILABLE', 'STREAM_REMOVED']).optional(),
  /** Of the owner that asks: sessions of a later one stay. Absent where it is an operator who asks. */
  epoch: Epoch.optional(),
});
export type CloseSessionsParams = z.infer<typeof CloseSessionsParams>;
