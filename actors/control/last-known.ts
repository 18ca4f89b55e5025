/**
 * Answers from memory: the cluster and a stream's owner as last known, with the age of that knowledge (C8).
 *
 * Nothing is guessed. While NATS is down, a stream whose owner cannot be asked is `unknown`, not offline.
 */
import { offlineHealth } from '../../cluster/contract/offline-health.ts';
import type { Staleness } from '../../cluster/contract/staleness.ts';
import type { StreamHealth } from '../../cluster/contract/stream-health.ts';
import type { ClusterView } from '../../cluster/contract/api/control-views.ts';
import type { ListedMember } from '../../cluster/membership/member-directory.ts';
import type { NodeId, StreamId } from '../../cluster/model/ids.ts';
import type { OwnershipRecord } from '../../cluster/ownership/ownership-store.ts';

/** A part of replies; it is empty while NATS answers. */
export interface MaybeStale {
  readonly stale?: Staleness;
}

const rfc3339 = (utcMs: number): string => new Date(utcMs).toISOString();

/** @param ageMs since this was last known to be so; undefined while NATS answers */
export function stalenessOf(ageMs: number | undefined, utcMs: number): MaybeStale {
  if (ageMs === undefined) return {};
  const age = Math.max(0, Math.round(ageMs));
  return { stale: { asOf: rfc3339(utcMs - age), ageMs: age, reason: 'NATS does not answer' } };
}

/** Describes a stream whose owner does not answer, from its ownership record. */
export function lastKnownHealth(
  record: OwnershipRecord,
  {
    utcMs,
    stale,
    successors,
  }: MaybeStale & { readonly utcMs: number; readonly successors: readonly NodeId[] },
): StreamHealth {
  const { owner } = record;
  const silent = {
    ...offlineHealth(`its owner ${owner} does not answer`, utcMs, { record, stale }),
    successors: [...successors],
  };
  if (stale === undefined) return silent;
  return { ...silent, state: 'unknown', reason: `its owner ${owner} cannot be asked: ${stale.reason}` };
}

/** What is known of the cluster, apart from its members and owners. */
export interface ClusterFacts {
  readonly utcMs: number;
  /** The age of the view or of the records, whichever is older; undefined while NATS answers. */
  readonly ageMs: number | undefined;
  /** How many streams are on air at each node that told it. */
  readonly onAir: ReadonlyMap<NodeId, number>;
  /** Open connections at a node's edge, if the node told them. */
  readonly connections: (node: NodeId) => number | undefined;
  readonly suspects: ReadonlySet<NodeId>;
}

export function clusterView(
  members: readonly ListedMember[],
  owners: ReadonlyMap<StreamId, OwnershipRecord>,
  { utcMs, ageMs, onAir, connections, suspects }: ClusterFacts,
): ClusterView {
  const { stale } = stalenessOf(ageMs, utcMs);
  const placements = [...owners].map(([streamId, { owner, region, epoch, since, reason }]) => ({
    streamId,
    owner,
    region,
    epoch,
    since,
    reason,
  }));
  return {
    regions: [...new Set(members.map(({ region }) => region))].map((id) => {
      const here = members.filter(({ region }) => region === id);
      return { id, nodes: here.length, alive: here.filter(({ isAlive }) => isAlive).length };
    }),
    nodes: members.map(({ id, region, host, pid, bootId, state, roles, httpUrl, rtmpUrl }) => ({
      id,
      region,
      host,
      pid,
      bootId,
      state,
      roles,
      isSuspected: state !== 'dead' && suspects.has(id),
      load: {
        streams: placements.filter(({ owner }) => owner === id).length,
        onAir: onAir.get(id),
        connections: state === 'dead' ? undefined : connections(id),
      },
      http: httpUrl,
      rtmp: rtmpUrl,
    })),
    placements,
    asOf: stale?.asOf ?? rfc3339(utcMs),
    ...(stale && { stale }),
  };
}
