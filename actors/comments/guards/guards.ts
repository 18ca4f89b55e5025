/**
 * Decides whether a comment is taken, before the store hears of it (A11).
 *
 * In this order: the bucket of the sender's network; who it is, which the caller finds out in between; a ban; who may comment on the stream;
 * slow mode; the bucket of author and stream; the same text again; words that are not wanted; the stream's own bucket. A refusal says
 * which guard it was, and when to try again. A comment that was taken before is not refused for being itself.
 *
 * Staff passes slow mode. Comments that were taken at other nodes count as well, once they were heard of (`heard`).
 */
import type { CommentMode, User } from '../../../cluster/contract/api/audience-views.ts';
import type { CommentId, StreamId, UserId } from '../../../cluster/model/ids.ts';
import { clockWindow } from '../ids/client-id.ts';
import { gistOf } from '../text/skeleton.ts';
import type { WordRules } from '../text/word-rules.ts';
import { Authors, type Lately } from './authors.ts';
import { Buckets } from '../../../cluster/bounds/buckets.ts';
import { refusal } from './refusal.ts';

/** Until when somebody may not comment. */
export interface Ban {
  /** Undefined: for good. */
  readonly untilMs?: number | undefined;
  readonly reason?: string | undefined;
}

/** A comment that wants in. */
export interface Attempt {
  readonly id: CommentId;
  readonly streamId: StreamId;
  readonly author: User;
  readonly isStaff: boolean;
  readonly text: string;
  readonly mode: CommentMode;
  readonly nowMs: number;
}

/** What the word rules make of a text. */
export interface Judged {
  /** As it is to be stored. */
  readonly text: string;
  readonly isHeld: boolean;
}

export interface Admission extends Judged {
  /** The store did not take it after all: it counts no more. */
  readonly takeBack: () => void;
}

export const guardLimits = {
  /** Many people may share an address. */
  network: { burst: 40, perSecond: 20, most: 50_000 },
  /** Comments that were accepted before and are sent again: a region that failed takes nobody's turn to say something new. */
  again: { burst: 40, perSecond: 20, most: 50_000 },
  /** Likes and the like. */
  acts: { burst: 200, perSecond: 100, most: 50_000 },
  /** Pages of comments: a database gives many more, but to everybody. Viewers of a school share one, and each reads a page as it comes. */
  reads: { burst: 2000, perSecond: 100, most: 50_000 },
  /** A school shares one, and joins at once; but each guest may say something. */
  guests: { burst: 200, perSecond: 1, most: 50_000 },
  author: { burst: 5, perSecond: 0.5, most: 50_000 },
  /** Above that a stream's partitions would be too hot (A3). */
  stream: { burst: 2000, perSecond: 2000, most: 10_000 },
  sameTextMs: 30_000,
} as const;

export class Guards {
  readonly #networks = new Buckets(guardLimits.network);
  readonly #again = new Buckets(guardLimits.again);
  readonly #acts = new Buckets(guardLimits.acts);
  readonly #reads = new Buckets(guardLimits.reads);
  readonly #guests = new Buckets(guardLimits.guests);
  readonly #authors = new Buckets(guardLimits.author);
  readonly #streams = new Buckets(guardLimits.stream);
  readonly #lately = new Authors();
  readonly #words: WordRules;
  readsRefused = 0;

  constructor(words: WordRules) {
    this.#words = words;
  }

  /** The first guard, before anybody has looked at the token. @throws TangazaError `TOO_MANY_COMMENTS` */
  enter(network: string, nowMs: number): void {
    const waitMs = this.#networks.take(network, nowMs);
    if (waitMs > 0)
      throw refusal('TOO_MANY_COMMENTS', 'Too many comments come from your network: wait a moment.', waitMs);
  }

  /** For what comes with a receipt: once more `enter` where that turns out to be none (A6). @throws TangazaError `TOO_MANY_COMMENTS` */
  enterAgain(network: string, nowMs: number): void {
    const waitMs = this.#again.take(network, nowMs);
    if (waitMs > 0)
      throw refusal('TOO_MANY_COMMENTS', 'Too much is sent again from your network: wait a moment.', waitMs);
  }

  /** For what costs less than a comment: likes, reports. @throws TangazaError `TOO_MANY_COMMENTS` */
  enterToAct(network: string, nowMs: number): void {
    const waitMs = this.#acts.take(network, nowMs);
    if (waitMs > 0)
      throw refusal('TOO_MANY_COMMENTS', 'Too much comes from your network: wait a moment.', waitMs);
  }

  /** For pages of comments, and what else anybody may read. @throws TangazaError `OVERLOADED` */
  enterToRead(network: string, nowMs: number): void {
    const waitMs = this.#reads.take(network, nowMs);
    if (waitMs === 0) return;
    this.readsRefused += 1;
    throw refusal('OVERLOADED', 'Your network asks for too many comments: wait a moment.', waitMs);
  }

  /** Tokens of guests cost nothing, so a network gets so many. @throws TangazaError `TOO_MANY_COMMENTS` */
  enterAsGuest(network: string, nowMs: number): void {
    this.enter(network, nowMs);
    const waitMs = this.#guests.take(network, nowMs);
    if (waitMs > 0)
      throw refusal('TOO_MANY_COMMENTS', 'Too many guests come from your network: wait a moment.', waitMs);
  }

