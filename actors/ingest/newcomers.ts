/**
 * Publishers that their stream's owner has not let in yet, and an owner that never does (C3: media liveness).
 *
 * N1. The newcomers of a stream at this node wait as one, over all their tries: an encoder that is refused tries again.
 * N2. While they wait the owner is looked at each second, between two tries, too. An owner that answers, whatever it says, ends that;
 *     so does another owner, whom the next try finds, and so do 10 s without a try.
 */
import type { AttachParams, AttachReply } from '../../cluster/contract/stream.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { OwnerWatch } from './owner-watch.ts';
import type { StreamCalls } from './runner-ports.ts';

const forgetAfterMs = 10_000;

interface NewcomersPorts {
  readonly clock: Clock;
  readonly stream: StreamCalls;
  readonly logger: Logger;
}

interface Waiting {
  readonly watch: OwnerWatch;
  triedAtMs: number;
}

export class Newcomers {
  readonly #ports: NewcomersPorts;
  readonly #waiting = new Map<StreamId, Waiting>();

  constructor(ports: NewcomersPorts) {
    this.#ports = ports;
  }

  /** N1. @throws TangazaError what the publisher is refused with */
  async attach(params: AttachParams): Promise<AttachReply> {
    const { clock, stream, logger } = this.#ports;
    const { streamId } = params;
    const triedAtMs = clock.monotonicMs();
    const waiting = this.#waiting.get(streamId) ?? {
      ...{ watch: new OwnerWatch({ clock, stream, logger }), triedAtMs },
    };
    waiting.triedAtMs = triedAtMs;
    this.#waiting.set(streamId, waiting);
    try {
      return await waiting.watch.attach(params);
    } finally {
      if (!waiting.watch.isWaiting) this.#forget(streamId, waiting);
    }
  }

  /** N2, each second. */
  look(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const [streamId, waiting] of this.#waiting) {
      if (nowMs - waiting.triedAtMs > forgetAfterMs) this.#forget(streamId, waiting);
      else void this.#lookAt(streamId, waiting);
    }
  }

  async #lookAt(streamId: StreamId, waiting: Waiting): Promise<void> {
    if (await waiting.watch.isReplaced(streamId)) this.#forget(streamId, waiting);
  }

  #forget(streamId: StreamId, waiting: Waiting): void {
    if (this.#waiting.get(streamId) === waiting) this.#waiting.delete(streamId);
  }
}
