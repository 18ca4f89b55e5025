/** What a node's relayers did and do, as metrics. */
import type { IndexRecord } from '../../../cluster/contract/index-records.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import type { LeaveReason, Relaying } from './relaying.ts';

export interface RelayMetrics {
  readonly appended: (record: IndexRecord) => void;
  readonly ended: (reason: LeaveReason) => void;
  readonly refused: () => void;
  readonly show: (running: readonly Relaying[]) => void;
}

export function relayMetrics(metrics: Metrics): RelayMetrics {
  const records = metrics.counter({
    name: 'tangaza_relay_records_total',
    help: "Records that relayers appended to this region's log, by the home region.",
    labels: ['home'],
  });
  const ends = metrics.counter({
    name: 'tangaza_relay_ends_total',
    help: 'Relayers of this node that ended, by reason.',
    labels: ['reason'],
  });
  const refusals = metrics.counter({
    name: 'tangaza_relay_refusals_total',
    help: 'Times that a needed stream was not relayed for lack of room.',
  });
  const streams = metrics.gauge({
    name: 'tangaza_relay_streams',
    help: 'Streams of other regions that this node relays: atHead where the log here has all of the home.',
    labels: ['state'],
  });
  const waiting = metrics.gauge({
    name: 'tangaza_relay_waiting_records',
    help: "Records of other regions that are not in this region's log yet.",
  });
  const lag = metrics.gauge({
    name: 'tangaza_relay_lag_seconds',
    help: "The longest time that such a record has waited here for its objects and this region's log.",
  });
  return {
    appended: ({ home }) => records.add(1, { home: home?.region ?? 'none' }),
    ended: (reason) => ends.add(1, { reason }),
    refused: () => refusals.add(1),
    show: (running) => {
      const atHead = running.filter(({ told }) => told.isAtHead).length;
      streams.set(atHead, { state: 'atHead' });
      streams.set(running.length - atHead, { state: 'behind' });
      waiting.set(running.reduce((sum, { waitingRecords }) => sum + waitingRecords, 0));
      lag.set(Math.max(0, ...running.map(({ lagMs }) => lagMs)) / 1000);
    },
  };
}
