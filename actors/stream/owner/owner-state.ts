/**
 * The words of the stream actor: what the owner of one stream knows, which commands it takes, and which effects it asks
 * for.
 *
 * The state is a value: each turn makes the next one. Only the timeline grows in place, as its fold says. Times that
 * end in `AtMs` are monotonic. UTC is used for people, and for `availabilityStartTime`, only (C6).
 */
import type { IndexEntry, IndexRecord } from '../../../cluster/contract/index-records.ts';
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
import type { TaskReport, TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';
import type { BootId, Epoch, NodeId, RegionId, SessionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Ladder } from '../../media/ladder/ladder.ts';
import type { OwnerEvent } from './owner-events.ts';
import type { ArchiveState, CheckpointMade } from './state/archive-state.ts';
import type { LogState } from './state/log-state.ts';
import type { PipelineState } from './state/pipeline-state.ts';
import type { PublishersState, ReplyTo } from './state/publishers-state.ts';

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
  /** How far the wall clock of another region is ahead of this one's, as links have measured it. */
  readonly aheadMs: (region: RegionId) => number;
}

/** Each part has a file of its own. A limit stands beside the code that keeps it, or with its part where several files do. */
export interface OwnerState extends LogState, ArchiveState, PublishersState, PipelineState {
  readonly life: 'active' | 'ending' | 'gone';
  readonly self: Identity;
  readonly settings: OwnerSettings;
  readonly since: Now;
  readonly reason: string;
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
