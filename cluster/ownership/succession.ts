/** Who takes over when an owner is gone, and when each may try (C2, C4). */
import type { NodeId, StreamId } from '../model/ids.ts';
import { headOfLine, line } from '../partition/place.ts';
import type { OwnershipRecord } from './ownership-store.ts';

const firstWaitMs = 300;
const waitForEachBeforeMs = 700;

/** A node that may own streams: alive, an ingest, not draining. */
export interface Candidate {
  readonly id: NodeId;
  readonly weight: number;
}

/** How many streams each node owns that are not known to be over: what is off the air is no load (C4). */
export function loadsOf(
  records: ReadonlyMap<StreamId, Pick<OwnershipRecord, 'owner' | 'endedAt'>>,
): ReadonlyMap<NodeId, number> {
  const loads = new Map<NodeId, number>();
  for (const { owner, endedAt } of records.values())
    if (endedAt === undefined) loads.set(owner, (loads.get(owner) ?? 0) + 1);
  return loads;
}

/**
 * The line of those who could own a stream, best first: by rendezvous, with bounded load.
 *
 * @param first how many of it are asked for; all by default
 */
export function lineOf(
  stream: StreamId,
  candidates: readonly Candidate[],
  loads: ReadonlyMap<NodeId, number>,
  first = candidates.length,
): readonly NodeId[] {
  const loaded = candidates.map(({ id, weight }) => ({ id, weight, load: loads.get(id) ?? 0 }));
  const chosen = first < loaded.length ? headOfLine(stream, loaded, first) : line(stream, loaded);
  return chosen.map(({ id }) => id);
}

/** That line, nodes that have a session of the stream first (C2). */
export function sessionsFirst(
  successors: readonly NodeId[],
  sessions: readonly { readonly node: NodeId }[],
): readonly NodeId[] {
  const feeding = new Set(sessions.map(({ node }) => node));
  return [
    ...successors.filter((node) => feeding.has(node)),
    ...successors.filter((node) => !feeding.has(node)),
  ];
}

/** A node without a session of the stream waits for those before it in line; one with a session does not wait at all. */
export const adoptionWaitMs = (place: number): number => firstWaitMs + place * waitForEachBeforeMs;
