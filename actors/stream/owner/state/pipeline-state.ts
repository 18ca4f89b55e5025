/** What an owner knows of segments on their way from a source to a commit: tasks, outputs, rungs, numbers (M12, M13). */
import type { SourceOffer, StoredMedia } from '../../../../cluster/contract/index-records.ts';
import type { InitSegment } from '../../../../cluster/contract/renditions.ts';
import type { TaskGroup } from '../../../../cluster/contract/transcode-task.ts';
import type { NodeId, PeriodId, RenditionName } from '../../../../cluster/model/ids.ts';

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

export interface Hold {
  readonly from: number;
  readonly until: number;
}

export interface PipelineState {
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

/** Bounds that more than one file keeps. Times in ms, media times in units of 90 kHz. */
export const pipelineLimits = {
  /**
   * For how long media behind a backlog is given the patience of backlog: the owner must not wait for workers that never keep up.
   */
  catchUpMs: 60_000,
  /** A difference at a join of up to this is no gap (M2). */
  joinTolerance90k: 180,
  /** A longer hole is not filled with gaps; it needs a new period. */
  maxHole90k: 60 * 90_000,
  /** Attempts of one task, hedges and retries included. */
  maxAttempts: 8,
  /** After an outage or a take-over viewers wait already and workers come back slowly, so media is given up later. */
  backlogGapMs: 12_000,
  /** Store failures of one task that do not count as attempts; further ones do. */
  maxStoreFailures: 200,
  /** An owner numbers fewer attempts of a task than this. Its successor's numbers begin behind them. */
  attemptNumbers: 256,
} as const;
