/** Makes the health of a stream that no node has on air. */
import type { OwnershipRecord } from '../ownership/ownership-store.ts';
import type { Staleness } from './staleness.ts';
import type { StreamHealth } from './stream-health.ts';

/** The reason where a region has no record of the stream. */
export const neverOnAir = 'never on air';

interface KnownOfIt {
  /** The ownership record, which names the last owner. */
  readonly record?: OwnershipRecord | undefined;
  /** How old the knowledge is; absent where it is fresh. */
  readonly stale?: Staleness | undefined;
}

/** Repeats what the record says, if there is one. `asOf` is the time at which that was known. */
export function offlineHealth(reason: string, utcMs: number, { record, stale }: KnownOfIt): StreamHealth {
  const asOf = stale?.asOf ?? new Date(utcMs).toISOString();
  return {
    state: 'offline',
    reason,
    successors: [],
    asOf,
    renditions: [],
    ...(record && bySaid(record)),
    ...(stale && { stale }),
  };
}

function bySaid({ owner, region, epoch, bootId, since, reason: ownedBecause }: OwnershipRecord) {
  return { owner, region, epoch, bootId, since, ownedBecause };
}
