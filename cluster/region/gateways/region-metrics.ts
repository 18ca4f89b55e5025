/** What is measured of the links to other regions. */
import type { RegionId } from '../../model/ids.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { RegionLink } from '../other-regions.ts';

export interface RegionMetrics {
  /** A call or an event that this node carried as a gateway, or answered. */
  crossed(region: RegionId, what: 'call' | 'event', direction: 'in' | 'out'): void;
  /** A call was asked once more, as its answer is late. */
  repeated(region: RegionId): void;
  /** What did not cross, and why. */
  refused(region: string, what: 'call' | 'event', reason: string): void;
}

export function regionMetrics(
  metrics: Metrics,
  links: () => readonly RegionLink[],
  carried: () => readonly {
    readonly region: RegionId;
    readonly bytesIn: number;
    readonly bytesOut: number;
  }[],
): RegionMetrics {
  const labels = ['to'];
  metrics.family(
    { kind: 'gauge', name: 'tangaza_region_link_up', help: '1 while this region can call that one.', labels },
    () => links().map(({ region, isUp }) => ({ value: isUp ? 1 : 0, labels: { to: region } })),
  );
  metrics.family(
    {
      kind: 'gauge',
      name: 'tangaza_region_link_round_trip_seconds',
      help: 'Round trip to that region, as its gateway measured it last.',
      labels,
    },
    () =>
      links().flatMap(({ region, roundTripMs }) =>
        roundTripMs === undefined ? [] : [{ value: roundTripMs / 1000, labels: { to: region } }],
      ),
  );
  metrics.family(
    {
      kind: 'counter',
      name: 'tangaza_region_link_bytes_total',
      help: 'Bytes that this node carried as a gateway to that region, by direction.',
      labels: ['to', 'direction'],
    },
    () =>
      carried().flatMap(({ region, bytesIn, bytesOut }) => [
        { value: bytesIn, labels: { to: region, direction: 'in' } },
        { value: bytesOut, labels: { to: region, direction: 'out' } },
      ]),
  );
  const crossed = metrics.counter({
    name: 'tangaza_region_crossings_total',
    help: 'Calls and events that this node carried as a gateway or answered, by region and direction.',
    labels: ['region', 'what', 'direction'],
  });
  const refused = metrics.counter({
    name: 'tangaza_region_refused_total',
    help: 'Calls and events of other regions, or to them, that did not cross, by reason.',
    labels: ['region', 'what', 'reason'],
  });
  const repeated = metrics.counter({
    name: 'tangaza_region_repeats_total',
    help: 'Calls to that region that this gateway asked once more, as the answer was late: a node there stands still, or is slow.',
    labels: ['to'],
  });
  return {
    repeated: (to) => repeated.add(1, { to }),
    crossed: (region, what, direction) => crossed.add(1, { region, what, direction }),
    refused: (region, what, reason) => refused.add(1, { region, what, reason }),
  };
}

/** Events that somebody wants and gateways do not carry, as lists are bounded (interests.ts). */
export function leftOutMetric(
  metrics: Metrics,
  leftOut: () => readonly {
    readonly region: RegionId;
    readonly byNode: number;
    readonly byRegion: number;
  }[],
): void {
  metrics.family(
    {
      kind: 'gauge',
      name: 'tangaza_region_interests_left_out',
      help: 'Events of that region that are wanted and not carried: beyond the bound of this node, or of all nodes (only at gateways).',
      labels: ['to', 'bound'],
    },
    () =>
      leftOut().flatMap(({ region, byNode, byRegion }) => [
        { value: byNode, labels: { to: region, bound: 'node' } },
        { value: byRegion, labels: { to: region, bound: 'region' } },
      ]),
  );
}
