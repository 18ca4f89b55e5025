/**
 * What the owner of one stream knows, what it is told, and what it asks for: the words of the stream actor.
 *
 * The state is a value: a turn makes the next one (only the timeline grows in place, as its fold says). Times ending in
 * `AtMs` are monotonic; UTC is used for people and for `availabilityStartTime` alone (C6).
 */
import type {
  IndexEntry,
  IndexRecord,
  SourceOffer,
  StoredMedia,
} from '../../../cluster/contract/index-records.ts';
import type { InitSegment } from '../../../cluster/contract/renditions.ts';
import type {
  AttachParams,
  AttachReply,
  DetachParams,
  OfferParams,
  OpenPeriodParams,
  OpenPeriodReply,
} from '../../../cluster/contract/stream-actions.ts';
import type { CloseSessionsParams } from '../../../cluster/contract/ingest-actions.ts';
import type { InputReport } from '../../../cluster/contract/stream-health.ts';
import type { TaskGroup, TaskReport, TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';
import type {
  BootId,
  Epoch,
  NodeId,
  PeriodId,
  RegionId,
  RenditionName,
  SessionId,
  StreamId,
} from '../../../cluster/model/ids.ts';
import type { Ladder } from '../../media/ladder/ladder.ts';
import type { Timeline } from '../../media/timeline/timeline.ts';
import type { OwnerEvent } from './owner-events.ts';
import type { SourceMark } from './twins.ts';

export interface Now {
  readonly utcMs: number;
  readonly runningMs: number; // a standstill of this process makes nothing late, and nobody silent
}

export interface Identity {
  readonly stream: StreamId;
  readonly region: RegionId;
  readonly node: NodeId;
  readonly bootId: BootId;
  readonly epoch: Epoch;
}

/** What does not change while an owner lives. */
export interface OwnerSettings {
  /** By name; `default` is used for a name that is not there. */
  readonly ladders: ReadonlyMap<string, Ladder>;
  /** Of the region's encoders (C9). */
  readonly fingerprint: string;
  /** Without a session for so long, the broadcast is over. */
  readonly endAfterMs: number;
  /** What a manifest shows; the log keeps about twice of it. */
  readonly dvrWindowMs: number;
  /** What is kept at all. */
  readonly retentionMs: number;
  /** Records of this stream in the log above which it is trimmed. */
  readonly maxLogRecords: number;
}

export interface Session {
  readonly id: SessionId;
  readonly node: NodeId;
  readonly remoteAddress: string;
  readonly encoder: string | undefined;
  readonly priority: number;
  readonly ladder: string;
  /** False once another has taken its place: it may still hand in its tail (M4). */
  readonly isActive: boolean;
  /** Since when it waits to be recognised as a twin; it only buffers (C2). Undefined for all others. */
  readonly candidateSinceMs: number | undefined;
  /** It came from an owner that died, under which it was not alone: until when the other is waited for (S9). */
  readonly twinDueUntilMs: number | undefined;
  /** It has called this owner; one that came with a hand-over may have gone meanwhile. */
  readonly isHeard: boolean;
  /** Since when all it has offered belongs to a period that is over (S10). */
  readonly outlivedSinceMs: number | undefined;
  /** This owner has taken media of it, or had that already from a twin. */
  readonly feeds: boolean;
  /** When its last packet came, as far as told, and when that was told. */
  readonly packetAtMs: number;
  readonly toldAtMs: number;
  readonly input: InputReport | undefined;
}

export interface Failure {
  readonly worker: NodeId;
  readonly code: string;
  /** Of the worker's encoder, where it says so. */
  readonly fingerprint: string | undefined;
}

/** The encoding of one group of renditions of one segment (M12). */
export interface SegmentTask {
  readonly group: TaskGroup;
  readonly renditions: readonly RenditionName[];
  /** The latest one; each is a message of its own on the queue. */
  readonly attempt: number;
  readonly attempts: number;
  readonly queue:
    | { readonly kind: 'publishing' }
    | { readonly kind: 'queued'; readonly atMs: number }
    /** By the queue, or put off for a store that failed. */
    | { readonly kind: 'refused'; readonly retryAtMs: number };
  /** Of the latest attempt. */
  readonly started: { readonly worker: NodeId; readonly atMs: number } | undefined;
  readonly failures: readonly Failure[];
  /** How often the store failed under a worker of it. */
  readonly storeFailures: number;
  /** Nodes that died with an attempt of it begun (C9). */
  readonly deaths: number;
  readonly outcome: 'running' | 'done' | 'poisoned';
}

export interface Output {
  readonly media: StoredMedia;
  readonly init: InitSegment;
}

/** A source that is neither committed nor declared a gap. */
export interface PendingSegment {
  readonly offer: SourceOffer;
  /** Other bytes for the same time, for when the first cannot be read (C2). */
  readonly spares: readonly SourceOffer[];
  readonly sourceRecordId: string;
  /** Its `source` record is in the log. */
  readonly isLogged: boolean;
  /** Its deadlines count from here, or from when it became first in line if it is backlog (M12, C8). */
  readonly clockAtMs: number;
  readonly isBacklog: boolean;
  /** Undefined until emitted. */
  readonly tasks: readonly SegmentTask[] | undefined;
  /** Not asked for, because of backlog or M13. */
  readonly dropped: ReadonlySet<RenditionName>;
  readonly outputs: ReadonlyMap<RenditionName, Output>;
}

/** A way to answer a call, known to the shell. */
export type ReplyTo = number;

/** A `clock` record on its way to the log, and who waits for the period. */
export interface Opening {
  readonly recordId: string;
  readonly params: OpenPeriodParams;
  readonly replies: readonly ReplyTo[];
}

export type LogLink =
  | { readonly kind: 'up' }
  /** `retryAtMs` is undefined while a read of the tail is under way. */
  | {
      readonly kind: 'down';
      readonly sinceAtMs: number;
      readonly failures: number;
      readonly retryAtMs: number | undefined;
    };

export interface Refusals {
  readonly atMs: readonly number[];
  readonly blockedUntilMs: number;
}

export interface Hold {
  readonly from: number;
  readonly until: number;
}

export interface OwnerState {
  readonly life: 'active' | 'ending' | 'gone';
  readonly self: Identity;
  readonly settings: OwnerSettings;
  readonly since: Now;
  readonly reason: string;

  /** Fold of what is in the log. */
  readonly timeline: Timeline;
  readonly link: LogLink;
  /** To be appended, in order; the first may be under way. */
  readonly outbox: readonly IndexRecord[];
  readonly isAppending: boolean;
  readonly isProbing: boolean;
  /** When the log last answered. */
  readonly logProvenAtMs: number;
  /** Sequence of this owner's last record: what the next append expects (C1). */
  readonly lastSequence: number;
  /** Records made by this owner; gives each its id. */
  readonly recordCount: number;
  /** Records of this stream in the log, about. */
  readonly logRecords: number;
  readonly isArchiving: boolean;
  /** Segments below this number are in archive objects. */
  readonly archivedBelow: number;
  readonly isCheckpointing: boolean;
  readonly checkpointRetryAtMs: number;
  /** The last checkpoint, and its key while it may be superseded. */
  readonly checkpointed:
    | { readonly nextNumber: number; readonly nextOrdinal: number; readonly key: string | undefined }
    | undefined;

  readonly sessions: readonly Session[];
  readonly idleSinceAtMs: number | undefined;
  readonly refusals: ReadonlyMap<string, Refusals>;
  readonly lastRefusal: { readonly atMs: number; readonly reason: string } | undefined;
  readonly openings: readonly Opening[];
  /** What the last sources begin with, oldest first (M2). */
  readonly marks: readonly SourceMark[];

  /** After an outage or a take-over: until then, what comes in behind backlog is backlog as well. */
  readonly catchUpUntilMs: number;
  /** In order of period and start. */
  readonly pending: readonly PendingSegment[];
  readonly headSinceAtMs: number;
  /** Where the last decided segment ends; in the outbox or the log. */
  readonly decided: { readonly period: PeriodId; readonly end90k: number } | undefined;
  readonly nextNumber: number;
  /** Reference inits of what is decided, by `{period}/{rendition}` (M7). */
  readonly inits: ReadonlyMap<string, InitSegment>;
  /** Rungs that stay out for a while, by their numbers: from the first, below the second (M13). */
  readonly holds: ReadonlyMap<RenditionName, Hold>;
  /** Of the last tasks, from start to report, newest last. */
  readonly encodeMs: readonly number[];
  /** Workers that reported, and when: how many nodes there are to fail on (C9). */
  readonly workers: ReadonlyMap<NodeId, number>;
}

export type Command =
  | { readonly kind: 'attach'; readonly params: AttachParams; readonly reply: ReplyTo }
  | { readonly kind: 'openPeriod'; readonly params: OpenPeriodParams; readonly reply: ReplyTo }
  | { readonly kind: 'offer'; readonly params: OfferParams; readonly reply: ReplyTo }
  | { readonly kind: 'input'; readonly report: InputReport }
  | { readonly kind: 'detach'; readonly params: DetachParams }
  | { readonly kind: 'report'; readonly report: TaskReport }
  | { readonly kind: 'tick' }
  /** The process stood still for over a second (C6). */
  | { readonly kind: 'thawed' }
  /** A node is gone, with its worker and its sessions (C3). */
  | { readonly kind: 'nodeGone'; readonly node: NodeId }
  | { readonly kind: 'appended'; readonly recordId: string; readonly sequence: number }
  | { readonly kind: 'appendFailed'; readonly recordId: string; readonly code: 'FENCED' | 'LOG_UNAVAILABLE' }
  /** `askedAt` is the owner's `lastSequence` when it asked: an answer overtaken by an append says nothing. */
  | { readonly kind: 'tailRead'; readonly tail: IndexEntry | undefined; readonly askedAt: number }
  | { readonly kind: 'tailUnreadable' }
  | { readonly kind: 'taskPublished'; readonly taskId: string; readonly attempt: number }
  | {
      readonly kind: 'taskRefused';
      readonly taskId: string;
      readonly attempt: number;
      readonly code: ErrorCode;
    }
  | { readonly kind: 'archived'; readonly firstNumber: number }
  | { readonly kind: 'checkpointed'; readonly made: CheckpointMade; readonly key: string | undefined }
  | { readonly kind: 'checkpointFailed' }
  | { readonly kind: 'archiveFailed' };

export interface CheckpointMade {
  readonly nextNumber: number;
  readonly nextOrdinal: number;
}

export type OfferReply = { readonly state: 'accepted' | 'known' | 'spare' | 'late' };

export type Effect =
  | { readonly kind: 'append'; readonly record: IndexRecord; readonly expectedSequence: number }
  | { readonly kind: 'readTail'; readonly askedAt: number }
  | { readonly kind: 'purge'; readonly belowSequence: number }
  | { readonly kind: 'publishTask'; readonly task: TranscodeTask }
  | {
      readonly kind: 'reply';
      readonly to: ReplyTo;
      readonly value: AttachReply | OpenPeriodReply | OfferReply;
    }
  | { readonly kind: 'refuse'; readonly to: ReplyTo; readonly code: ErrorCode; readonly detail: string }
  | ({ readonly kind: 'closeSession'; readonly sessionId: SessionId } & Pick<
      CloseSessionsParams,
      'reason' | 'code'
    >)
  | {
      readonly kind: 'checkpoint';
      readonly key: string;
      readonly body: unknown;
      readonly made: CheckpointMade;
      /** To be removed when this one is stored. */
      readonly supersedes?: string;
    }
  | { readonly kind: 'archive'; readonly key: string; readonly body: unknown; readonly firstNumber: number }
  | { readonly kind: 'count'; readonly event: OwnerEvent; readonly by: number }
  | {
      readonly kind: 'say';
      readonly level: 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields: object;
    }
  | { readonly kind: 'deactivate'; readonly reason: 'fenced' | 'ended' };

/** Every bound of the owner; times in ms. What happens at each is said where it is used. */
export const limits = {
  /** M12: of a segment of 2 s; deadlines.ts has a longer one's. */
  hedgeAfterMs: 1200,
  commitWithoutRestMs: 2500,
  gapMs: 4000,
  /** After an outage or a take-over viewers wait already, and workers come back slowly: no media is given up so soon. */
  backlogGapMs: 12_000,
  /** Bounds how long media behind a backlog is given its patience: a fleet that never keeps up must not be waited for. */
  catchUpMs: 60_000,
  /** A rung that was dropped stays out for so many segments (M13). */
  heldSegments: 5,
  /** Of one task, hedges and retries included. */
  maxAttempts: 8,
  /** Of one task, which are not counted as attempts; beyond it they are. */
  maxStoreFailures: 200,
  /** An owner's attempts of one task have fewer numbers: its successor's begin behind them. */
  attemptNumbers: 256,
  /** So many reported failures make a segment a gap (C9). */
  poisonFailures: 3,
  /** When a silent session is a ghost, and when refusals block an address (C2). */
  ghostOfSameAddressMs: 1000,
  ghostMs: 3000,
  refusalsBeforeBlock: 3,
  refusalWindowMs: 60_000,
  blockMs: 30_000,
  maxRefusedAddresses: 256,
  maxSessions: 8,
  /** Of one encoder: C2 knows two ingests. */
  maxTwins: 2,
  /** M2: sources that a newcomer is compared with, and for how long at least. */
  maxMarks: 64,
  twinWaitMs: 10_000,
  /** How long a session may send only what belongs to a period that is over. */
  outlivedMs: 10_000,
  /** Twins find a new owner at the verdict, or with their next segment. */
  twinReturnMs: 5000,
  /** A session that tells nothing for so long is gone, with its node. */
  silentSessionMs: 20_000,
  /** How fresh a report must be for its packet age to count as it is: sessions report every second. */
  reportFreshMs: 1200,
  /** C8: media waiting for the log or for workers. */
  maxPendingMs: 120_000,
  maxPendingSegments: 512,
  maxSpares: 2,
  /** M2: a join may differ by so much and is no gap. */
  joinTolerance90k: 180,
  /** A longer hole is not filled with gaps, but needs a new period. */
  maxHole90k: 60 * 90_000,
  /** M2: how far a connection's clock may stray from the wall and go on. */
  clockStrayMs: 1000,
  /** A source must wait so long for one that is missing before it. */
  holeWaitMs: 2500,
  /** The log must have answered so lately for a deadline to count (C8). */
  logProofMs: 500,
  logRetryMinMs: 100,
  logRetryMaxMs: 300,
  taskRetryMs: 250,
  /** A store that fails is tried again after `taskRetryMs`, twice that, and so on up to this. */
  storeRetryMaxMs: 500,
  /** The log must be silent for so long before tasks are emitted ahead of it, and of so many segments at once. */
  aheadAfterMs: 500,
  maxAhead: 3,
  /** The queue keeps a task for 60 s (C9). */
  queueLostMs: 30_000,
  encodeTimes: 64,
  workerMemoryMs: 60_000,
  maxOpenings: 8,
  /** Commits between two checkpoints (C7). */
  checkpointCommits: 10,
  checkpointRetryMs: 5000,
} as const;
