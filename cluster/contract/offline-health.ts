/** Health of a stream that nobody has on air. */
import type { OwnershipRecord } from '../ownership/ownership-store.ts';
import type { Staleness } from './staleness.ts';
import type { StreamHealth } from './stream-health.ts';

interface KnownOfIt {
  /** Who owned it last. */
  readonly record?: OwnershipRecord | undefined;
  /** Absent: this is known now. */
  readonly stale?: Staleness | undefined;
}

/** What the record says, if there is one; `asOf` is as old as what that is known from. */
export function offlineHealth(reason: string, utcMs: number, { record, stale }: KnownOfIt): StreamHealth {
  const asOf = stale?.asOf ?? new Date(utcMs).toISOString();
  return {
    ...{ state: 'offline', reason, successors: [], asOf, renditions: [] },
    ...(record && bySaid(record)),
    ...(stale && { stale }),
  };
}

function bySaid({ owner, region, epoch, bootId, since, reason: ownedBecause }: OwnershipRecord) {
  return { owner, region, epoch, bootId, since, ownedBecause };
}
