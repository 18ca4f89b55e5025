/** What an owner knows of those who publish: their sessions, whom it refused, and the periods they wait for (C2). */
import type { OpenPeriodParams } from '../../../../cluster/contract/stream-actions.ts';
import type { InputReport } from '../../../../cluster/contract/stream-health.ts';
import type { NodeId, SessionId } from '../../../../cluster/model/ids.ts';
import type { SourceMark } from '../twins.ts';

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
  /** When this owner last had media from it; undefined: never. */
  readonly offeredAtMs: number | undefined;
  /** When its last packet came, as far as it told, and when it told that. */
  readonly packetAtMs: number;
  readonly toldAtMs: number;
  readonly input: InputReport | undefined;
}

/** Names a call that waits for an answer; the shell knows it. */
export type ReplyTo = number;

/** A `clock` record on its way to the log, and the calls that wait for its period. */
export interface Opening {
  readonly recordId: string;
  readonly params: OpenPeriodParams;
  readonly replies: readonly ReplyTo[];
}

export interface Refusals {
  readonly atMs: readonly number[];
  readonly blockedUntilMs: number;
}

export interface PublishersState {
  readonly sessions: readonly Session[];
  readonly idleSinceAtMs: number | undefined;
  readonly refusals: ReadonlyMap<string, Refusals>;
  readonly lastRefusal: { readonly atMs: number; readonly reason: string } | undefined;
  readonly openings: readonly Opening[];
  /** By what the last sources are recognised, oldest first (M2). */
  readonly marks: readonly SourceMark[];
}

/** Bounds that more than one file keeps. Times in ms. */
export const publisherLimits = {
  /** A session that has been silent for so long is a ghost (C2). */
  ghostMs: 3000,
  /** How many sources a new session is compared with (M2). */
  maxMarks: 64,
} as const;
