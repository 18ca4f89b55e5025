/**
 * Which nodes of this region hold a client to another region's NATS, which of those clients work, and which node serves a key (R2).
 *
 * G1. The two alive nodes that rank best for `gateway:{other}` are told to hold a client. A node that ranks no longer keeps its client until
 *     others work, so a change of members never leaves a region without a link.
 * G2. Who serves a key is the first in rendezvous order among the nodes that said within 1.5 s that their client works. So nodes agree as soon as
 *     they have heard the same; the membership has no part in it, but that a node which is declared dead is forgotten at once.
 */
import { z } from 'zod';
import { BootId, NodeId, RegionId } from '../../model/ids.ts';
import type { ListedMember } from '../../membership/member-directory.ts';
import { head, order } from '../../partition/rendezvous.ts';

/** What a gateway tells all nodes of its region, twice a second and at each change. */
export const Announcement = z.object({
  node: NodeId,
  bootId: BootId,
  other: RegionId,
  isUp: z.boolean(),
  roundTripMs: z.number().optional(),
  /** Of a link that is down, what this node remembers of the clock there. */
  offsetMs: z.number().optional(),
  topologyVersion: z.number().optional(),
  /** For how long no link to that region has worked, as far as this node knows; absent while one does. */
  downForMs: z.number().nonnegative().optional(),
  bytesIn: z.number(),
  bytesOut: z.number(),
});
export type Announcement = z.infer<typeof Announcement>;

export const announceEveryMs = 500;
/** Two announcements that did not come. */
export const announcementLastsMs = 1500;
/** More never hold a client to one region at once, but while members change. */
const maxGateways = 16;
const wanted = 2;

/** Who shall hold a client to that region (G1). Draining nodes only where nobody else is there. */
export function chosenGateways(other: RegionId, members: readonly ListedMember[]): readonly NodeId[] {
  const alive = members.filter(({ state }) => state === 'alive');
  const could = alive.length > 0 ? alive : members.filter(({ state }) => state === 'draining');
  const inLine = could.map(({ id }) => ({ id, weight: 1, node: id }));
  return head(`gateway:${other}`, inLine, wanted).map(({ node }) => node);
}

interface Heard extends Announcement {
  readonly atMs: number;
}

/** The announcements that one node has heard. Times are of its running clock, so a standstill of its own makes nobody silent. */
export class Serving {
  readonly #heard = new Map<RegionId, Map<NodeId, Heard>>();

  /** @returns whether this life of that gateway is new here */
  note(announcement: Announcement, nowMs: number): boolean {
    const { other, node, bootId } = announcement;
    const heard = this.#heard.get(other) ?? new Map<NodeId, Heard>();
    this.#heard.set(other, heard);
    const before = heard.get(node);
    heard.delete(node);
    heard.set(node, { ...announcement, atMs: nowMs });
    const [oldest] = heard.keys();
    if (heard.size > maxGateways && oldest !== undefined) heard.delete(oldest);
    return before?.bootId !== bootId;
  }

  forget(node: NodeId, bootId: BootId): void {
    for (const heard of this.#heard.values()) if (heard.get(node)?.bootId === bootId) heard.delete(node);
  }

  /** Those whose client works, in order of id. */
  working(other: RegionId, nowMs: number): readonly Announcement[] {
    const heard = [...(this.#heard.get(other)?.values() ?? [])];
    return heard
      .filter(({ isUp, atMs }) => isUp && nowMs - atMs <= announcementLastsMs)
      .toSorted((a, b) => (a.node < b.node ? -1 : 1));
  }

  /** Those whose client works, in the order in which they stand for the key; the first one serves it (G2). */
  line(other: RegionId, key: string, nowMs: number): readonly Announcement[] {
    const inLine = this.working(other, nowMs).map((gateway) => ({ id: gateway.node, weight: 1, gateway }));
    return order(key, inLine).map(({ gateway }) => gateway);
  }
}
