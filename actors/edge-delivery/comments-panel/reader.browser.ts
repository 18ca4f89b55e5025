/** Reads comments by HTTP: older ones as the viewer scrolls up, the newest ones after a gap, and every few seconds while no socket opens. */
import type { AudienceApi } from './audience-api.browser.ts';
import type { PageComment } from './state/comment.ts';
import type { CommentList } from './state/comment-list.ts';
import type { Problem } from './state/problem.ts';

const pageSize = '100';
const pollMs = 3_000;
const hiddenPollMs = 20_000;
/** After a failure older ones are asked for again no sooner. */
const pauseMs = 3_000;

export interface ReaderOptions {
  readonly api: AudienceApi;
  readonly list: CommentList;
  /** Each comment that was read. */
  readonly onComment: (comment: PageComment) => void;
  readonly onChange: () => void;
  readonly onProblem: (problem: Problem) => void;
}

export class Reader {
  readonly #options: ReaderOptions;
  #isReading = false;
  #olderAfterMs = 0;
  #isReadingOlder = false;
  #polledAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  get isReadingOlder(): boolean {
    return this.#isReadingOlder;
  }

  async older(): Promise<void> {
    const { api, list, onChange } = this.#options;
    const { oldest } = list;
    if (this.#isReadingOlder || !list.hasOlder || oldest === undefined || Date.now() < this.#olderAfterMs)
      return;
    this.#isReadingOlder = true;
    const answer = await api.page({ before: oldest.id, limit: pageSize });
    this.#isReadingOlder = false;
    if (answer.ok) list.addOlder(answer.value.items, answer.value.nextCursor !== undefined);
    else this.#olderAfterMs = Date.now() + pauseMs;
    onChange();
  }

  /** @returns whether somebody answered */
  async newest(): Promise<boolean> {
    if (this.#isReading) return false;
    const { api, list, onComment, onChange, onProblem } = this.#options;
    this.#isReading = true;
    const answer = await api.page({ limit: pageSize });
    this.#isReading = false;
    if (answer.ok) {
      for (const item of answer.value.items) onComment(item);
      list.join(answer.value.items, answer.value.nextCursor !== undefined);
      list.trim();
    } else onProblem(answer.problem);
    onChange();
    return answer.ok;
  }

  /** Reads again if it is time. @returns undefined while it is not */
  async poll(nowMs: number): Promise<boolean | undefined> {
    if (nowMs - this.#polledAtMs < (document.hidden ? hiddenPollMs : pollMs)) return undefined;
    this.#polledAtMs = nowMs;
    return this.newest();
  }
}
