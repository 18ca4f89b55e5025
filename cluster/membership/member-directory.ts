/** The member port: which nodes there are, in which state, and who has just gone (C3). */
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
  /** Base URL for viewers, without a trailing slash. */
  httpUrl: z.string(),
  /** `rtmp://HOST:PORT/live`. */
  rtmpUrl: z.string(),
  startedAt: z.iso.datetime(),
  /** Relative share of streams and viewers (C4). */
  weight: z.number().nonnegative().default(1),
  /** Nodes with different numbers do not work together. */
  protocol: z.number().int().default(1),
});
export type Member = z.infer<typeof Member>;

export type MemberState = 'alive' | 'draining' | 'dead';

/** A member as the region sees it. */
export interface ListedMember extends Member {
  readonly state: MemberState;
  /** Alive or draining. */
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
   * All members, in order of id, as last known. `revision` changes exactly when the edges that manifests list do, and is
   * equal on every node that has seen the same view (M14). The view was last read at `readAtMs` of the monotonic clock.
   */
  list(): {
    readonly revision: number;
    readonly members: readonly ListedMember[];
    readonly readAtMs: number;
  };
  /** Is this boot of the node a member that was not declared dead? */
  isAlive(node: NodeId, bootId: BootId): boolean;
  /** Reads the view again, if it can be read: what was written before is known then. */
  refresh(): Promise<void>;
  /** Called once for each boot that is declared dead, has left, or was replaced. Returns what ends it. */
  onGone(listener: (gone: GoneMember) => void): () => void;
  /** Called when this very boot is declared dead: what it owns is no longer its own; it rejoins by itself. */
  onDeclaredDead(listener: () => void): () => void;
  /** This node gets no new stream, publisher or viewer. @throws TangazaError `LOG_UNAVAILABLE` */
  setDraining(): Promise<void>;
  close(): Promise<void>;
}

/** What a node is given of the membership that it takes part in itself. */
export interface Membership extends MemberDirectory {
  /** Of a call that this node is asked to carry out (C6). */
  readonly checkDeadline: CheckDeadline;
  /** Their monotonic clock minus ours, ms; undefined when it is not known (C6). Asks the peer in the background then. */
  clockOffsetMs(node: NodeId): number | undefined;
  /**
   * An operator knows that who is suspected is dead: every monitor that accuses one need not wait for the brake (detector.ts D5).
   *
   * @returns whom that concerns. @throws TangazaError `LOG_UNAVAILABLE` when NATS does not answer: no death could be carried out
   */
  release(): Promise<readonly NodeId[]>;
  /** Members that a monitor accuses now, as far as this node has heard: dead soon, unless they answer or the brake holds. */
  suspects(): readonly NodeId[];
  /** Faults for people: a peer's wall clock that is off. */
  warnings(): readonly string[];
}
