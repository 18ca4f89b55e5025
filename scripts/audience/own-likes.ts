/**
 * What one user likes, and what it asks next. Pure.
 *
 * One is under way at a time. One that was not answered is asked again, and nothing else before it: so in the end it is known what the user
 * wanted last, however late an earlier try is done.
 */
export interface LikeAsked {
  readonly id: string;
  readonly isOn: boolean;
}

export type LikeAnswer = 'done' | 'refused' | 'unanswered';

const againAfterMs = 1000;

export class OwnLikes {
  readonly #liked = new Set<string>();
  #open: LikeAsked | undefined;
  /** When to ask again; undefined while it is under way. */
  #dueAtMs: number | undefined;

  /** Something is not answered yet. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Something is to be asked again. */
  isDue(nowMs: number): boolean {
    return this.#dueAtMs !== undefined && this.#dueAtMs <= nowMs;
  }

  /**
   * What to ask now: of that comment the opposite of what it is, or once more what was not answered.
   *
   * @returns undefined where something is under way or waits to be asked again, or there is nothing to like
   */
  next(id: string | undefined, nowMs: number): LikeAsked | undefined {
    if (this.#open !== undefined && !this.isDue(nowMs)) return undefined;
    this.#open ??= id === undefined ? undefined : { id, isOn: !this.#liked.has(id) };
    this.#dueAtMs = undefined;
    return this.#open;
  }

  /** What became of the one that is under way. */
  answered(answer: LikeAnswer, nowMs: number): void {
    if (answer === 'unanswered') {
      this.#dueAtMs = nowMs + againAfterMs;
      return;
    }
    const { id, isOn } = this.#open ?? { id: '', isOn: false };
    this.#open = undefined;
    if (answer === 'refused') return;
    if (isOn) this.#liked.add(id);
    else this.#liked.delete(id);
  }
}
