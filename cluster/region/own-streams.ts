/** What this region's ownership records say of its streams, for regions that ask for a list (R3). Only owners know their numbers. */
import type { StreamOnAir } from '../contract/regions/on-air.ts';
import type { ListedMember } from '../membership/member-directory.ts';
import type { StreamId } from '../model/ids.ts';
import type { OwnershipRecord } from '../ownership/ownership-store.ts';
import { elsewhereLimits } from './elsewhere-state.ts';

/** @returns what is on air, and what ended in the last 24 h, in order of id; as many as another region keeps */
export function ownStreams(
  records: ReadonlyMap<StreamId, OwnershipRecord>,
  members: readonly ListedMember[],
  utcMs: number,
): readonly StreamOnAir[] {
  const urls = new Map(members.map(({ id, rtmpUrl }) => [id, rtmpUrl]));
  const numbers = { nextNumber: 0, discontinuities: 0, availabilityStartMs: 0 };
  const all = [...records].flatMap(([stream, { epoch, endedAt, since, owner }]) => {
    const endedMs = endedAt === undefined ? undefined : msOf(endedAt);
    if (endedMs !== undefined && utcMs - endedMs > elsewhereLimits.keepEndedMs) return [];
    const rtmpUrl = urls.get(owner) ?? '';
    return [
      { stream, epoch, ...numbers, isOnAir: endedMs === undefined, sinceMs: msOf(since), rtmpUrl, endedMs },
    ];
  });
  return all
    .toSorted((a, b) => (b.endedMs ?? Infinity) - (a.endedMs ?? Infinity) || 0)
    .slice(0, elsewhereLimits.maxStreams)
    .map(({ endedMs: _endedMs, ...one }) => one)
    .toSorted((a, b) => (a.stream < b.stream ? -1 : 1));
}

/** 0 for what cannot be read. */
const msOf = (time: string): number => {
  const ms = Date.parse(time);
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms)) : 0;
};
