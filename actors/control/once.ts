/**
 * Does what an `Idempotency-Key` stands for once. A request that is repeated within a day gets the first reply.
 *
 * The registry claims the key for one of two equal requests, at whichever node they arrive; the other waits for its reply. What
 * fails is forgotten: the same request may be tried again. A node that dies over one leaves it to a repetition after 10 s,
 * which makes the same stream and the same key (`NewStream.request`, `saltOf`).
 */
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { idempotentRequest, type IdempotentRequest } from './idempotency.ts';
import { registryInTime, type RegistryInTime } from './registry-in-time.ts';
import { openReply, sealReply } from './sealed-reply.ts';
import type { StreamRegistry } from './stream-registry.ts';

export interface OncePorts {
  readonly registry: Pick<StreamRegistry, 'claim' | 'settle'>;
  readonly clock: Clock;
  readonly keySecret: string;
}

/** How often a waiting request looks whether the first reply is there. */
const lookMs = 100;

export class Once {
  readonly #ports: OncePorts;
  readonly #inTime: RegistryInTime;

  constructor(ports: OncePorts) {
    this.#ports = ports;
    this.#inTime = registryInTime(ports.clock);
  }

  /** @throws TangazaError `IDEMPOTENCY_KEY_REUSED`; `UNAVAILABLE`, `OVERLOADED` when the registry does not answer; what `work` throws */
  async answer(operation: string, input: RouteInput, work: () => unknown): Promise<unknown> {
    const { registry, clock, keySecret } = this.#ports;
    const request = idempotentRequest(operation, input);
    if (request === undefined) return work();
    for (;;) {
      const known = await this.#inTime(() => registry.claim(request, clock.utcMs()));
      if (known.kind === 'new') return this.#perform(request, work);
      if (known.kind === 'given') return openReply(keySecret, request.key, known.reply);
      await clock.sleep(lookMs);
    }
  }

  async #perform(request: IdempotentRequest, work: () => unknown): Promise<unknown> {
    try {
      const reply: unknown = await work();
      await this.#settle(request, sealReply(this.#ports.keySecret, request.key, reply));
      return reply;
    } catch (error) {
      await this.#settle(request, undefined);
      throw error;
    }
  }

  /** What was done was done, also where the registry does not keep the reply: a repetition comes to the same, after 10 s. */
  async #settle(request: IdempotentRequest, reply: string | undefined): Promise<void> {
    const { registry, clock } = this.#ports;
    await this.#inTime(() => registry.settle(request, clock.utcMs(), reply)).catch(() => {});
  }
}
