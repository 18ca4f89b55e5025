/** What a node tells of its comments' database: how much waits, how long calls take, when it fails and when it works again. */
import { errorCodeOf } from '../../../../cluster/errors/tangaza-error.ts';
import type { ErrorCode } from '../../../../cluster/errors/catalogue.ts';
import type { Logger } from '../../../../cluster/observe/logger.ts';
import type { Counter, Histogram, Metrics } from '../../../../cluster/observe/metrics.ts';
import { isWrite, type CallName } from './calls.ts';

/** All others are the caller's. */
const troubles: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'STORE_FULL', 'INTERNAL', 'OVERLOADED']);

type Kind = 'read' | 'write' | 'open';

export class StoreMeter {
  readonly #logger: Logger;
  readonly #seconds: Histogram;
  readonly #refused: Counter;
  readonly #deaths: Counter;
  /** Since it last read, or wrote. One line says that it fails, and one that it works again: a full disk can still be read. */
  readonly #failures = new Map<Kind, number>();

  constructor(
    metrics: Metrics,
    logger: Logger,
    look: () => { readonly calls: number; readonly oldestMs: number },
  ) {
    this.#logger = logger;
    this.#seconds = metrics.histogram({
      name: 'tangaza_comment_store_call_seconds',
      help: "How long calls of the comments' database took, with the wait for it.",
      labels: ['call'],
    });
    this.#refused = metrics.counter({
      name: 'tangaza_comment_store_refused_total',
      help: "Calls that the comments' database refused, by code.",
      labels: ['code'],
    });
    this.#deaths = metrics.counter({
      name: 'tangaza_comment_store_thread_deaths_total',
      help: "How often the thread of the comments' database died and another was started.",
    });
    const gauge = (name: string, help: string, read: () => number): void =>
      metrics.family({ kind: 'gauge', name, help, labels: [] }, () => [{ value: read(), labels: {} }]);
    gauge(
      'tangaza_comment_store_waiting_calls',
      "Calls that wait for the comments' database, or are under way.",
      () => look().calls,
    );
    gauge(
      'tangaza_comment_store_oldest_call_seconds',
      "How long the oldest call of the comments' database waits.",
      () => look().oldestMs / 1000,
    );
  }

  done(call: CallName, tookMs: number): void {
    this.#seconds.observe(tookMs / 1000, { call });
    const kind = kindOf(call);
    const failures = this.#failures.get(kind);
    this.#failures.delete('open');
    if (failures === undefined) return;
    this.#failures.delete(kind);
    this.#logger.info({ kind, failures }, "the comments' database works again");
  }

  failed(call: CallName | 'open', error: unknown): void {
    const code = errorCodeOf(error);
    this.#refused.add(1, { code });
    if (!troubles.has(code)) return;
    const kind = call === 'open' ? call : kindOf(call);
    const before = this.#failures.get(kind) ?? 0;
    this.#failures.set(kind, before + 1);
    const why = error instanceof Error ? error.message : String(error);
    if (before === 0) this.#logger.error({ kind, code, why }, "the comments' database fails");
  }

  died(why: string): void {
    this.#deaths.add(1);
    this.#logger.error({ why }, "the thread of the comments' database died, another is started");
  }
}

const kindOf = (call: CallName): Kind => (isWrite[call] ? 'write' : 'read');
