/** Why something was refused, and what a viewer reads about it: each sentence says what to do. */
import { numberOf, textOf } from './read-json.ts';

export interface Problem {
  /** A code of the catalogue of errors; `NO_ANSWER` when nobody answered. */
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly retryAfterSeconds: number | undefined;
}

export const noAnswer: Problem = {
  code: 'NO_ANSWER',
  status: 0,
  title: 'No server answers.',
  detail: undefined,
  retryAfterSeconds: undefined,
};

/** It waited for too long, and the viewer may no longer mean it: a server may be there again. */
export const leftUnsent: Problem = {
  ...noAnswer,
  code: 'LEFT_UNSENT',
  title: 'No server answered in time: try again.',
};

export const signedInAnew: Problem = {
  ...noAnswer,
  code: 'SIGNED_IN_ANEW',
  title: 'You have signed in anew since: try again.',
};

/** @param retryAfter the header of that name, which an answer over the socket does not have */
export function readProblem(body: unknown, status: number, retryAfter?: string | null): Problem {
  const header = Number(retryAfter ?? Number.NaN);
  return {
    code: textOf(body, 'code') ?? (status === 401 ? 'UNAUTHENTICATED' : 'INTERNAL'),
    status: numberOf(body, 'status') ?? status,
    title: textOf(body, 'title') ?? 'The server refused it.',
    detail: textOf(body, 'detail'),
    retryAfterSeconds: Number.isFinite(header) ? header : numberOf(body, 'retryAfterSeconds'),
  };
}

const words: Readonly<Record<string, string>> = {
  NO_ANSWER: 'No server answers. Check your connection, then try again.',
  BANNED: 'You may not comment here.',
  ACCOUNT_NEEDED: 'Only accounts may comment here: sign in.',
  COMMENTS_CLOSED: 'The comments are switched off.',
  FORBIDDEN: 'You are not allowed to do that.',
  UNAUTHENTICATED: 'Your sign-in is no longer valid: sign in again.',
  COMMENT_NOT_FOUND: 'That comment is gone.',
  COMMENT_EXPIRED: 'It was written too long ago: try again.',
  CONFLICT: 'It was sent with other words before: write it anew.',
  DUPLICATE_TEXT: 'You have just said that: say something else.',
  TEXT_REFUSED: 'These words are not allowed here: change them.',
  BAD_REQUEST: 'The server cannot take this: change it and try again.',
  BODY_TOO_LARGE: 'It is too long: shorten it.',
  PARENT_NOT_HERE: 'The comment that you answer is not here yet: try again in a few seconds.',
  STREAM_REMOVED: 'This broadcast was removed.',
  STREAM_NOT_FOUND: 'There is no such broadcast.',
  OVERLOADED: 'Too many write at once: try again in a moment.',
  STORE_FULL: 'The server has no room for more: try again later.',
  UNAVAILABLE: 'The server cannot take it now: try again.',
};

/** @param waitSeconds how long it is still to be waited for */
export function problemWords(problem: Problem, waitSeconds = problem.retryAfterSeconds): string {
  const wait = waitSeconds === undefined || waitSeconds <= 0 ? '' : ` in ${secondsText(waitSeconds)}`;
  if (problem.code === 'SLOW_MODE') return `Slow mode is on: try again${wait}.`;
  if (problem.code === 'TOO_MANY_COMMENTS') return `That was too fast: try again${wait}.`;
  if (problem.code === 'BAD_REQUEST') return problem.detail ?? words['BAD_REQUEST'] ?? problem.title;
  return Object.hasOwn(words, problem.code) ? (words[problem.code] ?? problem.title) : problem.title;
}

export function secondsText(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  return whole < 90 ? `${whole} s` : `${Math.ceil(whole / 60)} min`;
}

/** What may go through by itself a little later. */
export function isPassing({ code, status }: Problem): boolean {
  return (
    ['NO_ANSWER', 'OVERLOADED', 'UNAVAILABLE', 'PARENT_NOT_HERE', 'INTERNAL'].includes(code) || status >= 500
  );
}
