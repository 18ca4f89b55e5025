/**
 * Remembers media that the log names and the store no longer has: an operator or a lifecycle rule of the bucket removed it.
 *
 * Nothing brings it back, so the answer is 404 at once, and players continue with the next segment or another rendition. The manifest is
 * not changed, as it follows from the log alone (M14). Looking at each object before its commit would cost a request each, and would find
 * only what is gone by then. Missing media is counted, logged once for each stream, and shown in `/readyz`.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Counter, Metrics } from '../../../cluster/observe/metrics.ts';

/** How many streams are remembered as logged. Beyond that all are forgotten, and may be logged once more. */
const maxStreams = 1000;

export class MissingMedia {
  readonly #logger: Logger;
  readonly #requests: Counter;
  readonly #said = new Set<StreamId>();
  #last: string | undefined;

  constructor({ logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics }) {
    this.#logger = logger;
    this.#requests = metrics.counter({
      name: 'tangaza_edge_missing_media_total',
      help: 'Look-ups of committed media that the segment store no longer has, answered by 404.',
    });
  }

  /** The text for `/readyz`; undefined while nothing is missing. */
  get words(): string | undefined {
    if (this.#last === undefined) return undefined;
    return `committed media is missing in the segment store, last ${this.#last}: was it removed by hand, or by a lifecycle rule?`;
  }

  /**
   * @param target its public path
   * @param key its name in the store
   * @returns the answer to the request
   */
  found(stream: StreamId, target: string, key: string): TangazaError {
    this.#requests.add(1);
    this.#last = target;
    if (!this.#said.has(stream)) {
      if (this.#said.size >= maxStreams) this.#said.clear();
      this.#said.add(stream);
      this.#logger.error(
        { stream, key },
        'committed media is missing in the segment store: viewers get 404 for it; more of this stream is only counted',
      );
    }
    return new TangazaError(
      'SEGMENT_NOT_FOUND',
      'Media missing: it was committed, and the store has it no more. Go on with the next segment.',
    );
  }
}
