/**
 * The words of the stream actor: what the owner of one stream knows, which commands it takes, and which effects it asks
 * for.
 *
 * The state is a value: each turn makes the next one. Only the timeline grows in place, as its fold says. Times that
 * end in `AtMs` are monotonic. UTC is used for people, and for `availabilityStartTime`, only (C6).
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
  /** Monotonic; it counts only time in which this process ran, so a standstill makes nothing late and nobody silent. */
  readonly runningMs: number;
}

export interface Identity {
  readonly stream: StreamId;
  readonly region: RegionId;
  readonly node: NodeId;
  readonly bootId: BootId;
  readonly epoch: Epoch;
}

/** What stays the same while an owner lives. */
export interface OwnerSettings {
  /** Ladders by name; `default` is used for an unknown name. */
  readonly ladders: ReadonlyMap<string, Ladder>;
  /** The fingerprint of the region's encoders (C9). */
  readonly fingerprint: string;
  /** The broadcast is over when it has had no session for so long. */
  readonly endAfterMs: number;
  /** How much a manifest shows; the log keeps about twice that. */
  readonly dvrWindowMs: number;
  /** How much is kept at all. */
  readonly retentionMs: number;
  /** With more records of this stream than this, the log is trimmed. */
  readonly maxLogRecords: number;
}

export interface Session {
  readonly id: SessionId;
  readonly node: NodeId;
  readonly remoteAddress: string;
  readonly encoder: string | undefined;
  readonly priority: number;
  readonly ladder: string;
  /** False once another session has taken its place. It may still hand in its tail (M4). */
  readonly isActive: boolean;
  /** Since when it waits to be recognised as a twin, and only buffers (C2). Undefined for all other sessions. */
  readonly candidateSinceMs: number | undefined;
  /**
   * Until when the owner waits for this session's twin. Set for a session that had one under an owner that died
   * (sessions.ts S9).
   */
  readonly twinDueUntilMs: number | undefined;
  /** Whether it has called this owner. A session that came with a hand-over may have gone meanwhile. */
  readonly isHeard: boolean;
  /** Since when it has offered nothing but media of a period that is over (sessions.ts S10). */
  readonly outlivedSinceMs: number | undefined;
  /** Whether this owner has taken media from it, or had that media already from a twin. */
  readonly feeds: boolean;
  /** When its last packet came, as far as it told, and when it told that. */
  readonly packetAtMs: number;
  readonly toldAtMs: number;
  readonly input: InputReport | undefined;
}

export interface Failure {
  readonly worker: NodeId;
  readonly code: string;
  /** The fingerprint of the worker's encoder, where the worker names it. */
  readonly fingerprint: string | undefined;
}

/** The encoding of one group of renditions of one segment (M12). */
export interface SegmentTask {
  readonly group: TaskGroup;
  readonly renditions: readonly RenditionName[];
  /** The number of the latest attempt; each is a message of its own on the queue. */
  readonly attempt: number;
  readonly attempts: number;
  readonly queue:
    | { readonly kind: 'publishing' }
    | { readonly kind: 'queued'; readonly atMs: number }
    /** Refused by the queue, or put off because the store failed. */
    | { readonly kind: 'refused'; readonly retryAtMs: number };
  /** Who works on the latest attempt, and since when. */
  readonly started: { readonly worker: NodeId; readonly atMs: number } | undefined;
  readonly failures: readonly Failure[];
  /** How often the store failed under a worker of this task. */
  readonly storeFailures: number;
  /** How many nodes died after they had begun an attempt of it (C9). */
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
  /** Sources with other bytes for the same time, for when the first cannot be read (C2). */
  readonly spares: readonly SourceOffer[];
  readonly sourceRecordId: string;
  /** Whether its `source` record is in the log. */
  readonly isLogged: boolean;
  /** From when its deadlines count; for backlog, from when it became first in line (M12, C8). */
  readonly clockAtMs: number;
  readonly isBacklog: boolean;
  /** Undefined until its tasks are emitted. */
  readonly tasks: readonly SegmentTask[] | undefined;
  /** Rungs that are not asked for, because of backlog or because they stay out (M13). */
  readonly dropped: ReadonlySet<RenditionName>;
  readonly outputs: ReadonlyMap<RenditionName, Output>;
}

/** Names a call that waits for an answer; the shell knows it. */
export type ReplyTo = number;

