/**
 * How many connections each edge of the region has, as each says every 2 s to all others (C4).
 *
 * A plain message, which nobody stores and which may be lost: loads are hints. Rejected: loads in the membership view (a
 * compare-and-set for each change of a number), and in the answers to probes (only a member's monitors hear those).
 */
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { subjects } from '../contract/subjects.ts';
import { NodeId, type RegionId } from '../model/ids.ts';
import type { Clock } from '../time/clock.ts';
import { PeerLoads } from './peer-loads.ts';

export const tellEveryMs = 2000;

const LoadMessage = z.object({ node: NodeId, load: z.number().int().nonnegative() });

export interface EdgeLoads {
  /** Its own at once, others some seconds old; undefined: not known. */
  loadOf(node: string): number | undefined;
  /** Says this node's load from now on. */
  tell(own: () => number): void;
  close(): void;
}

interface EdgeLoadOptions {
  readonly connection: NatsConnection;
  readonly region: RegionId;
  readonly node: NodeId;
  readonly clock: Clock;
}

export function openNatsEdgeLoads({ connection, region, node: self, clock }: EdgeLoadOptions): EdgeLoads {
  const loads = new PeerLoads();
  const subject = subjects.edgeLoads(region);
  const subscription = connection.subscribe(subject, {
    callback: (error, message) => {
      const told = error === null ? parse(message.string()) : undefined;
      if (told !== undefined) loads.note(told.node, told.load, clock.monotonicMs());
    },
  });
  let ownLoad: (() => number) | undefined;
  let stopTelling: (() => void) | undefined;
  const say = (): void => {
    const load = ownLoad?.() ?? 0;
    if (!connection.isClosed()) connection.publish(subject, JSON.stringify({ node: self, load }));
  };
  return {
    loadOf: (node) => {
      if (node === self && ownLoad !== undefined) return ownLoad();
      const id = NodeId.safeParse(node);
      return id.success ? loads.of(id.data, clock.monotonicMs()) : undefined;
    },
    tell: (own) => {
      ownLoad = own;
      say();
      stopTelling ??= clock.every(tellEveryMs, say);
    },
    close: () => {
      stopTelling?.();
      subscription.unsubscribe();
    },
  };
}

/** What cannot be read is not known. */
function parse(text: string): z.infer<typeof LoadMessage> | undefined {
  try {
    return LoadMessage.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
