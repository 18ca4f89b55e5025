/**
 * Publishers that their stream's owner has not let in yet, and an owner that never does (C3: media liveness).
 *
 * N1. The newcomers of a stream at this node wait as one, over all their tries: an encoder that is refused tries again.
 * N2. While one tries the owner is looked at each second; between two tries, too, once two in a row were not answered: one alone may
 *     have failed by this node's doing. An owner that answers, whatever it says, ends that; so does another owner, whom the next
 *     try finds, and so do 10 s without a try.
 * N3. At most `maxWaiting` streams wait, more than publishers are let connect at once; when full, the one that was tried longest ago is
 *     forgotten: its next try begins anew. How many wait is a metric.
 */
import type { AttachParams, AttachReply } from '../../../cluster/contract/stream-actions.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Gauge, Metrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { OwnerWatch } from './owner-watch.ts';
import type { OwnerCalls } from '../runner-ports.ts';

const forgetAfterMs = 10_000;
const enoughUnanswered = 2;
/** The waiter that tried longest ago is forgotten beyond it (N3). */
export const maxWaiting = 256;

interface NewcomersPorts {
  readonly clock: Clock;
  readonly stream: OwnerCalls;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Waiting {
  readonly watch: OwnerWatch;
  /** Tries under way. */
  trying: number;
  /** In a row. */
  unanswered: number;
  /** When the last try began or ended. */
  triedAtMs: number;
}

export class Newcomers {
  readonly #ports: NewcomersPorts;
  /** In the order of their last tries. */
  readonly #waiting = new Map<StreamId, Waiting>();
  readonly #size: Gauge;

  constructor(ports: NewcomersPorts) {
    this.#ports = ports;
    this.#size = ports.metrics.gauge({
      name: 'tangaza_ingest_waiting_streams',
      help: 'Streams whose owner has not answered their publishers at this node',
    });
  }

  /** N1. @throws TangazaError what the publisher is refused with */
  async attach(params: AttachParams): Promise<AttachReply> {
    const { clock, stream, logger } = this.#ports;
    const { streamId } = params;
    const waiting = this.#waiting.get(streamId) ?? {
      ...{ watch: new OwnerWatch({ clock, stream, logger }), trying: 0, unanswered: 0, triedAtMs: 0 },
    };
    this.#remember(streamId, waiting);
    waiting.trying += 1;
    waiting.triedAtMs = clock.runningMs();
    try {
      return await waiting.watch.attach(params);
    } finally {
      waiting.trying -= 1;
      waiting.triedAtMs = clock.runningMs();
      waiting.unanswered += 1;
      if (!waiting.watch.isWaiting) this.#forget(streamId, waiting);
    }
  }

  /** N2, each second. */
  look(): void {
    const nowMs = this.#ports.clock.runningMs();
    for (const [streamId, waiting] of this.#waiting) {
      const { trying, unanswered, triedAtMs } = waiting;
      if (trying === 0 && nowMs - triedAtMs > forgetAfterMs) this.#forget(streamId, waiting);
      else if (trying > 0 || unanswered >= enoughUnanswered) void this.#lookAt(streamId, waiting);
    }
    this.#size.set(this.#waiting.size);
  }

  /** Forgets the waiter that tried longest ago when there are too many (N3). */
  #remember(streamId: StreamId, waiting: Waiting): void {
    this.#waiting.delete(streamId);
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size >= maxWaiting) this.#waiting.delete(oldest);
    this.#waiting.set(streamId, waiting);
  }

  async #lookAt(streamId: StreamId, waiting: Waiting): Promise<void> {
    if (await waiting.watch.isReplaced(streamId)) this.#forget(streamId, waiting);
  }

  #forget(streamId: StreamId, waiting: Waiting): void {
    if (this.#waiting.get(streamId) === waiting) this.#waiting.delete(streamId);
  }
}
