/** The public resource of a stream as a page reads it: what an answer means, and when to ask again. */

export const broadcastStates = ['notBegun', 'live', 'interrupted', 'ended', 'recording'] as const;
export type BroadcastState = (typeof broadcastStates)[number];

export interface PublicStream {
  readonly title: string;
  readonly state: BroadcastState;
  /** Address of a picture; undefined when there is none. */
  readonly poster: string | undefined;
}

export type Answer =
  | { readonly kind: 'stream'; readonly stream: PublicStream }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'removed' }
  /** No edge answered, or none could say. */
  | { readonly kind: 'none'; readonly isOffline: boolean };

const none = (isOffline: boolean): Answer => ({ kind: 'none', isOffline });

/** @param status undefined when nobody answered; what cannot be read is no answer */
export function readAnswer(status: number | undefined, body: unknown, isOffline = false): Answer {
  if (status === 404 || status === 400) return { kind: 'unknown' };
  if (status === 410) return { kind: 'removed' };
  const stream = status === 200 ? readStream(body) : undefined;
  return stream === undefined ? none(isOffline) : { kind: 'stream', stream };
}

function readStream(body: unknown): PublicStream | undefined {
  if (typeof body !== 'object' || body === null || !('state' in body)) return undefined;
  const state = broadcastStates.find((one) => one === body.state);
  if (state === undefined) return undefined;
  const title = 'title' in body && typeof body.title === 'string' ? body.title : '';
  const poster = 'poster' in body && typeof body.poster === 'string' ? body.poster : undefined;
  return { title, state, poster };
}

/** A page sees a change within 3 s: this, its jitter and a round trip. */
const everyMs = 1900;
const hiddenMs = 20_000;
const mostMs = 15_000;
const jitter = 0.15;
/** A stream that is created this moment may still be unknown to an edge; after so many answers it is not asked for again. */
const unknownAnswers = 3;

export interface PollFacts {
  readonly isHidden: boolean;
  readonly lastAnswer: Answer['kind'];
  /** Answers of that kind in a row, this one included. */
  readonly inARow: number;
  /** What the edge asked for, in seconds. */
  readonly retryAfterSeconds: number | undefined;
}

/**
 * Milliseconds until the next question; undefined when there is none: the stream is removed, or unknown for good.
 * @param random 0 to 1: pages that were opened together do not ask together
 */
export function nextPollMs(facts: PollFacts, random: number): number | undefined {
  const { isHidden, lastAnswer, inARow, retryAfterSeconds } = facts;
  if (lastAnswer === 'removed' || (lastAnswer === 'unknown' && inARow >= unknownAnswers)) return undefined;
  const backedOffMs =
    lastAnswer === 'none' ? Math.min(everyMs * 2 ** (Math.min(inARow, 10) - 1), mostMs) : everyMs;
  const askedMs = Math.min(retryAfterSeconds ?? 0, 60) * 1000;
  const leastMs = Math.max(isHidden ? hiddenMs : 0, backedOffMs, askedMs);
  return Math.round(leastMs * (1 - jitter + 2 * jitter * random));
}
