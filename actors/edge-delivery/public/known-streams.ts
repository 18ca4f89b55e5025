/**
 * What the registry says of streams, remembered for a while: a known one for a minute, all else for a second, for it may
 * be created, or be there again, now.
 *
 * Removals are told (`forget`), so that a removed stream is not shown until its answer is old. Bounds: answers remembered
 * (the oldest goes; known streams and others each have their own, so that made-up ids push no stream out), and questions
 * about ids that are not known, by second (over it: `OVERLOADED`): a flood of made-up ids costs the registry a trickle.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

export interface KnownStream {
  readonly kind: 'known';
  readonly title: string;
  readonly createdAtMs: number;
}

/** What the registry knows of an id. */
export type Standing =
  | KnownStream
  /** It was deleted less than 30 days ago. */
  | { readonly kind: 'removed'; readonly removedAtMs: number }
  | { readonly kind: 'unknown' };

interface Answer {
  readonly standing: Standing;
  readonly atMs: number;
}

const knownMs = 60_000;
const otherMs = 1000;
const maxAnswers = 10_000;
const maxQuestionsUnderWay = 64;
/** About ids that are not known to this edge. */
const maxNewQuestionsASecond = 256;

export class KnownStreams {
  readonly #clock: Clock;
  readonly #ask: (id: StreamId) => Promise<Standing>;
  readonly #known = new Map<StreamId, Answer>();
  readonly #others = new Map<StreamId, Answer>();
  readonly #questions = new Map<StreamId, Promise<Standing>>();
  #second = { startMs: 0, questions: 0 };

  constructor(clock: Clock, ask: (id: StreamId) => Promise<Standing>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /**
   * @param freshMs how old an answer about a known stream may be: its title may have changed
   * @throws TangazaError `OVERLOADED`, and what the registry throws
   */
  async standing(id: StreamId, freshMs = knownMs): Promise<Standing> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#known.get(id);
    const answer = known ?? this.#others.get(id);
    const maxAgeMs = known === undefined ? otherMs : freshMs;
    if (answer !== undefined && nowMs - answer.atMs < maxAgeMs) return answer.standing;
    return this.#askOnce(id);
  }

  /** What was last heard of a known stream, however long ago: for when the registry cannot be asked. */
  lastKnown(id: StreamId): KnownStream | undefined {
    const standing = this.#known.get(id)?.standing;
    return standing?.kind === 'known' ? standing : undefined;
  }

  /** The stream was removed: the next to ask hears it. */
  forget(id: StreamId): void {
    this.#known.delete(id);
  }

  #askOnce(id: StreamId): Promise<Standing> {
    const running = this.#questions.get(id);
    if (running !== undefined) return running;
    if (this.#questions.size >= maxQuestionsUnderWay || !this.#isWithinRate(id)) {
      return Promise.reject(new TangazaError('OVERLOADED', 'Too many unknown streams are asked for.'));
    }
    const question = this.#run(id);
    this.#questions.set(id, question);
    return question;
  }

  #isWithinRate(id: StreamId): boolean {
    if (this.#known.has(id)) return true;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#second.startMs >= 1000) this.#second = { startMs: nowMs, questions: 0 };
    this.#second.questions += 1;
    return this.#second.questions <= maxNewQuestionsASecond;
  }

  async #run(id: StreamId): Promise<Standing> {
    try {
      const standing = await this.#ask(id);
      this.#remember(id, { standing, atMs: this.#clock.monotonicMs() });
      return standing;
    } finally {
      this.#questions.delete(id);
    }
  }

  #remember(id: StreamId, answer: Answer): void {
    this.#known.delete(id);
    this.#others.delete(id);
    const answers = answer.standing.kind === 'known' ? this.#known : this.#others;
    answers.set(id, answer);
    const [oldest] = answers.keys();
    if (answers.size > maxAnswers && oldest !== undefined) answers.delete(oldest);
  }
}
