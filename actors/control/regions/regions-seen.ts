/** What the control API shows of other regions: their streams on air, and since when a region is not heard (R3). */
import type { Unheard } from '../../../cluster/contract/api/control-views.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Elsewhere } from '../../../cluster/region/elsewhere.ts';
import type { OtherRegions, RegionLink } from '../../../cluster/region/other-regions.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

export interface SeenElsewhere {
  readonly stream: StreamId;
  readonly region: RegionId;
  /** When its owner took it over, in UTC ms. */
  readonly sinceMs: number;
  /** Whether it has a segment. */
  readonly hasBegun: boolean;
  readonly unheard: Unheard | undefined;
}

export interface RegionsSeen {
  /** Streams on air in other regions, as they were last heard. */
  onAir(): readonly SeenElsewhere[];
  /** The only place where the stream may be published now; undefined unless it is on air in another region. */
  homeOf(stream: StreamId): readonly [{ readonly region: RegionId; readonly rtmpUrl: string }] | undefined;
}

export function regionsSeen(
  elsewhere: Pick<Elsewhere, 'streams' | 'homeOf'>,
  others: Pick<OtherRegions, 'links'>,
  clock: Clock,
): RegionsSeen {
  return {
    onAir: () => {
      const down = new Map(
        others.links().flatMap((link) => (link.isUp ? [] : [[link.region, unheardSince(link, clock)]])),
      );
      return elsewhere
        .streams()
        .filter(({ isOnAir }) => isOnAir)
        .map(({ stream, region, sinceMs, nextNumber }) => {
          return { stream, region, sinceMs, hasBegun: nextNumber > 0, unheard: down.get(region) };
        });
    },
    homeOf: (stream) => {
      const home = elsewhere.homeOf(stream);
      return home?.isOnAir === true ? [home] : undefined;
    },
  };
}

function unheardSince({ region, sinceMs }: RegionLink, clock: Clock): Unheard {
  const forMs = Math.max(0, clock.monotonicMs() - sinceMs);
  return { region, since: new Date(clock.utcMs() - forMs).toISOString() };
}
