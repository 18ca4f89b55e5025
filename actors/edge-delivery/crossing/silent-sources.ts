/**
 * Which edges of other regions have not answered lately, though their region tells of them (R5). They come behind the others of their region
 * for 10 s. Each is said once.
 *
 * Bound: how many are remembered. Beyond that all are forgotten, and may be said once more.
 */
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Counter, Metrics } from '../../../cluster/observe/metrics.ts';
import type { EdgeElsewhere } from '../../../cluster/region/elsewhere.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

const silentForMs = 10_000;
const mostKept = 1000;

interface Ports {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly logger: Pick<Logger, 'warn'>;
  readonly metrics: Metrics;
}

export class SilentSources {
  readonly #ports: Ports;
  readonly #count: Counter;
  /** By base URL, until when. */
  readonly #untilMs = new Map<string, number>();

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#count = ports.metrics.counter({
      name: 'tangaza_crossing_silent_sources_total',
      help: 'Requests that an edge of another region did not begin to answer within 500 ms, or failed to answer, so that the next edge was asked.',
      labels: ['region'],
    });
  }

  note({ region, node, httpUrl }: EdgeElsewhere): void {
    const { clock, logger } = this.#ports;
    this.#count.add(1, { region });
    if (!this.#untilMs.has(httpUrl)) {
      if (this.#untilMs.size >= mostKept) this.#untilMs.clear();
      logger.warn(
        { region, node, httpUrl },
        'an edge of another region is told to this one and does not answer at its URL: others are asked first. Can this node reach it? More of it is only counted',
      );
    }
    this.#untilMs.set(httpUrl, clock.monotonicMs() + silentForMs);
  }

  isSilent({ httpUrl }: EdgeElsewhere): boolean {
    return (this.#untilMs.get(httpUrl) ?? -Infinity) > this.#ports.clock.monotonicMs();
  }
}
