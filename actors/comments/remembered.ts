/**
 * Remembers answers to questions that are asked often and cost something: who asks again soon gets the last answer, and who asks while the
 * same question is under way waits for that one. What is asked for near the end of its time is asked anew meanwhile, so that nobody waits for
 * what is asked for all the time.
 *
 * While asking fails, the last answer stays. Bound: beyond `most` answers the oldest goes, and its question is asked anew.
 */
import type { Clock } from '../../cluster/time/clock.ts';

export interface Question<K, V> {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly ask: (key: K) => Promise<V>;
  /** For how long an answer is good. */
  readonly goodForMs: (value: V) => number;
  readonly most: number;
}

interface Answer<V> {
  readonly value: V;
  readonly atMs: number;
}

/** From this share of its time on, an answer is renewed by who gets it. */
const renewedFrom = 0.7;

export class Remembered<K, V> {
  readonly #question: Question<K, V>;
  readonly #answers = new Map<K, Answer<V>>();
  readonly #underWay = new Map<K, Promise<V>>();

  constructor(question: Question<K, V>) {
    this.#question = question;
  }

  /** @throws what asking throws, where there was never an answer */
  async get(key: K): Promise<V> {
    const answer = this.#answers.get(key);
    if (answer !== undefined && this.#spent(answer) < 1) {
      if (this.#spent(answer) >= renewedFrom) this.#begin(key);
      return answer.value;
    }
    try {
      return await (this.#underWay.get(key) ?? this.#askOnce(key));
    } catch (error) {
      if (answer === undefined) throw error;
      return answer.value;
    }
  }

  /** Asks where there is no good answer, for who will want it in a moment. */
  prepare(key: K): void {
    const answer = this.#answers.get(key);
    if (answer === undefined || this.#spent(answer) >= 1) this.#begin(key);
  }

  /** Something else has told the answer. What is asked meanwhile is older. */
  set(key: K, value: V): void {
    this.#underWay.delete(key);
    this.#answers.delete(key);
    this.#answers.set(key, { value, atMs: this.#question.clock.monotonicMs() });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > this.#question.most && oldest !== undefined) this.#answers.delete(oldest);
  }

  /** What was told is not so any more. */
  forget(key: K): void {
    this.#underWay.delete(key);
    this.#answers.delete(key);
  }

  /** Of the time for which the answer is good. */
  #spent({ value, atMs }: Answer<V>): number {
    const { clock, goodForMs } = this.#question;
    return (clock.monotonicMs() - atMs) / goodForMs(value);
  }

  #begin(key: K): void {
    if (!this.#underWay.has(key)) this.#askOnce(key).catch(() => {}); // who needs it asks again
  }

  #askOnce(key: K): Promise<V> {
    const asked = this.#question
      .ask(key)
      .then((value) => {
        if (this.#underWay.get(key) === asked) this.set(key, value);
        return value;
      })
      .finally(() => {
        if (this.#underWay.get(key) === asked) this.#underWay.delete(key);
      });
    this.#underWay.set(key, asked);
    return asked;
  }
}
