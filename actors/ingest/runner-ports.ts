/** The ports of a session: the calls to its stream's owner, and counters. */
import type {
  AttachParams,
  AttachReply,
  DetachCall,
  InputCall,
  OfferParams,
  OpenPeriodParams,
  OpenPeriodReply,
  StandsStillParams,
  StandsStillReply,
} from '../../cluster/contract/stream-actions.ts';
import type { CloseSessionsParams } from '../../cluster/contract/ingest-actions.ts';
import type { NodeId } from '../../cluster/model/ids.ts';
import type { Counter, Gauge, Metrics } from '../../cluster/observe/metrics.ts';

/**
 * The calls to the stream's owner. The composition finds the owner's node. Every call ends within seconds.
 *
 * @throws TangazaError, also over the wire by its code: `NOT_OWNER`, `STALE_EPOCH`, `FENCED`, `STREAM_BUSY`, …
 */
export interface OwnerCalls {
  attach(params: AttachParams): Promise<AttachReply>;
  openPeriod(params: OpenPeriodParams): Promise<OpenPeriodReply>;
  offer(params: OfferParams): Promise<unknown>;
  /** Input reports and detaches carry the epoch that the session is attached under, too. */
  input(params: InputCall): Promise<unknown>;
  detach(params: DetachCall): Promise<unknown>;
  /** Asks this node to see whether the stream's log stands still, and to have the stream taken over if so (C3). */
  standsStill(params: StandsStillParams): Promise<StandsStillReply>;
  /** Calls `ingest.closeSessions` on that node. */
  closeSessions(node: NodeId, params: CloseSessionsParams): Promise<unknown>;
}

export interface RunnerMetrics {
  readonly segments: Counter;
  readonly storedBytes: Counter;
  readonly lost: Counter;
  readonly warnings: Counter;
  readonly sessions: Gauge;
  readonly heldBytes: Gauge;
}

export function runnerMetrics(metrics: Metrics): RunnerMetrics {
  return {
    segments: metrics.counter({
      name: 'tangaza_ingest_segments_total',
      help: 'Source segments stored and offered',
    }),
    storedBytes: metrics.counter({
      name: 'tangaza_ingest_stored_bytes_total',
      help: 'Bytes of source segments stored',
    }),
    lost: metrics.counter({
      name: 'tangaza_ingest_lost_segments_total',
      help: 'Source segments given up, by reason',
      labels: ['reason'],
    }),
    warnings: metrics.counter({
      name: 'tangaza_ingest_warnings_total',
      help: 'Faults in the input that were mended',
      labels: ['code'],
    }),
    sessions: metrics.gauge({ name: 'tangaza_ingest_sessions', help: 'Publishers on air at this node' }),
    heldBytes: metrics.gauge({
      name: 'tangaza_ingest_held_bytes',
      help: 'Bytes of source segments that wait to be stored',
    }),
  };
}
