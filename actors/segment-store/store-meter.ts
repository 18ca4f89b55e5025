/**
 * What every store does for each operation: times it, counts its outcome, lets it through a gate, and logs the store's
 * faults once.
 */
import { Gate } from '../../cluster/bounds/gate.ts';
import type { ErrorCode } from '../../cluster/errors/catalogue.ts';
import { errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import { silentLogger, type Logger } from '../../cluster/observe/logger.ts';
import type { Metrics } from '../../cluster/observe/metrics.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { isStoreFault, StoreFaults } from './store-faults.ts';
import type { StoreHealth, StoreUse } from './store-health.ts';

export type StoreOperation = 'put' | 'get' | 'range' | 'list' | 'delete';

/** What waits for places together. */
type GateKind = 'read' | 'write';

/** What an operation says of the store. A full disk takes deletions still. */
const useOf = (operation: StoreOperation): StoreUse =>
  operation === 'put' ? 'write' : operation === 'delete' ? 'delete' : 'read';

/** An object that was there already is found on a full disk, too. */
const isProof = (operation: StoreOperation, result: unknown): boolean =>
  operation !== 'put' || result === 'stored';

/** Operations at once, and how many may wait behind them. With more: `OVERLOADED`. */
const limits = { running: 64, waiting: 1024 };

export interface StorePorts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Logs faults; silent when absent. */
  readonly logger?: Logger;
  /** Is told what fails, and that it works again. */
  readonly health?: StoreHealth;
}

export class StoreMeter {
  readonly #store: string;
  readonly #clock: Clock;
  readonly #health: StoreHealth | undefined;
  readonly #seconds;
  readonly #bytes;
  readonly #gates: Readonly<Record<GateKind, Gate>>;
  readonly #faults: Readonly<Record<StoreUse, StoreFaults>>;

  constructor(store: 'disk' | 's3', { clock, metrics, logger = silentLogger, health }: StorePorts) {
    this.#health = health;
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
    const gate = (kind: GateKind): Gate =>
      new Gate({
        ...limits,
        about: 'the segment store',
        onWaiting: (count) => waiting.set(count, { store, kind }),
      });
    // There are two gates, so that a slow disk that blocks writers does not keep readers out.
    this.#gates = { read: gate('read'), write: gate('write') };
    const faults = (kind: StoreUse): StoreFaults => new StoreFaults(clock, logger, { store, kind });
    this.#faults = { read: faults('read'), write: faults('write'), delete: faults('delete') };
  }

  /** Runs one operation through the gate. @throws what `work` throws; `OVERLOADED` */
  async run<T>(operation: StoreOperation, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const use = useOf(operation);
    const startedMs = this.#clock.monotonicMs();
    let outcome = 'ok';
    try {
      const result = await this.#gates[use === 'read' ? 'read' : 'write'].run(work, signal);
      if (isProof(operation, result)) this.#works(use);
      return result;
    } catch (error) {
      const code = errorCodeOf(error);
      outcome = signal?.aborted === true ? 'aborted' : code;
      if (outcome === code) this.#failed(use, code, error);
      throw error;
    } finally {
      const seconds = (this.#clock.monotonicMs() - startedMs) / 1000;
      this.#seconds.observe(seconds, { store: this.#store, operation, outcome });
    }
  }

  #works(use: StoreUse): void {
    this.#faults[use].succeeded();
    this.#health?.note(use, undefined);
  }

  #failed(use: StoreUse, code: ErrorCode, error: unknown): void {
    this.#faults[use].failed(code, error);
    if (isStoreFault(code)) this.#health?.note(use, error instanceof Error ? error.message : code);
  }

  transferred(operation: StoreOperation, bytes: number): void {
    this.#bytes.add(bytes, { store: this.#store, operation });
  }
}