  /**
   * All guards behind identity and ban. What passes counts from now on.
   *
   * @throws TangazaError `COMMENTS_CLOSED`, `ACCOUNT_NEEDED`, `SLOW_MODE`, `TOO_MANY_COMMENTS`, `DUPLICATE_TEXT`, `TEXT_REFUSED`, `OVERLOADED`
   */
  admit(attempt: Attempt): Admission {
    const { id, streamId, author, isStaff, text, nowMs } = attempt;
    // Of before the clock went back, where it lies ahead.
    const lately = this.#lately
      .lately(streamId, author.id)
      .filter(({ atMs }) => atMs <= nowMs + clockWindow.afterMs);
    const isAgain = lately.some((said) => said.id === id);
    mustBeOpen(attempt);
    if (!isAgain) {
      if (!isStaff) mustBeSlow(attempt, lately);
      this.#mustHaveTurn(attempt);
    }
    const gist = gistOf(text);
    if (!isAgain) mustBeNew(gist, attempt, lately);
    const judged = this.judge(text);
    if (isAgain) return { ...judged, takeBack: () => {} };
    const waitMs = this.#streams.take(streamId, nowMs);
    if (waitMs > 0)
      throw refusal('OVERLOADED', 'Too many comment on this stream at once: try again.', waitMs);
    this.#lately.note(streamId, author.id, { id, atMs: nowMs, gist });
    return { ...judged, takeBack: () => this.#lately.takeBack(streamId, author.id, id) };
  }

  /** @throws TangazaError `TEXT_REFUSED` */
  judge(text: string): Judged {
    const judgement = this.#words(text);
    if (judgement.kind === 'refused') throw refusal('TEXT_REFUSED');
    return { text: judgement.text, isHeld: judgement.kind === 'held' };
  }

  /** A text as it would be stored, whatever else is thought of it. */
  shown(text: string): string {
    const judgement = this.#words(text);
    return judgement.kind === 'refused' ? text : judgement.text;
  }

  /** A comment was taken at another node. */
  heard(comment: Heard): void {
    const { id, streamId, author, text, createdAtMs } = comment;
    this.#lately.note(streamId, author.id, { id, atMs: createdAtMs, gist: gistOf(text) });
  }

  /** Senders who were forgotten though they counted still, as there were too many. */
  get forgotten(): number {
    return (
      this.#networks.forgotten +
      this.#again.forgotten +
      this.#acts.forgotten +
      this.#reads.forgotten +
      this.#guests.forgotten +
      this.#authors.forgotten +
      this.#streams.forgotten +
      this.#lately.forgotten
    );
  }

  #mustHaveTurn({ streamId, author, nowMs }: Attempt): void {
    const waitMs = this.#authors.take(`${streamId} ${author.id}`, nowMs);
    if (waitMs > 0) throw refusal('TOO_MANY_COMMENTS', undefined, waitMs);
  }
}

interface Heard {
  readonly id: CommentId;
  readonly streamId: StreamId;
  readonly author: { readonly id: UserId };
  readonly text: string;
  readonly createdAtMs: number;
}

export const isInForce = ({ untilMs }: Ban, nowMs: number): boolean =>
  untilMs === undefined || untilMs > nowMs;

/** @throws TangazaError `BANNED` */
export function mustNotBeBanned(ban: Ban | undefined, nowMs: number): void {
  if (ban === undefined || !isInForce(ban, nowMs)) return;
  const { untilMs, reason } = ban;
  const why = reason === undefined ? '' : `: ${reason}`;
  const until = untilMs === undefined ? '' : ` until ${new Date(untilMs).toISOString()}`;
  throw refusal(
    'BANNED',
    `You may not take part in the comments of this stream${until}${why}.`,
    untilMs === undefined ? undefined : untilMs - nowMs,
  );
}

function mustBeOpen({ mode: { mode }, author }: Attempt): void {
  if (mode === 'closed') throw refusal('COMMENTS_CLOSED');
  if (mode === 'accounts' && author.kind === 'guest') throw refusal('ACCOUNT_NEEDED');
}

function mustBeSlow({ mode: { slowSeconds }, nowMs }: Attempt, lately: Lately): void {
  const last = lately.at(-1);
  if (last === undefined || slowSeconds === 0) return;
  const waitMs = last.atMs + slowSeconds * 1000 - nowMs;
  if (waitMs <= 0) return;
  const seconds = Math.ceil(waitMs / 1000);
  throw refusal(
    'SLOW_MODE',
    `Everybody may comment every ${slowSeconds} s: you again in ${seconds} s.`,
    waitMs,
  );
}

function mustBeNew(gist: string, { nowMs }: Attempt, lately: Lately): void {
  const same = lately.findLast((said) => said.gist === gist && said.atMs > nowMs - guardLimits.sameTextMs);
  if (same !== undefined)
    throw refusal('DUPLICATE_TEXT', undefined, same.atMs + guardLimits.sameTextMs - nowMs);
}
