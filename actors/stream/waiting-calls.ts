/** The calls to one owner that wait for its answer, each under the number that the owner answers to. */
import type { AttachReply, OpenPeriodReply } from '../../cluster/contract/stream-actions.ts';
import type { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { OfferReply } from './owner/owner-state.ts';
import type { ReplyTo } from './owner/state/publishers-state.ts';

const maxWaiting = 256;

export type Reply = AttachReply | OpenPeriodReply | OfferReply;

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export class WaitingCalls {
  readonly #waiting = new Map<ReplyTo, Waiting>();
  #asked = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** @returns the number of the call and its answer to come; undefined when too many wait already (activation.ts V1) */
  open(): { readonly reply: ReplyTo; readonly answer: Promise<Reply> } | undefined {
    if (this.#waiting.size >= maxWaiting) return undefined;
    this.#asked += 1;
    const { promise: answer, resolve, reject } = Promise.withResolvers<Reply>();
    this.#waiting.set(this.#asked, { resolve, reject });
    return { reply: this.#asked, answer };
  }

  /** Answers a call, unless it does not wait any more. */
  answer(to: ReplyTo, value: Reply): void {
    this.#take(to)?.resolve(value);
  }

  refuse(to: ReplyTo, error: TangazaError): void {
    this.#take(to)?.reject(error);
  }

  refuseAll(error: () => TangazaError): void {
    for (const { reject } of this.#waiting.values()) reject(error());
    this.#waiting.clear();
  }

  #take(to: ReplyTo): Waiting | undefined {
    const waiting = this.#waiting.get(to);
    this.#waiting.delete(to);
    return waiting;
  }
}
