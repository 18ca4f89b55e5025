/** Decides which nodes may take a stream over when its owner is gone, and when each of them may try (C2, C4). */
import type { NodeId, StreamId } from '../model/ids.ts';
import { headOfLine, line } from '../partition/place.ts';
import type { OwnershipRecord } from './ownership-store.ts';

const firstWaitMs = 300;
const waitForEachBeforeMs = 700;

/** A node that may own streams: an ingest that is alive and does not drain. */
export interface Candidate {
  readonly id: NodeId;
  readonly weight: number;
}

/** How many streams each node owns, without those that are known to be over: a stream that is off air is no load (C4). */
export function loadsOf(
  records: ReadonlyMap<StreamId, Pick<OwnershipRecord, 'owner' | 'endedAt'>>,
): ReadonlyMap<NodeId, number> {
  const loads = new Map<NodeId, number>();
  for (const { owner, endedAt } of records.values())
    if (endedAt === undefined) loads.set(owner, (loads.get(owner) ?? 0) + 1);
  return loads;
}

/**
 * The nodes that could own a stream, best first: in rendezvous order, with bounded load.
 *
 * @param first how many of them are asked for; by default all
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

/** The same order, but nodes with a session of the stream come first (C2). */
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

/**
 * How long a node waits before it tries: a node without a session of the stream lets those before it in line go first. A node with a
 * session does not wait.
 */
export const adoptionWaitMs = (place: number): number => firstWaitMs + place * waitForEachBeforeMs;
