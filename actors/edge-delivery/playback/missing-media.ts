/**
 * Media that the log names and the store has not: removed by an operator or by a lifecycle rule of the bucket.
 *
 * Nothing brings it back, so the answer is 404 at once: players go on to the next segment or to another rendition. The
 * manifest is not changed, as it is a function of the log alone (M14), and looking at each object before its commit
 * would cost a request for each and find only what is gone by then. It is counted, said once for each stream in the log,
 * and shown in `/readyz`.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Counter, Metrics } from '../../../cluster/observe/metrics.ts';

/** Streams that are remembered as said; beyond that all are forgotten, and may be said once more. */
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
      help: 'Look-ups of committed media that the segment store has no more, answered by 404.',
    });
  }

  /** For `/readyz`; undefined while nothing was missing. */
  get words(): string | undefined {
    if (this.#last === undefined) return undefined;
    return `committed media is missing in the segment store, last ${this.#last}: was it removed by hand, or by a lifecycle rule?`;
  }

  /**
   * @param target its public path
   * @param key its name in the store
   * @returns what the request is answered with
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
