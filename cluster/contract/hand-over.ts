/** What a node's drain asks of the actors beside it. They are in its own process, so that no call between nodes is needed. */
import type { StreamId } from '../model/ids.ts';

/** The streams that this node owns. */
export interface LocalOwners {
  /**
   * Hands over every stream of this node, and lets it claim no other.
   *
   * @returns streams that are still owned here after `withinMs`
   */
  handOver(withinMs: number): Promise<readonly StreamId[]>;
  /** Resolves when no session feeds a stream of this node any more, or after `withinMs`. */
  sessionsGone(withinMs: number): Promise<void>;
}

/** The publishers that are connected to this node. */
export interface LocalPublishers {
  count(): number;
  /** Closes those that have a twin elsewhere, and asks those that understand it to connect elsewhere. */
  askToLeave(): Promise<void>;
  /** Closes each at its next keyframe. */
  closeAtKeyframe(): void;
  /** Closes the ingest; resolves when its sessions have brought what they have, or within its own bound. */
  end(): Promise<void>;
}

/** The live sockets of this node. */
export interface LocalSockets {
  count(): number;
  /** Asks their pages to go to other edges, each at a moment of its own within the bound. @returns how many were asked */
  askToMove(withinMs: number): number;
}

/** Filled in by the actors of the node as they are made. Until then, and without the role, there is nothing to hand over. */
export interface HandOverPorts {
  owners: LocalOwners;
  publishers: LocalPublishers;
  sockets: LocalSockets;
}

export function nothingToHandOver(): HandOverPorts {
  return {
    owners: { handOver: () => Promise.resolve([]), sessionsGone: () => Promise.resolve() },
    publishers: {
      count: () => 0,
      askToLeave: () => Promise.resolve(),
      closeAtKeyframe: () => {},
      end: () => Promise.resolve(),
    },
    sockets: { count: () => 0, askToMove: () => 0 },
  };
}
