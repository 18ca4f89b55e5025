/** What screen readers are told: one sentence of new comments every few seconds, whatever comes, and at once what was not sent. */
import type { PageComment } from './comment.ts';
import type { OwnComment } from './own-comment.ts';
import { ownWords } from './panel-view.ts';

const everyMs = 6_000;
const mostCharacters = 140;

export class Announcer {
  #count = 0;
  #last: PageComment | undefined;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #refused: ReadonlySet<string> = new Set();

  heard(comment: PageComment): void {
    this.#count += 1;
    this.#last = comment;
  }

  /** Why the latest of the viewer's own comments was not sent; undefined when that was said, or all go well. */
  refusal(owns: readonly OwnComment[], nowMs: number): string | undefined {
    const failed = owns.filter(({ state }) => state.kind === 'failed');
    const last = failed.findLast(({ draft }) => !this.#refused.has(draft.clientId));
    this.#refused = new Set(failed.map(({ draft }) => draft.clientId));
    return last === undefined
      ? undefined
      : `${ownWords(last, false, nowMs)} You wrote: ${shortened(last.draft.text)}`;
  }

  /** Undefined while there is nothing to say, or it was said a moment ago. */
  sentence(nowMs: number): string | undefined {
    const last = this.#last;
    if (last === undefined || nowMs - this.#saidAtMs < everyMs) return undefined;
    const text = shortened(last.text);
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

const shortened = (text: string): string =>
  text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
