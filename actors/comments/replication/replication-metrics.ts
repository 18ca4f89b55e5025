/** The metrics of the second acknowledgement. */
import type { Counter, Gauge, Histogram, Metrics } from '../../../cluster/observe/metrics.ts';

export interface ReplicationMetrics {
  readonly pending: Gauge;
  readonly unwatched: Counter;
  readonly reads: Counter;
  readonly seconds: Histogram;
}

export function replicationMetrics(metrics: Metrics): ReplicationMetrics {
  return {
    pending: metrics.gauge({
      name: 'tangaza_comments_unreplicated',
      help: 'Comments that this node has acknowledged and looks for in a second data centre.',
    }),
    unwatched: metrics.counter({
      name: 'tangaza_comments_unwatched_total',
      help: 'Comments that stay accepted until they are sent again, as too many were looked for (full), or one for 10 minutes (late).',
      labels: ['why'],
    }),
    reads: metrics.counter({
      name: 'tangaza_comments_replica_reads_total',
      help: 'Reads of what a data centre has of the comments: done, failed.',
      labels: ['data_centre', 'outcome'],
    }),
    seconds: metrics.histogram({
      name: 'tangaza_comments_replication_seconds',
      help: 'How long after its acknowledgement a comment was seen in a second data centre.',
      buckets: [0.5, 1, 2, 5, 10, 30, 60, 300],
    }),
  };
}
