/** The port of the members: which nodes there are, in which state, and which have just gone (C3). */
import { z } from 'zod';
import { BootId, NodeId, RegionId } from '../model/ids.ts';
import type { CheckDeadline } from './deadlines.ts';

export const Member = z.object({
  id: NodeId,
  region: RegionId,
  host: z.string(),
  pid: z.number().int(),
  bootId: BootId,
  roles: z.array(z.string()),
  /** The base URL for viewers, without a trailing slash. */
  httpUrl: z.string(),
  /** The URL for encoders: `rtmp://HOST:PORT/live`. */
  rtmpUrl: z.string(),
  /** Where its segments lie; earlier versions do not tell. */
  store: z.enum(['disk', 's3']).optional(),
  startedAt: z.iso.datetime(),
  /** The node's relative share of streams and viewers (C4). */
  weight: z.number().nonnegative().default(1),
  /** Nodes with different numbers cannot work together. */
  protocol: z.number().int().default(1),
  /** The version of its description of the regions (R1); absent where it has none. */
  topologyVersion: z.number().int().optional(),
});
export type Member = z.infer<typeof Member>;

export type MemberState = 'alive' | 'draining' | 'dead';

/** A member as the region sees it. */
export interface ListedMember extends Member {
  readonly state: MemberState;
  /** True for a member that is alive or draining. */
  readonly isAlive: boolean;
  readonly incarnation: number;
}

export interface GoneMember {
  readonly node: NodeId;
  readonly bootId: BootId;
  readonly why: 'died' | 'left' | 'replaced';
}

export interface MemberDirectory {
  /**
   * All members as last known, in order of id. `revision` changes exactly when the edges change that manifests list. It is equal on every
   * node that has seen the same view (M14). The view was last read at `readAtMs` of the monotonic clock.
   */
  list(): {
    readonly revision: number;
    readonly members: readonly ListedMember[];
    readonly readAtMs: number;
  };
  /** Says whether this boot of the node is a member that was not declared dead. */
  isAlive(node: NodeId, bootId: BootId): boolean;
  /** Reads the view again, where it can be read. Everything written before this call is known then. */
  refresh(): Promise<void>;
  /** Calls the listener once for each boot that was declared dead, left, or was replaced. @returns a function that ends it */
  onGone(listener: (gone: GoneMember) => void): () => void;
  /** Calls the listener when this very boot is declared dead. The node no longer owns what it owned, and rejoins by itself. */
  onDeclaredDead(listener: () => void): () => void;
  /** From now on this node gets no new stream, publisher or viewer. @throws TangazaError `LOG_UNAVAILABLE` */
  setDraining(): Promise<void>;
  close(): Promise<void>;
}

/** The membership as a node sees it that is a member itself. */
export interface Membership extends MemberDirectory {
  /** Checks the deadline of a call that this node is asked to carry out (C6). */
  readonly checkDeadline: CheckDeadline;
  /** The peer's monotonic clock minus ours, in ms. Undefined when it is unknown; the peer is then probed in the background (C6). */
  clockOffsetMs(node: NodeId): number | undefined;
  /**
   * An operator knows that the suspected members are dead: those that every monitor accuses need not wait for the brake (detector.ts D5).
   *
   * @returns whom that concerns. @throws TangazaError `LOG_UNAVAILABLE` when NATS does not answer, as no death could be declared then
   */
  release(): Promise<readonly NodeId[]>;
  /**
   * Members that a monitor accuses now, as far as this node has heard. They are soon declared dead, unless they answer or the brake holds.
   */
  suspects(): readonly NodeId[];
  /** Faults that people should know of: a peer's wall clock that is off. */
  warnings(): readonly string[];
}
