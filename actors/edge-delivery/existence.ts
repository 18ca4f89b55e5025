/**
 * Which streams there are, remembered for a while: `yes` for a minute, `no` for a second, for it may be created now.
 *
 * Bounds: answers remembered (the oldest goes), questions under way (over it: `OVERLOADED`), so that a flood of made-up
 * ids costs the registry a trickle.
 */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { Clock } from '../../cluster/time/clock.ts';

interface Answer {
  readonly exists: boolean;
  readonly untilMs: number;
}

const yesMs = 60_000;
const noMs = 1000;
const maxAnswers = 10_000;
const maxQuestions = 64;

export class Existence {
  readonly #clock: Clock;
  readonly #ask: (id: StreamId) => Promise<boolean>;
  readonly #answers = new Map<StreamId, Answer>();
  readonly #questions = new Map<StreamId, Promise<boolean>>();

  constructor(clock: Clock, ask: (id: StreamId) => Promise<boolean>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** @throws TangazaError `OVERLOADED`, and what the registry throws */
  async has(id: StreamId): Promise<boolean> {
    const known = this.#answers.get(id);
    if (known !== undefined && known.untilMs > this.#clock.monotonicMs()) return known.exists;
    return this.askNow(id);
  }

  /** Asks even if an answer is remembered. */
  askNow(id: StreamId): Promise<boolean> {
    const running = this.#questions.get(id);
    if (running !== undefined) return running;
    if (this.#questions.size >= maxQuestions) {
      return Promise.reject(new TangazaError('OVERLOADED', 'Too many unknown streams are asked for.'));
    }
    const question = this.#run(id);
    this.#questions.set(id, question);
    return question;
  }

  async #run(id: StreamId): Promise<boolean> {
    try {
      const exists = await this.#ask(id);
      this.#answers.delete(id);
      this.#answers.set(id, { exists, untilMs: this.#clock.monotonicMs() + (exists ? yesMs : noMs) });
      const [oldest] = this.#answers.keys();
      if (this.#answers.size > maxAnswers && oldest !== undefined) this.#answers.delete(oldest);
      return exists;
    } finally {
      this.#questions.delete(id);
    }
  }
}
