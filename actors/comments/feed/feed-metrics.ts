/** The metrics of the feed. */
import type { Counter, Gauge, Metrics } from '../../../cluster/observe/metrics.ts';

export interface FeedMetrics {
  readonly streams: Gauge;
  readonly events: Counter;
  readonly doubts: Counter;
  readonly reads: Counter;
  readonly found: Counter;
  readonly resumes: Counter;
}

export function feedMetrics(metrics: Metrics): FeedMetrics {
  return {
    streams: metrics.gauge({
      name: 'tangaza_audience_streams',
      help: 'Streams whose comments this node keeps up with: those with sockets here, and those that had some a minute ago.',
    }),
    events: metrics.counter({
      name: 'tangaza_audience_events_total',
      help: 'Changes of comments between the nodes: sent, unsent (NATS is away), heard, again, bad, newer (than this node can read).',
      labels: ['event'],
    }),
    doubts: metrics.counter({
      name: 'tangaza_audience_doubts_total',
      help: 'Times that an event may have been lost, for each stream, by why: the store is read then.',
      labels: ['why'],
    }),
    reads: metrics.counter({
      name: 'tangaza_audience_store_reads_total',
      help: 'Reads of the store by the feed: done, failed, cut (there was more than one read may give).',
      labels: ['outcome'],
    }),
    found: metrics.counter({
      name: 'tangaza_audience_found_total',
      help: 'Comments and changes that a read of the store found, and no event had told.',
    }),
    resumes: metrics.counter({
      name: 'tangaza_audience_resumes_total',
      help: 'How pages were taken up again: first, complete, gap, behind, failed.',
      labels: ['answer'],
    }),
  };
}
