/** The metrics of a node's membership. */
import type { Counter, Gauge, Metrics } from '../observe/metrics.ts';

export interface MembershipMetrics {
  readonly events: Counter;
  readonly alive: Gauge;
  readonly held: Gauge;
}

export function membershipMetrics(metrics: Metrics): MembershipMetrics {
  return {
    events: metrics.counter({
      name: 'tangaza_membership_events_total',
      help: 'What failure detection did and saw.',
      labels: ['event'],
    }),
    alive: metrics.gauge({ name: 'tangaza_members_alive', help: 'Members alive or draining.' }),
    held: metrics.gauge({
      name: 'tangaza_membership_held',
      help: 'Suspects that are not declared dead yet: there are too many at once, or too few monitors accuse them.',
    }),
  };
}
