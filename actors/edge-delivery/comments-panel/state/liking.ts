/**
 * Likes comments: shown at once, sent over the live socket, and by HTTP where that does not answer; pure. A like is a set, so one that went both
 * ways is still one like. Of each comment one act is under way: nobody knows in which order two of them would arrive. Each bears its time, so that
 * a node that carries it out late undoes nothing (A4).
 */
import { isPassing, type Problem } from './problem.ts';

export interface LikingPorts {
  /** @returns whether it was handed to a socket that is welcome */
  readonly send: (message: object) => boolean;
  /** By HTTP. @param atMs when the viewer wanted it; undefined: when it arrives @returns why it was refused */
  readonly ask: (id: string, isLiked: boolean, atMs: number | undefined) => Promise<Problem | undefined>;
  /** @param by what is added to the count of all until the server tells it */
  readonly show: (id: string, isLiked: boolean, by: number) => void;
  /** Undefined while no server has told it. */
  readonly serverNowMs: () => number | undefined;
}

/** What a viewer wants of a comment, from the tap until a server has answered. */
interface Wish {
  isLiked: boolean;
  /** What the server has, as far as it has answered. */
  isSettled: boolean;
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
  /** By comment. */
  readonly #wishes = new Map<string, Wish>();
  #nowMs = 0;
  #waiting: readonly Waiting[] = [];

  constructor(ports: LikingPorts) {
    this.#ports = ports;
  }

  /** A tap while another is under way is carried out after it. @returns why it was refused */
  async set(id: string, isLiked: boolean, nowMs: number): Promise<Problem | undefined> {
    this.#nowMs = nowMs;
    const known = this.#wishes.get(id);
    if (known?.isLiked === isLiked) return undefined;
    this.#show(id, isLiked);
    if (known !== undefined) {
      known.isLiked = isLiked;
      return undefined;
    }
    const wish = { isLiked, isSettled: !isLiked };
    this.#wishes.set(id, wish);
    try {
      return await this.#settleWish(id, wish);
    } finally {
      this.#wishes.delete(id);
      if (wish.isLiked !== wish.isSettled) this.#show(id, wish.isSettled);
    }
  }

  /** The socket has answered. @param problem undefined where it was taken */
  heard(id: string, isLiked: boolean, problem?: Problem): void {
    const first = this.#waiting.find((one) => one.id === id && one.isLiked === isLiked);
    const isElsewhere = problem !== undefined && mayGoElsewhere(problem);
    this.#settle((one) => one === first, isElsewhere ? 'unanswered' : (problem ?? 'taken'));
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#settle(({ sinceMs }) => nowMs - sinceMs >= patienceMs, 'unanswered');
  }

  /** The socket is gone, and with it the answers that it would have brought. */
  disconnected(): void {
    this.#settle(() => true, 'unanswered');
  }

  #show(id: string, isLiked: boolean): void {
    this.#ports.show(id, isLiked, isLiked ? 1 : -1);
  }

  /** Carries out what is wanted, until that is what was sent last. @returns why the last one was refused */
  async #settleWish(id: string, wish: Wish): Promise<Problem | undefined> {
    for (;;) {
      const { isLiked } = wish;
      const problem = await this.#carryOut(id, isLiked);
      if (problem === undefined) wish.isSettled = isLiked;
      // What failed in passing may have been carried out all the same, so its opposite is sent.
      const mayGoOn = problem === undefined || isPassing(problem);
      if (wish.isLiked === isLiked || !mayGoOn) return problem;
    }
  }

  async #carryOut(id: string, isLiked: boolean): Promise<Problem | undefined> {
    const hasRoom = this.#waiting.length < mostWaiting;
    const { send, serverNowMs } = this.#ports;
    const atMs = serverNowMs();
    const at = atMs === undefined ? {} : { at: new Date(atMs).toISOString() };
    const isSent = hasRoom && send({ type: isLiked ? 'like' : 'unlike', id, ...at });
    const answer = isSent ? await this.#answerTo(id, isLiked) : 'unanswered';
    if (answer === 'taken') return undefined;
    return answer === 'unanswered' ? this.#ask(id, isLiked) : answer;
  }

  /** Where a server finds the page's time wrong, it goes without. */
  async #ask(id: string, isLiked: boolean): Promise<Problem | undefined> {
    const { ask, serverNowMs } = this.#ports;
    const problem = await ask(id, isLiked, serverNowMs());
    return problem?.code === 'COMMENT_EXPIRED' ? ask(id, isLiked, undefined) : problem;
  }

  #answerTo(id: string, isLiked: boolean): Promise<Answer> {
    return new Promise((answer) => {
      this.#waiting = [...this.#waiting, { id, isLiked, sinceMs: this.#nowMs, answer }];
    });
  }

  #settle(isIt: (one: Waiting) => boolean, answer: Answer): void {
    const settled = this.#waiting.filter(isIt);
    this.#waiting = this.#waiting.filter((one) => !settled.includes(one));
    for (const one of settled) one.answer(answer);
  }
}

/** A socket has bounds of its own, may not have understood who the viewer is, may be of another version, and fails with its node. */
const mayGoElsewhere = (problem: Problem): boolean =>
  isPassing(problem) || ['UNAUTHENTICATED', 'COMMENT_EXPIRED', 'BAD_REQUEST'].includes(problem.code);