/** A `clock` record on its way to the log, and the calls that wait for its period. */
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

  /** The fold of what is in the log. */
  readonly timeline: Timeline;
  readonly link: LogLink;
  /** Records to be appended, in order; the append of the first may be under way. */
  readonly outbox: readonly IndexRecord[];
  readonly isAppending: boolean;
  readonly isProbing: boolean;
  /** When the log last answered. */
  readonly logProvenAtMs: number;
  /** The sequence of this owner's last record, which the next append expects (C1). */
  readonly lastSequence: number;
  /** How many records this owner has made; each gets its id from it. */
  readonly recordCount: number;
  /** About how many records of this stream the log holds. */
  readonly logRecords: number;
  readonly isArchiving: boolean;
  /** Segments below this number are in archives. */
  readonly archivedBelow: number;
  readonly isCheckpointing: boolean;
  readonly checkpointRetryAtMs: number;
  /** The last checkpoint, and its key while the next one may supersede it. */
  readonly checkpointed:
    | { readonly nextNumber: number; readonly nextOrdinal: number; readonly key: string | undefined }
    | undefined;

  readonly sessions: readonly Session[];
  readonly idleSinceAtMs: number | undefined;
  readonly refusals: ReadonlyMap<string, Refusals>;
  readonly lastRefusal: { readonly atMs: number; readonly reason: string } | undefined;
  readonly openings: readonly Opening[];
  /** By what the last sources are recognised, oldest first (M2). */
  readonly marks: readonly SourceMark[];

  /** Until then, after an outage or a take-over, media that comes in behind backlog is backlog as well. */
  readonly catchUpUntilMs: number;
  /** Sources not decided yet, in order of period and start. */
  readonly pending: readonly PendingSegment[];
  readonly headSinceAtMs: number;
  /** Where the last decided segment ends; its record is in the outbox or in the log. */
  readonly decided: { readonly period: PeriodId; readonly end90k: number } | undefined;
  readonly nextNumber: number;
  /** The reference init segments of decided segments, by `{period}/{rendition}` (M7). */
  readonly inits: ReadonlyMap<string, InitSegment>;
  /** Rungs that stay out for a while: from one segment number on, below another (M13). */
  readonly holds: ReadonlyMap<RenditionName, Hold>;
  /** How long the latest tasks took from start to report, newest last. */
  readonly encodeMs: readonly number[];
  /** When each worker last reported: this says on how many nodes a task can fail (C9). */
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
  /** A node is gone, and its worker and sessions with it (C3). */
  | { readonly kind: 'nodeGone'; readonly node: NodeId }
  | { readonly kind: 'appended'; readonly recordId: string; readonly sequence: number }
  | { readonly kind: 'appendFailed'; readonly recordId: string; readonly code: 'FENCED' | 'LOG_UNAVAILABLE' }
  /** `askedAt` is the owner's `lastSequence` when it asked: an answer that an append overtook says nothing. */
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
      /** The key of the checkpoint to delete when this one is stored. */
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

/** Every bound of the owner, times in ms. The code that uses a bound says what happens there. */
export const limits = {
  /** The deadlines of a segment of 2 s (M12); deadlines.ts computes those of a longer one. */
  hedgeAfterMs: 1200,
  commitWithoutRestMs: 2500,
  gapMs: 4000,
  /** After an outage or a take-over viewers wait already and workers come back slowly, so media is given up later. */
  backlogGapMs: 12_000,
  /**
   * For how long media behind a backlog is given that patience: the owner must not wait for workers that never keep up.
   */
  catchUpMs: 60_000,
  /** A dropped rung stays out for so many segments (M13). */
  heldSegments: 5,
  /** Attempts of one task, hedges and retries included. */
  maxAttempts: 8,
  /** Store failures of one task that do not count as attempts; further ones do. */
  maxStoreFailures: 200,
  /** An owner numbers fewer attempts of a task than this. Its successor's numbers begin behind them. */
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
  /** Sessions of one encoder that feed at once (C2). */
  maxTwins: 2,
  /** How many sources a new session is compared with, and for how long at least (M2). */
  maxMarks: 64,
  twinWaitMs: 10_000,
  /** For how long a session may send nothing but media of a period that is over. */
  outlivedMs: 10_000,
  /** How long twins have to find a new owner: they do so at the verdict of death, or with their next segment. */
  twinReturnMs: 5000,
  /** A session that has reported nothing for so long is gone, with its node. */
  silentSessionMs: 20_000,
  /** How fresh a report must be for its packet age to be taken as it is. Sessions report every second. */
  reportFreshMs: 1200,
  /** How much media may wait for the log or for workers (C8). */
  maxPendingMs: 120_000,
  maxPendingSegments: 512,
  maxSpares: 2,
  /** A difference at a join of up to this is no gap (M2). */
  joinTolerance90k: 180,
  /** A longer hole is not filled with gaps; it needs a new period. */
  maxHole90k: 60 * 90_000,
  /** How far a connection's clock may stray from the wall clock and still go on (M2). */
  clockStrayMs: 1000,
  /** How long a segment waits for one that is missing before it. */
  holeWaitMs: 2500,
  /** A deadline counts only when the log has answered within this time (C8). */
  logProofMs: 500,
  logRetryMinMs: 100,
  logRetryMaxMs: 300,
  taskRetryMs: 250,
  /** A store that fails is tried again after `taskRetryMs`, then after twice that, and so on up to this. */
  storeRetryMaxMs: 500,
  /** How long the log must be silent before tasks are emitted ahead of it, and of how many segments at once. */
  aheadAfterMs: 500,
  maxAhead: 3,
  /** A task that has waited in the queue for so long may be lost: the queue keeps one for 60 s (C9). */
  queueLostMs: 30_000,
  encodeTimes: 64,
  workerMemoryMs: 60_000,
  maxOpenings: 8,
  /** Commits between two checkpoints (C7). */
  checkpointCommits: 10,
  checkpointRetryMs: 5000,
} as const;
