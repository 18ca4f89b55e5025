/**
 * The port of the other regions: calls and events that cross, and which links work (R2).
 *
 * A link has a direction. The link of region A to region B is a NATS client that nodes of A, its gateways, hold to B's NATS. Through it go
 * the calls of A to B, and the events of B that somebody in A listens to. So A may hear B while B does not hear A.
 */
import type { RegionCall, RegionEvent } from '../contract/regions/crossing.ts';
import type { NodeId, RegionId } from '../model/ids.ts';

/**
 * A link that was cut is known to be down after this time: 2.5 s until its gateways give it up, 1.5 s more where they died with it, and 1 s for
 * a busy machine.
 */
export const cutNoticedMs = 5000;

/** The link of this region to another one, as this node knows it. */
export interface RegionLink {
  readonly region: RegionId;
  readonly isUp: boolean;
  /** Monotonic ms since when it is up, or down. */
  readonly sinceMs: number;
  /** The round trip that the gateway measured last. */
  readonly roundTripMs: number | undefined;
  /**
   * The wall clock of that region minus ours, in ms, as the gateway measured it when the link came up, and again every minute (C6). While the
   * link is down it may be what was measured before.
   */
  readonly offsetMs: number | undefined;
  /** Which version of the topology that region's nodes have (R1). */
  readonly topologyVersion: number | undefined;
  /** The nodes of this region whose client to that region works, in order of id. */
  readonly gateways: readonly NodeId[];
  /** What those clients have carried since they were opened; both directions. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface CallAcross {
  /** Which of two gateways carries a call is decided by it: the stream's id, or a word for calls that concern none. */
  readonly key: string;
  readonly withinMs: number;
}

export interface OtherRegions {
  /** In the order of the topology; empty in a deployment of one region. */
  readonly regions: readonly RegionId[];
  /**
   * Asks another region. One of its nodes that serve the call answers.
   *
   * @throws TangazaError `UNAVAILABLE` at once where no link works, or after `withinMs`; `OVERLOADED` above the call's rate; or what the
   *   other region's node throws
   */
  call<Params, Result>(
    region: RegionId,
    call: RegionCall<Params, Result>,
    params: Params,
    options: CallAcross,
  ): Promise<Result>;
  /** Serves a call of other regions. Each call comes to one of the region's nodes that serve it. @returns what ends it */
  serve<Params, Result>(
    call: RegionCall<Params, Result>,
    run: (params: Params, from: RegionId) => Promise<Result>,
  ): () => void;
  /**
   * Tells an event of this region to the nodes that listen to it, of this region (`listen` with its own id) and of others.
   *
   * @param of the stream that it concerns
   * @returns false where it is not told: NATS is away, or it is too long
   */
  publish<Event>(event: RegionEvent<Event>, body: Event, of?: string): boolean;
  /**
   * Hears an event of one region; of this one too. A listener is the interest: gateways carry what somebody listens to, from a second
   * after the first listener on.
   *
   * @param of the stream that it concerns
   * @returns what ends it
   */
  listen<Event>(
    region: RegionId,
    event: RegionEvent<Event>,
    listener: (body: Event, region: RegionId) => void,
    of?: string,
  ): () => void;
  /** The link to each other region. */
  links(): readonly RegionLink[];
  /** Calls the listener at every change of a link, once a node has noticed it. @returns what ends it */
  onLink(listener: (link: RegionLink) => void): () => void;
  /**
   * Whether this node is the gateway that serves the key: one node of this region at most, as far as nodes agree, and none while no link to
   * that region works.
   */
  isServedHere(region: RegionId, key: string): boolean;
  /** Faults that people should know of: a region whose wall clock is off. */
  warnings(): readonly string[];
}

/** In a deployment of one region. */
export const noOtherRegions: OtherRegions = {
  regions: [],
  call: () => Promise.reject(new Error('there is no other region')),
  serve: () => () => {},
  publish: () => false,
  listen: () => () => {},
  links: () => [],
  onLink: () => () => {},
  isServedHere: () => false,
  warnings: () => [],
};
