/** Metrics and bounds that every store has: each operation is timed, counted by outcome, and passes a gate. */
import { errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import type { Metrics } from '../../cluster/observe/metrics.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { Gate } from './gate.ts';

export type StoreOperation = 'put' | 'get' | 'range' | 'list' | 'delete';

/** Operations at once, and how many wait behind them; then `OVERLOADED`. */
const limits = { running: 64, waiting: 1024 };

export class StoreMeter {
  readonly #store: string;
  readonly #clock: Clock;
  readonly #seconds;
  readonly #bytes;
  readonly #gates: Readonly<Record<'read' | 'write', Gate>>;

  constructor(store: 'disk' | 's3', { clock, metrics }: { clock: Clock; metrics: Metrics }) {
    this.#store = store;
    this.#clock = clock;
    this.#seconds = metrics.histogram({
      name: 'tangaza_store_operation_seconds',
      help: 'How long operations of the segment store took, by outcome: ok, or an error code.',
      labels: ['store', 'operation', 'outcome'],
    });
    this.#bytes = metrics.counter({
      name: 'tangaza_store_transferred_bytes_total',
      help: 'Bytes put into and read from the segment store.',
      labels: ['store', 'operation'],
    });
    const waiting = metrics.gauge({
      name: 'tangaza_store_waiting_operations',
      help: 'Operations that wait for a place at the segment store; 1,024 at most of either kind.',
      labels: ['store', 'kind'],
    });
    const gate = (kind: 'read' | 'write'): Gate =>
      new Gate({ ...limits, onWaiting: (count) => waiting.set(count, { store, kind }) });
    // Two gates, so that a slow disk that blocks writers does not keep readers out.
    this.#gates = { read: gate('read'), write: gate('write') };
  }

  /** Runs one operation through the gate. @throws what `work` throws; `OVERLOADED` */
  async run<T>(operation: StoreOperation, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const kind = operation === 'put' || operation === 'delete' ? 'write' : 'read';
    const startedMs = this.#clock.monotonicMs();
    let outcome = 'ok';
    try {
      return await this.#gates[kind].run(work, signal);
    } catch (error) {
      outcome = signal?.aborted === true ? 'aborted' : errorCodeOf(error);
      throw error;
    } finally {
      const seconds = (this.#clock.monotonicMs() - startedMs) / 1000;
      this.#seconds.observe(seconds, { store: this.#store, operation, outcome });
    }
  }

  transferred(operation: StoreOperation, bytes: number): void {
    this.#bytes.add(bytes, { store: this.#store, operation });
  }
}
