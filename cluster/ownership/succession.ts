/** Who takes over when an owner is gone, and when each may try (C2, C4). */
import type { NodeId, StreamId } from '../model/ids.ts';
import { line } from '../partition/place.ts';
import type { OwnershipRecord } from './ownership-store.ts';

const firstWaitMs = 300;
const waitForEachBeforeMs = 700;

/** A node that may own streams: alive, an ingest, not draining. */
export interface Candidate {
  readonly id: NodeId;
  readonly weight: number;
}

/** The line of those who could own a stream, best first: by rendezvous, with bounded load. */
export function lineOf(
  stream: StreamId,
  candidates: readonly Candidate[],
  records: ReadonlyMap<StreamId, Pick<OwnershipRecord, 'owner'>>,
): readonly NodeId[] {
  const loads = new Map<NodeId, number>();
  for (const { owner } of records.values()) loads.set(owner, (loads.get(owner) ?? 0) + 1);
  return line(
    stream,
    candidates.map(({ id, weight }) => ({ id, weight, load: loads.get(id) ?? 0 })),
  ).map(({ id }) => id);
}

/** A node without a session of the stream waits for those before it in line; one with a session does not wait at all. */
export const adoptionWaitMs = (place: number): number => firstWaitMs + place * waitForEachBeforeMs;
