/** The metrics of one node's stream actor. */
import type { Counter, Gauge, Metrics } from '../../cluster/observe/metrics.ts';
import type { Activation } from './activation.ts';

export interface ActorMetrics {
  readonly events: Counter;
  readonly activations: Gauge;
  readonly orphans: Gauge;
  readonly pending: Gauge;
  readonly outbox: Gauge;
  readonly waiting: Gauge;
}

export function actorMetrics(metrics: Metrics): ActorMetrics {
  return {
    events: metrics.counter({
      name: 'tangaza_stream_events_total',
      help: 'What stream owners did.',
      labels: ['event'],
    }),
    activations: metrics.gauge({ name: 'tangaza_stream_owned', help: 'Streams owned by this node.' }),
    orphans: metrics.gauge({
      name: 'tangaza_stream_orphans',
      help: 'Streams of dead owners that wait in line here or are being adopted.',
    }),
    pending: metrics.gauge({
      name: 'tangaza_stream_pending_segments',
      help: 'Sources neither committed nor a gap.',
    }),
    outbox: metrics.gauge({
      name: 'tangaza_stream_outbox_records',
      help: 'Records that wait for the index log.',
    }),
    waiting: metrics.gauge({
      name: 'tangaza_stream_waiting_calls',
      help: 'Calls that wait for the answer of an owner.',
    }),
  };
}

/** Shows how many activations live, and what waits in them. */
export function showLive(
  gauges: Pick<ActorMetrics, 'activations' | 'pending' | 'outbox' | 'waiting'>,
  live: readonly Pick<Activation, 'pendingSegments' | 'queuedRecords' | 'waitingCalls'>[],
): void {
  gauges.activations.set(live.length);
  gauges.pending.set(live.reduce((sum, one) => sum + one.pendingSegments, 0));
  gauges.outbox.set(live.reduce((sum, one) => sum + one.queuedRecords, 0));
  gauges.waiting.set(live.reduce((sum, one) => sum + one.waitingCalls, 0));
}
