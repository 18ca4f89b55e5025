/** Counts what crosses: the bytes that this edge got from each other region, and what became of its requests (R5). */
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Counter, Metrics } from '../../../cluster/observe/metrics.ts';

/** `damaged`: its bytes are not those of the commit. */
type Outcome = 'ok' | 'notFound' | 'damaged' | 'failed';

/** Of so many streams and regions a damaged object is remembered as said. Beyond that all are forgotten, and may be said once more. */
const mostSaid = 1000;

export class Crossings {
  readonly #logger: Logger;
  readonly #objects: Counter;
  readonly #bytes: Counter;
  readonly #said = new Set<string>();
  readonly #bytesFrom = new Map<RegionId, number>();

  constructor({ logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics }) {
    this.#logger = logger;
    this.#objects = metrics.counter({
      name: 'tangaza_crossing_objects_total',
      help: 'Objects that this edge asked edges of another region for: ok, notFound, damaged (its bytes are not those of the commit), failed.',
      labels: ['region', 'outcome'],
    });
    this.#bytes = metrics.counter({
      name: 'tangaza_crossing_bytes_total',
      help: 'Bytes of objects that this edge got from another region.',
      labels: ['region'],
    });
  }

  count(region: RegionId, outcome: Outcome, bytes = 0): void {
    this.#objects.add(1, { region, outcome });
    if (bytes === 0) return;
    this.#bytes.add(bytes, { region });
    this.#bytesFrom.set(region, (this.#bytesFrom.get(region) ?? 0) + bytes);
  }

  /** Bytes from each region since this edge started. */
  get bytesFrom(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#bytesFrom);
  }

  /** An object of that region is not the one that was committed. */
  damaged(region: RegionId, stream: string, key: string, bytes: number): void {
    this.count(region, 'damaged', bytes);
    const about = `${region}/${stream}`;
    if (this.#said.has(about)) return;
    if (this.#said.size >= mostSaid) this.#said.clear();
    this.#said.add(about);
    this.#logger.error(
      { region, stream, key },
      'an object of another region is not the one that was committed, and is not taken: the next region is asked; more of this stream is only counted',
    );
  }
}
