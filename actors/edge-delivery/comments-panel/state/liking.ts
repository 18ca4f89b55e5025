/**
 * Likes comments: shown at once, sent over the live socket, and by HTTP where that does not answer; pure. A like is a set, so one that went both
 * ways is still one like.
 */
import type { Problem } from './problem.ts';

export interface LikingPorts {
  /** @returns whether it was handed to a socket that is welcome */
  readonly send: (message: object) => boolean;
  /** By HTTP. @returns why it was refused */
  readonly ask: (id: string, isLiked: boolean) => Promise<Problem | undefined>;
  /** @param by what is added to the count of all until the server tells it */
  readonly show: (id: string, isLiked: boolean, by: number) => void;
}

type Answer = 'taken' | 'unanswered' | Problem;

interface Waiting {
  /** Of the comment. */
  readonly id: string;
  readonly isLiked: boolean;
  readonly sinceMs: number;
  readonly answer: (answer: Answer) => void;
}

const patienceMs = 5000;
/** A viewer taps with one finger. */
const mostWaiting = 32;

export class Liking {
  readonly #ports: LikingPorts;
  #waiting: readonly Waiting[] = [];

  constructor(ports: LikingPorts) {
    this.#ports = ports;
  }

  /** @returns why it was refused */
  async set(id: string, isLiked: boolean, nowMs: number): Promise<Problem | undefined> {
    const { send, ask, show } = this.#ports;
    show(id, isLiked, isLiked ? 1 : -1);
    const hasRoom = this.#waiting.length < mostWaiting;
    const isSent = hasRoom && send({ type: isLiked ? 'like' : 'unlike', id });
    const answer = isSent ? await this.#answerTo(id, isLiked, nowMs) : 'unanswered';
    if (answer === 'taken') return undefined;
    const problem = answer === 'unanswered' ? await ask(id, isLiked) : answer;
    if (problem !== undefined) show(id, !isLiked, isLiked ? -1 : 1);
    return problem;
  }

  /** The socket has answered. @param problem undefined where it was taken */
  heard(id: string, isLiked: boolean, problem?: Problem): void {
    const first = this.#waiting.find((one) => one.id === id && one.isLiked === isLiked);
    const isElsewhere = problem?.code === 'UNAVAILABLE'; // another edge may do it
    this.#settle((one) => one === first, isElsewhere ? 'unanswered' : (problem ?? 'taken'));
  }

  tick(nowMs: number): void {
    this.#settle(({ sinceMs }) => nowMs - sinceMs >= patienceMs, 'unanswered');
  }

  /** The socket is gone, and with it the answers that it would have brought. */
  disconnected(): void {
    this.#settle(() => true, 'unanswered');
  }

  #answerTo(id: string, isLiked: boolean, nowMs: number): Promise<Answer> {
    return new Promise((answer) => {
      this.#waiting = [...this.#waiting, { id, isLiked, sinceMs: nowMs, answer }];
    });
  }

  #settle(isIt: (one: Waiting) => boolean, answer: Answer): void {
    const settled = this.#waiting.filter(isIt);
    this.#waiting = this.#waiting.filter((one) => !settled.includes(one));
    for (const one of settled) one.answer(answer);
  }
}
