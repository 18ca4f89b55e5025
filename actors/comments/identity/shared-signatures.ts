/**
 * Signs texts, and all that wait share one signature: of a flood of comments each receipt by itself would cost more than all guards together.
 *
 * What comes while nothing is signed is signed at once. Bound: 4,000 wait, as many as may wait for the database; more are refused.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';

/** They make a proof of 5 hashes. */
export const mostTogether = 32;
const mostWaiting = 4000;

interface Waiting {
  readonly text: string;
  readonly resolve: (signed: string) => void;
  readonly reject: (error: unknown) => void;
}

export class SharedSignatures {
  readonly #signAll: (texts: readonly string[]) => Promise<readonly string[]>;
  readonly #waiting: Waiting[] = [];
  #isSigning = false;

  /** @param signAll gives as many as it gets, in order */
  constructor(signAll: (texts: readonly string[]) => Promise<readonly string[]>) {
    this.#signAll = signAll;
  }

  /** @throws TangazaError `OVERLOADED` when too many wait, and what signing throws */
  sign(text: string): Promise<string> {
    if (this.#waiting.length >= mostWaiting)
      throw new TangazaError('OVERLOADED', 'Too many comments wait for their receipts: try again.');
    const signed = Promise.withResolvers<string>();
    this.#waiting.push({ text, resolve: signed.resolve, reject: signed.reject });
    if (!this.#isSigning) void this.#signWaiting();
    return signed.promise;
  }

  async #signWaiting(): Promise<void> {
    this.#isSigning = true;
    while (this.#waiting.length > 0) await this.#signTogether(this.#waiting.splice(0, mostTogether));
    this.#isSigning = false;
  }

  async #signTogether(turn: readonly Waiting[]): Promise<void> {
    try {
      const signed = await this.#signAll(turn.map(({ text }) => text));
      turn.forEach(({ resolve }, index) => resolve(signed[index] ?? ''));
    } catch (error) {
      for (const { reject } of turn) reject(error);
    }
  }
}
