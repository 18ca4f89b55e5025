/**
 * Which edges of other regions have not answered lately, or have refused, though their region tells of them (R5). They come behind the others
 * of their region for 10 s. Each is said once, and once with what it says where it refuses.
 *
 * Bound: how many are remembered. Beyond that all are forgotten, and may be said once more.
 */
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Counter, Metrics } from '../../../cluster/observe/metrics.ts';
import type { EdgeElsewhere } from '../../../cluster/region/elsewhere.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { Fault } from './ask-in-line.ts';

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
  /** Which faults were said, with the base URL. */
  readonly #said = new Set<string>();

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#count = ports.metrics.counter({
      name: 'tangaza_crossing_silent_sources_total',
      help: 'Requests that an edge of another region did not begin to answer within 500 ms beyond the round trips, or refused, so that the next edge was asked.',
      labels: ['region'],
    });
  }

  note(edge: EdgeElsewhere, fault: Fault): void {
    const { httpUrl, region } = edge;
    this.#count.add(1, { region });
    this.#say(edge, fault);
    if (!this.#untilMs.has(httpUrl) && this.#untilMs.size >= mostKept) this.#untilMs.clear();
    this.#untilMs.set(httpUrl, this.#ports.clock.monotonicMs() + silentForMs);
  }

  isSilent({ httpUrl }: EdgeElsewhere): boolean {
    return (this.#untilMs.get(httpUrl) ?? -Infinity) > this.#ports.clock.monotonicMs();
  }

  #say({ region, node, httpUrl }: EdgeElsewhere, fault: Fault): void {
    const { logger } = this.#ports;
    const about = `${fault.kind} ${httpUrl}`;
    if (this.#said.has(about)) return;
    if (this.#said.size >= mostKept) this.#said.clear();
    this.#said.add(about);
    if (fault.kind === 'silent')
      logger.warn(
        { region, node, httpUrl },
        'an edge of another region is told to this one and does not answer at its URL: others are asked first. Can this node reach it? More of it is only counted',
      );
    else
      logger.warn(
        { region, node, httpUrl },
        `an edge of another region refuses what this one asks of it: ${fault.words}. Others are asked first. Its log may say why; for a 401, compare the secrets and the clocks of both. More of it is only counted`,
      );
  }
}
