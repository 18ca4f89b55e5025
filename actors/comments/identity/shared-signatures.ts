/**
 * Signs texts, and all that wait share one signature: of a flood of comments each receipt by itself would cost more than all guards together.
 *
 * What comes in one turn of the event loop goes together, as the comments of one transaction do, and what comes while a signature is made
 * goes with the next. Bound: 4,000 wait, as many as may wait for the database; more are refused.
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

export interface SignaturePorts {
  /** Gives as many as it gets, in order. */
  readonly signAll: (texts: readonly string[]) => Promise<readonly string[]>;
  /** Calls it in the next turn of the event loop. */
  readonly nextTurn: (run: () => void) => void;
}

export class SharedSignatures {
  readonly #ports: SignaturePorts;
  readonly #waiting: Waiting[] = [];
  #isSigning = false;

  constructor(ports: SignaturePorts) {
    this.#ports = ports;
  }

  /** @throws TangazaError `OVERLOADED` when too many wait, and what signing throws */
  sign(text: string): Promise<string> {
    if (this.#waiting.length >= mostWaiting)
      throw new TangazaError('OVERLOADED', 'Too many comments wait for their receipts: try again.');
    const signed = Promise.withResolvers<string>();
    this.#waiting.push({ text, resolve: signed.resolve, reject: signed.reject });
    if (!this.#isSigning) this.#ports.nextTurn(() => void this.#signWaiting());
    this.#isSigning = true;
    return signed.promise;
  }

  async #signWaiting(): Promise<void> {
    while (this.#waiting.length > 0) await this.#signTogether(this.#waiting.splice(0, mostTogether));
    this.#isSigning = false;
  }

  async #signTogether(turn: readonly Waiting[]): Promise<void> {
    try {
      const signed = await this.#ports.signAll(turn.map(({ text }) => text));
      turn.forEach(({ resolve }, index) => resolve(signed[index] ?? ''));
    } catch (error) {
      for (const { reject } of turn) reject(error);
    }
  }
}
