/**
 * What the comments actor tells the sockets of its node about streams that have viewers here. Both are in one process, so that no call
 * between nodes is needed and sockets go on without NATS.
 */
import type { ClientId, CommentId, NodeId, RegionId, StreamId, UserId } from '../../model/ids.ts';
import type { CommentMode } from '../api/audience-views.ts';
import type { AudienceCounts, KeepReactions, Reactions } from './reactions.ts';
import type { Resume, ServerMessage } from './socket-messages.ts';

export interface AudienceListener {
  /** What nobody may miss: comments, changes of them, the mode. In order. */
  must(message: ServerMessage): void;
  /** What a slow reader may miss: counts, reactions. */
  may(message: ServerMessage): void;
  /** Another region has these now: their authors are told (A6). */
  replicated(comments: readonly ReplicatedComment[]): void;
}

export interface ReplicatedComment {
  readonly id: CommentId;
  readonly clientId: ClientId;
  readonly authorId: UserId;
}

/** Until when what was accepted in this one region has been told, UTC. */
export interface KnownInRegion {
  readonly region: RegionId;
  readonly toMs: number;
}

/** Until when what was accepted has been told here, UTC. */
export interface Known {
  /** Of all that was accepted anywhere. */
  readonly toMs: number;
  /** Where more is known of this region than of the others. */
  readonly inRegion?: KnownInRegion | undefined;
}

/** Where a page left off. */
export interface LeftOff {
  readonly lastId?: CommentId | undefined;
  readonly lastAtMs?: number | undefined;
  /** Stands for `lastAtMs` in that region. */
  readonly inRegion?: KnownInRegion | undefined;
}

export interface Resumed {
  readonly resume: Resume;
  /** What the page lacks, or the newest comments for a page that has none: in order. */
  readonly messages: readonly ServerMessage[];
  readonly mode: CommentMode;
}

export interface FollowedStream {
  /** @throws TangazaError `UNAVAILABLE` when neither the ring nor the store can answer */
  resume(from: LeftOff): Promise<Resumed>;
  /** The hides and restores since that time, for a socket that was too slow (A8). */
  changesSince(atMs: number): readonly ServerMessage[];
  known(): Known;
  close(): void;
}

export interface AudienceFeed {
  /** Follows a stream until it is closed. Several may follow one stream. @throws TangazaError `OVERLOADED` */
  follow(stream: StreamId, listener: AudienceListener): FollowedStream;
  /** True where another region keeps copies (A6). */
  readonly hasReplication: boolean;
}

/** Players that an edge counts, by their sessions. */
export interface MovingPlayers {
  /** Whom this edge counts now, by the edge that has counted them so far. Each is told once. */
  takeMoved(): ReadonlyMap<NodeId, readonly string[]>;
  /** Another edge counts it now. */
  left(session: string): void;
}

/** Filled in by the comments actor as it is made. A node without it has no audience. */
export interface AudiencePorts {
  feed: AudienceFeed | undefined;
  /** By the comments actor, whose database has them. */
  keepReactions?: KeepReactions;
  /** By the reactions actor. */
  reactions?: Reactions;
  /** By the edge: its own audience. */
  ownCounts?: () => ReadonlyMap<StreamId, AudienceCounts>;
  /** By the edge: its players, who move from edge to edge. */
  players?: MovingPlayers;
}
