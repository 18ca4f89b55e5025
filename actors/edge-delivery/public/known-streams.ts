/**
 * Remembers what the registry says of streams. A known stream is remembered for a minute. All other answers are remembered for a second, as
 * such a stream may be created, or exist again, at any moment.
 *
 * Viewers of a stream that was known before do not wait for a registry that is slow or gone: they get the last answer.
 *
 * `forget` is called for each removal, so that a removed stream is not shown until its answer is old. Bounds: answers remembered, of which
 * the oldest goes (known streams and others each have a bound, so that invented ids push no stream out); and questions in a second about
 * unknown ids (beyond that: `OVERLOADED`). Each sender has a number of its own, so that a flood of invented ids hardly reaches the
 * registry, and costs nobody but its sender an answer. A question whose answer is a stream costs nobody.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { within } from '../../../cluster/time/within.ts';
import { callerAddress, networkOf, type Hop, type IsTrustedProxy } from '../http/caller.ts';

export interface KnownStream {
  readonly kind: 'known';
  readonly title: string;
  readonly createdAtMs: number;
}

/** What the registry knows about an id. */
export type Standing =
  | KnownStream
  /** The stream was deleted less than 30 days ago. */
  | { readonly kind: 'removed'; readonly removedAtMs: number }
  | { readonly kind: 'unknown' };

/** The stream registry's part of an edge. */
export interface RegistryPart {
  readonly clock: Clock;
  /** What the registry knows of an id. @throws when it cannot be asked */
  readonly lookUpStream: (id: StreamId) => Promise<Standing>;
  /** Streams that were removed at or after that UTC time. @throws when the registry cannot be asked */
  readonly removedSince: (utcMs: number) => Promise<readonly StreamId[]>;
  readonly isTrustedProxy: IsTrustedProxy;
}

interface Answer {
  readonly standing: Standing;
  readonly atMs: number;
}

const knownMs = 60_000;
const otherMs = 1000;
const maxAnswers = 10_000;
const maxQuestionsUnderWay = 64;
/** How long a question about a stream that was known before may hold somebody up. */
const patienceMs = 250;
/** Questions about ids that this edge does not know: of one sender, and of all. */
const maxOfSenderASecond = 64;
const maxNewQuestionsASecond = 2048;
/** How far back removals are asked for: much more than the time between two questions, and than clocks differ by. */
const removalsToldMs = 60_000;

const free = (): void => {};

export class KnownStreams {
  readonly #registry: RegistryPart;
  readonly #clock: Clock;
  readonly #known = new Map<StreamId, Answer>();
  readonly #others = new Map<StreamId, Answer>();
  readonly #questions = new Map<StreamId, Promise<Standing>>();
  readonly #senderOf: (hop: Hop) => string;
  /** What each sender has asked since then, and all have. */
  #second = { startMs: 0, questions: 0, ofSenders: new Map<string, number>() };

  constructor(registry: RegistryPart) {
    this.#registry = registry;
    this.#clock = registry.clock;
    this.#senderOf = (hop) => networkOf(callerAddress(hop, registry.isTrustedProxy));
  }

  /**
   * @param hop who wants to know
   * @param freshMs how old an answer about a known stream may be, as its title may have changed
   * @throws TangazaError `OVERLOADED`, and what the registry throws
   */
  async standing(hop: Hop, id: StreamId, freshMs = knownMs): Promise<Standing> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#known.get(id);
    const answer = known ?? this.#others.get(id);
    const maxAgeMs = known === undefined ? otherMs : freshMs;
    if (answer !== undefined && nowMs - answer.atMs < maxAgeMs) return answer.standing;
    return this.#askOnce(hop, id);
  }

  /**
   * As `standing`; of a stream that was known before, what was last heard when the registry fails or takes long.
   *
   * @throws as `standing`, of a stream that was not known before
   */
  async standingOrLast(hop: Hop, id: StreamId, freshMs = knownMs): Promise<Standing> {
    const last = this.lastKnown(id);
    if (last === undefined) return this.standing(hop, id, freshMs);
    const answer = this.standing(hop, id, freshMs).catch(() => last);
    return within(answer, { clock: this.#clock, ms: patienceMs, late: () => last });
  }

  /** What was last known of a stream, however long ago, for when the registry cannot be asked. */
  lastKnown(id: StreamId): KnownStream | undefined {
    const standing = this.#known.get(id)?.standing;
    return standing?.kind === 'known' ? standing : undefined;
  }

  /** Streams that were removed in the last minute. None while the registry cannot be asked; the question is repeated in a second. */
  removedLately(): Promise<readonly StreamId[]> {
    const sinceMs = this.#clock.utcMs() - removalsToldMs;
    return this.#registry.removedSince(sinceMs).catch((): readonly StreamId[] => []);
  }

  /** The stream was removed. The next to ask gets that answer. */
  forget(id: StreamId): void {
    this.#known.delete(id);
  }

  #askOnce(hop: Hop, id: StreamId): Promise<Standing> {
    const running = this.#questions.get(id);
    if (running !== undefined) return running;
    const charge = this.#known.has(id) ? free : this.#charge(this.#senderOf(hop));
    if (this.#questions.size >= maxQuestionsUnderWay || charge === undefined) {
      return Promise.reject(new TangazaError('OVERLOADED', 'Too many unknown streams are asked for.'));
    }
    const question = this.#run(id, charge);
    this.#questions.set(id, question);
    return question;
  }

  /** Counts a question about an id that is not known. @returns what takes it back; undefined over the rate */
  #charge(sender: string): (() => void) | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#second.startMs >= 1000)
      this.#second = { startMs: nowMs, questions: 0, ofSenders: new Map() };
    const second = this.#second;
    const asked = second.ofSenders.get(sender) ?? 0;
    if (asked >= maxOfSenderASecond || second.questions >= maxNewQuestionsASecond) return undefined;
    const count = (change: number): void => {
      second.questions += change;
      second.ofSenders.set(sender, (second.ofSenders.get(sender) ?? 0) + change);
    };
    count(1);
    return () => count(-1);
  }

  async #run(id: StreamId, takeBack: () => void): Promise<Standing> {
    try {
      const standing = await this.#registry.lookUpStream(id);
      if (standing.kind === 'known') takeBack();
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
