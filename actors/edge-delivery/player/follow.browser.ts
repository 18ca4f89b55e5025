/** Asks edges for the public resource of the stream, one question at a time, for as long as an answer may change anything. */
import { nextPollMs, readAnswer, type Answer } from '../viewing/public-stream.ts';

const timeoutMs = 4000;

export interface FollowOptions {
  readonly streamId: string;
  /** The edge to ask. After each unanswered question it is the next one. */
  readonly edge: () => string;
  readonly onSilent: () => void;
  readonly onAnswer: (answer: Answer) => void;
}

export class Follower {
  readonly #options: FollowOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  #lastKind: Answer['kind'] = 'none';
  #inARow = 0;

  constructor(options: FollowOptions) {
    this.#options = options;
    document.addEventListener('visibilitychange', () => void (document.hidden || this.ask()));
    window.addEventListener('online', () => this.ask());
    window.addEventListener('offline', () => this.ask());
  }

  /** Asks now, unless a question is under way. */
  ask(): void {
    clearTimeout(this.#timer);
    if (!this.#isAsking) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    const { answer, retryAfterSeconds } = await this.#question();
    this.#isAsking = false;
    this.#inARow = answer.kind === this.#lastKind ? this.#inARow + 1 : 1;
    this.#lastKind = answer.kind;
    if (answer.kind === 'none') this.#options.onSilent();
    this.#options.onAnswer(answer);
    const facts = {
      isHidden: document.hidden,
      lastAnswer: answer.kind,
      inARow: this.#inARow,
      retryAfterSeconds,
    };
    const waitMs = nextPollMs(facts, Math.random());
    if (waitMs !== undefined) this.#timer = setTimeout(() => this.ask(), waitMs);
  }

  async #question(): Promise<{ readonly answer: Answer; readonly retryAfterSeconds: number | undefined }> {
    const { streamId, edge } = this.#options;
    try {
      const address = `${edge()}/v1/streams/${encodeURIComponent(streamId)}/public`;
      const reply = await fetch(address, { signal: AbortSignal.timeout(timeoutMs) });
      const body: unknown = reply.status === 200 ? await reply.json() : undefined;
      const after = Number(reply.headers.get('retry-after') ?? Number.NaN);
      return {
        answer: readAnswer(reply.status, body),
        retryAfterSeconds: Number.isFinite(after) ? after : undefined,
      };
    } catch {
      return { answer: readAnswer(undefined, undefined, !navigator.onLine), retryAfterSeconds: undefined };
    }
  }
}
