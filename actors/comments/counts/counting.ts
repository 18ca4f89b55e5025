/**
 * Tells what was counted anew: the nodes and sockets of this region, and, by the database, the other regions that share it (A4).
 *
 * Bounds: of notes for other regions 32 are written at once, and 2,000 wait. What is over that, or is not written, is left for who reads it there.
 */
import { Gate } from '../../../cluster/bounds/gate.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import type { CommentId, StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { ChangeOutlet } from '../feed/change.ts';
import type { ChangedCounts } from '../regions/changed-counts.ts';
import type { Counts } from './counts.ts';

export interface CountingPorts {
  readonly clock: Pick<Clock, 'utcMs' | 'monotonicMs'>;
  readonly logger: Pick<Logger, 'error'>;
  readonly counts: Pick<Counts, 'recount' | 'recountRead' | 'leftOut'>;
  readonly outlet: Pick<ChangeOutlet, 'told'>;
  /** Where other regions write into the same database. */
  readonly changedCounts?: Pick<ChangedCounts, 'note'> | undefined;
}

const notes = { running: 32, waiting: 2000 };
/** A fault that stays is logged no more often. */
const sayEveryMs = 60_000;

export class Counting {
  readonly #ports: CountingPorts;
  readonly #notes = new Gate({ about: 'notes for other regions', ...notes });
  #saidMs = -Infinity;

  constructor(ports: CountingPorts) {
    this.#ports = ports;
  }

  /** Counts what has changed, and tells it. To be called each half second. */
  async tellChanged(): Promise<void> {
    const { counts, outlet } = this.#ports;
    try {
      for (const { changedHere, ...one } of await counts.recount()) {
        outlet.told({ kind: 'counts', ...one });
        // Nobody waits for it: where the database is slow, the next turn tells this region all the same.
        void this.#noteElsewhere(one.streamId, changedHere);
      }
    } catch (error) {
      // What was not counted is counted the next time, or by who reads it.
      this.#say(error);
    }
  }

  /** Counts in turn what is read, and tells what has another number. To be called each half second. */
  async tellRead(): Promise<void> {
    const { counts, outlet } = this.#ports;
    const { found, failures } = await counts.recountRead();
    for (const one of found) outlet.told({ kind: 'counts', ...one });
    for (const error of failures) this.#say(error);
  }

  /** Other regions count them as well. Where they cannot be told, they know with the next change, or when somebody reads it. */
  async #noteElsewhere(stream: StreamId, ids: readonly CommentId[]): Promise<void> {
    const { changedCounts, clock, counts } = this.#ports;
    if (changedCounts === undefined || ids.length === 0) return;
    const note = () => changedCounts.note(stream, ids, clock.utcMs());
    await this.#notes.run(note).catch((error: unknown) => {
      counts.leftOut += ids.length;
      this.#say(error);
    });
  }

  /** A database that is away is told elsewhere; anything else is a fault that somebody must mend. */
  #say(error: unknown): void {
    if (['UNAVAILABLE', 'OVERLOADED'].includes(errorCodeOf(error))) return;
    const nowMs = this.#ports.clock.monotonicMs();
    if (nowMs - this.#saidMs < sayEveryMs) return;
    this.#saidMs = nowMs;
    this.#ports.logger.error({ err: error }, 'likes and answers are not counted: they are tried again');
  }
}
