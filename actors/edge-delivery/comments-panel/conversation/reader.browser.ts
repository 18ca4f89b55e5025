/** Reads comments by HTTP: older ones as the viewer scrolls up, the newest ones after a gap, and every few seconds while no socket opens. */
import type { AudienceApi } from './audience-api.browser.ts';
import { missedAfter, nothingMissed } from './missed.ts';
import type { CommentsPage, PageComment, Place } from '../state/comment.ts';
import { mostComments, mostWhileReading, olderOf, type CommentList } from '../state/comment-list.ts';
import { isPassing, type Problem } from '../state/problem.ts';

const pageSize = '100';
const pollMs = 3_000;
const hiddenPollMs = 20_000;
/** After a failure comments are asked for again no sooner. */
const pauseMs = 3_000;

export interface ReaderOptions {
  readonly api: AudienceApi;
  readonly list: CommentList;
  /** Each comment that was read, the oldest first, before it is in the list. */
  readonly onComment: (comment: PageComment) => void;
  /** The page that was read says that another region keeps copies; it comes before its comments. */
  readonly onReplication: () => void;
  readonly onChange: () => void;
  readonly onProblem: (problem: Problem) => void;
  /** Is what is oldest out of sight? */
  readonly isAtEnd: () => boolean;
}

export class Reader {
  readonly #options: ReaderOptions;
  #isReading = false;
  /** A gap came, or stayed, while the newest ones were read. */
  #mustReadAgain = false;
  #againAfterMs = 0;
  /** Where the first gap begins that is still open. */
  #before: Place | undefined;
  #olderAfterMs = 0;
  #isReadingOlder = false;
  #polledAtMs = Number.NEGATIVE_INFINITY;
  #missed = nothingMissed;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  get isReadingOlder(): boolean {
    return this.#isReadingOlder;
  }

  async older(): Promise<void> {
    const { api, list, onChange } = this.#options;
    const { oldest } = list;
    const isFull = list.size >= mostWhileReading;
    if (this.#isReadingOlder || !list.hasOlder || oldest === undefined || isFull) return;
    if (Date.now() < this.#olderAfterMs) return;
    this.#isReadingOlder = true;
    const answer = await api.page({ before: oldest.id, limit: pageSize });
    this.#isReadingOlder = false;
    if (!answer.ok) this.#olderAfterMs = Date.now() + pauseMs;
    // Meanwhile it may have lost its oldest ones, and these would not reach it.
    else if (list.oldest?.id === oldest.id)
      list.addOlder(answer.value.items, answer.value.nextCursor !== undefined);
    onChange();
  }

  /**
   * One that is asked for while another is read is read after it.
   *
   * @param before where the gap begins
   * @returns whether somebody answered
   */
  async newest(before: Place | undefined = this.#options.list.newest): Promise<boolean> {
    return (await this.#read(before)) !== undefined;
  }

  async #read(before: Place | undefined): Promise<CommentsPage | undefined> {
    if (before !== undefined) this.#before = olderOf(this.#before, before);
    this.#mustReadAgain = this.#isReading;
    if (this.#isReading) return undefined;
    const { api, onProblem, onChange } = this.#options;
    const since = this.#before;
    this.#before = undefined;
    this.#isReading = true;
    const answer = await api.page({ limit: pageSize });
    this.#isReading = false;
    if (answer.ok) this.#join(answer.value, since);
    else {
      if (since !== undefined) this.#before = olderOf(this.#before, since);
      this.#mustReadAgain ||= isPassing(answer.problem);
      this.#againAfterMs = Date.now() + pauseMs;
      onProblem(answer.problem);
    }
    onChange();
    return answer.ok ? answer.value : undefined;
  }

  /** Reads what was not read the last time. */
  tick(nowMs: number): void {
    if (this.#mustReadAgain && !this.#isReading && nowMs >= this.#againAfterMs)
      void this.newest(this.#before);
  }

  #join({ items, nextCursor, hasReplication }: CommentsPage, before: Place | undefined): void {
    const { list, onReplication, onComment, isAtEnd } = this.#options;
    if (hasReplication) onReplication();
    for (const item of items.toReversed()) onComment(item);
    list.join(items, nextCursor !== undefined, before);
    list.trim(isAtEnd() ? mostComments : mostWhileReading);
  }

  /** Reads again if it is time. @returns undefined while it is not */
  async poll(nowMs: number): Promise<boolean | undefined> {
    if (nowMs - this.#polledAtMs < (document.hidden ? hiddenPollMs : pollMs)) return undefined;
    if (this.#isReading) return undefined;
    this.#polledAtMs = nowMs;
    const page = await this.#read(this.#missed.due ?? this.#options.list.newest);
    if (page !== undefined) this.#missed = missedAfter(this.#missed, page.knownToMs);
    return page !== undefined;
  }
}
