/**
 * Decides for the sweeper: which node sweeps, which objects a stream names, and which archives may go.
 *
 * P1. The first alive member in the order for `sweep` sweeps its region. Membership is a hint: two sweepers at once
 *     only delete the same objects twice, and without one the store only grows.
 * P2. A stream whose log is empty, or ends before its newest archive, has lost its log or is being restored (C7).
 *     Nobody knows what it names, so everything is kept (expiry.ts E1).
 * P3. An archive outlives what it names. The newest archive of a stream stays for ever, because it says where to go on
 *     (C7).
 */
import { isPresent } from '../../cluster/contract/index-records.ts';
import type { Member } from '../../cluster/membership/member-directory.ts';
import { RenditionName, type NodeId, type RegionId, type StreamId } from '../../cluster/model/ids.ts';
import { order } from '../../cluster/partition/rendezvous.ts';
import { storePeriodOf } from '../media/timeline/query.ts';
import type { Timeline, TimelinePeriod } from '../media/timeline/timeline.ts';
import { byAge, type ArchiveName } from '../segment-store/archive-key.ts';
import { uncommittedMs } from '../segment-store/expiry.ts';
import { initKey, segmentKey } from '../segment-store/segment-key.ts';

export interface StoredArchive extends ArchiveName {
  readonly storedAtMs: number;
}

type Candidate = Pick<Member, 'id' | 'region' | 'roles'> & { readonly isAlive: boolean };

/** Whether this node sweeps the region (P1). */
export function isSweeper(self: NodeId, region: RegionId, members: readonly Candidate[]): boolean {
  const alive = members.filter(
    (one) => one.isAlive && one.region === region && one.roles.includes('control'),
  );
  const [first] = order(
    'sweep',
    alive.map(({ id }) => ({ id, weight: 1 })),
  );
  return first?.id === self;
}

/** Whether the log says all that the stream names (P2). */
export function isLogWhole(
  { lastSequence, nextNumber }: Timeline,
  archives: readonly ArchiveName[],
): boolean {
  return lastSequence > 0 && archives.every((archive) => archive.nextNumber <= nextNumber);
}

/** The archives to read and the archives to delete (P3). */
export function splitArchives(
  archives: readonly StoredArchive[],
  { nowMs, retentionMs }: { readonly nowMs: number; readonly retentionMs: number },
): { readonly kept: readonly StoredArchive[]; readonly expired: readonly StoredArchive[] } {
  const newest = archives.toSorted(byAge).at(-1);
  const isExpired = (one: StoredArchive): boolean =>
    one !== newest && nowMs - one.storedAtMs > retentionMs + uncommittedMs;
  return { kept: archives.filter((one) => !isExpired(one)), expired: archives.filter(isExpired) };
}

/** Adds the store keys that a fold names: init segments, committed media, and sources that wait for a decision. */
export function addNamedKeys(keys: Set<string>, stream: StreamId, { periods, pending }: Timeline): void {
  for (const period of periods) addPeriodKeys(keys, stream, period);
  const storePeriods = new Map(periods.map((period) => [period.id, storePeriodOf(period)]));
  for (const { period: id, video, audio } of pending.values()) {
    const period = storePeriods.get(id) ?? id;
    for (const media of [video, audio]) {
      if (media === undefined) continue;
      keys.add(segmentKey({ stream, period, rendition: media.rendition }, media.startTime, media.sha256));
    }
  }
}

function addPeriodKeys(keys: Set<string>, stream: StreamId, timelinePeriod: TimelinePeriod): void {
  const { inits, segments } = timelinePeriod;
  const period = storePeriodOf(timelinePeriod);
  for (const [name, init] of Object.entries(inits)) {
    keys.add(initKey({ stream, period, rendition: RenditionName.parse(name) }, init.sha256));
  }
  for (const { renditions } of segments) {
    for (const [name, media] of Object.entries(renditions)) {
      if (!isPresent(media)) continue;
      keys.add(
        segmentKey({ stream, period, rendition: RenditionName.parse(name) }, media.startTime, media.sha256),
      );
    }
  }
}
