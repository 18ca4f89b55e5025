/**
 * Tells the edges of a region how many connections each of them has; each edge publishes its own number every 2 s (C4).
 *
 * It is a plain message that nobody stores and that may be lost, as loads are only hints. Rejected: loads in the membership view, where
 * each changed number would cost a compare-and-set; and loads in the answers to probes, which only the monitors of a member get.
 */
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { subjects } from '../contract/subjects.ts';
import { NodeId, RegionId } from '../model/ids.ts';
import type { Clock } from '../time/clock.ts';
import { PeerLoads, type BytesFrom } from './peer-loads.ts';

export const tellEveryMs = 2000;

const count = z.number().int().nonnegative();
const LoadMessage = z.object({ node: NodeId, load: count, bytesFrom: z.record(RegionId, count).optional() });

export interface EdgeLoads {
  /** This node's own load is exact, that of others some seconds old. Undefined where it is not known. */
  loadOf(node: string): number | undefined;
  /** Bytes of media that this region's edges got from another region since they started; those of an edge that is silent are left out. */
  bytesFrom(region: RegionId): number;
  /** From now on publishes this node's load, and what it got from other regions. */
  tell(own: () => number, ownBytesFrom?: () => BytesFrom): void;
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
      if (told !== undefined) loads.note(told.node, told.load, clock.monotonicMs(), told.bytesFrom);
    },
  });
  let ownLoad: (() => number) | undefined;
  let ownBytes: (() => BytesFrom) | undefined;
  let stopTelling: (() => void) | undefined;
  const say = (): void => {
    const load = ownLoad?.() ?? 0;
    const bytesFrom = ownBytes?.();
    if (!connection.isClosed()) connection.publish(subject, JSON.stringify({ node: self, load, bytesFrom }));
  };
  return {
    loadOf: (node) => {
      if (node === self && ownLoad !== undefined) return ownLoad();
      const id = NodeId.safeParse(node);
      return id.success ? loads.of(id.data, clock.monotonicMs()) : undefined;
    },
    bytesFrom: (from) => loads.bytesFrom(from, clock.monotonicMs()),
    tell: (own, ownBytesFrom) => {
      ownLoad = own;
      ownBytes = ownBytesFrom;
      say();
      stopTelling ??= clock.every(tellEveryMs, say);
    },
    close: () => {
      stopTelling?.();
      subscription.unsubscribe();
    },
  };
}

/** A message that cannot be read counts as none. */
function parse(text: string): z.infer<typeof LoadMessage> | undefined {
  try {
    return LoadMessage.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
