/** Reads the public resource of a stream for a page: what an answer means, and when to ask again. */
import { timeOfDay } from './time-of-day.ts';

export const broadcastStates = ['notBegun', 'live', 'interrupted', 'ended', 'recording'] as const;
export type BroadcastState = (typeof broadcastStates)[number];

export interface PublicStream {
  readonly title: string;
  readonly state: BroadcastState;
  /** The address of a picture; undefined when there is none. */
  readonly poster: string | undefined;
  /** Set while the region that broadcasts it cannot be reached, so that nothing newer arrives. */
  readonly unheard: Unheard | undefined;
}

export interface Unheard {
  readonly region: string;
  /** The time of day at which it was heard last, as the viewer's clock shows it. */
  readonly since: string;
}

export type Answer =
  | { readonly kind: 'stream'; readonly stream: PublicStream }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'removed' }
  /** No edge answered, or none knew. */
  | { readonly kind: 'none'; readonly isOffline: boolean };

const none = (isOffline: boolean): Answer => ({ kind: 'none', isOffline });

/** @param status undefined when nobody answered; an answer that cannot be read counts as none */
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
  return { title, state, poster, unheard: readUnheard(body) };
}

function readUnheard(body: object): Unheard | undefined {
  const unheard = 'unheard' in body ? body.unheard : undefined;
  if (typeof unheard !== 'object' || unheard === null) return undefined;
  const region = 'region' in unheard && typeof unheard.region === 'string' ? unheard.region : undefined;
  const since = 'since' in unheard && typeof unheard.since === 'string' ? new Date(unheard.since) : undefined;
  if (region === undefined || since === undefined || Number.isNaN(since.getTime())) return undefined;
  return { region, since: timeOfDay(since) };
}

/** A page must show a change within 3 s, which this interval, its jitter and a round trip fit into. */
const everyMs = 1900;
const hiddenMs = 20_000;
const mostMs = 15_000;
const jitter = 0.15;
/** An edge may not know yet a stream that is being created. After this many answers a page stops asking. */
const unknownAnswers = 3;

export interface PollFacts {
  readonly isHidden: boolean;
  readonly lastAnswer: Answer['kind'];
  /** How many answers of that kind came in a row, including this one. */
  readonly inARow: number;
  /** How many seconds the edge asked to wait. */
  readonly retryAfterSeconds: number | undefined;
}

/**
 * Milliseconds until the next question. Undefined when there will be none, as the stream is removed or does not exist.
 * @param random 0 to 1, so that pages that were opened together do not ask together
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
