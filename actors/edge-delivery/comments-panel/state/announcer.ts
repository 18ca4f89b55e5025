/** What screen readers are told of new comments: one sentence every few seconds, whatever comes. */
import type { PageComment } from './comment.ts';

const everyMs = 6_000;
const mostCharacters = 140;

export class Announcer {
  #count = 0;
  #last: PageComment | undefined;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  heard(comment: PageComment): void {
    this.#count += 1;
    this.#last = comment;
  }

  /** Undefined while there is nothing to say, or it was said a moment ago. */
  sentence(nowMs: number): string | undefined {
    const last = this.#last;
    if (last === undefined || nowMs - this.#saidAtMs < everyMs) return undefined;
    const text = last.text.length > mostCharacters ? `${last.text.slice(0, mostCharacters)}…` : last.text;
    const sentence =
      this.#count === 1
        ? `${last.author.name}: ${text}`
        : `${this.#count} new comments. The last one, ${last.author.name}: ${text}`;
    this.#count = 0;
    this.#last = undefined;
    this.#saidAtMs = nowMs;
    return sentence;
  }
}
