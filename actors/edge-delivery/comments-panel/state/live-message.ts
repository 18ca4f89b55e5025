/** Reads the frames of the live socket, subprotocol `tangaza.v1`: each is an array of messages (A8). Unknown messages are left out. */
import {
  readComment,
  readMode,
  readPerson,
  type Mode,
  type PageComment,
  type Person,
  type Place,
} from './comment.ts';
import { olderOf } from './comment-list.ts';
import { readProblem, type Problem } from './problem.ts';
import { reactions, type GivenReactions, type ReactionSums } from './reaction-tally.ts';
import { fieldOf, flagOf, listOf, numberOf, parseJson, textOf, timeOf } from './read-json.ts';

export const protocol = 'tangaza.v1';

/** How many like a comment, and how many answers are below it. */
export interface Counts {
  readonly id: string;
  readonly likes: number;
  readonly replies: number;
}

/** What the page says when it comes back after that frame. */
export interface LeftOff {
  /** Until when everything has been told. */
  readonly lastAt: string;
  /** Until when everything of this region has been told, where that is more. */
  readonly inRegion?: { readonly region: string; readonly knownTo: string };
}

export type LiveMessage =
  | { readonly kind: 'time'; readonly atMs: number; readonly leftOff: LeftOff }
  | {
      readonly kind: 'welcome';
      readonly viewers: number;
      readonly hasReplication: boolean;
      readonly url: string | undefined;
      /** False: what came meanwhile has to be read by HTTP. */
      readonly isComplete: boolean;
      readonly gapFromMs: number | undefined;
      readonly mode: Mode | undefined;
      readonly me: Person | undefined;
    }
  | { readonly kind: 'comment' | 'commentUpdated'; readonly comment: PageComment }
  | { readonly kind: 'counts'; readonly counts: readonly Counts[] }
  | ({ readonly kind: 'reactions' } & GivenReactions)
  /** `gapFromMs`: from when on comments may be missing, by their own time. */
  | { readonly kind: 'gap'; readonly gapFromMs: number | undefined }
  | { readonly kind: 'mode'; readonly mode: Mode }
  | { readonly kind: 'viewers'; readonly count: number }
  | {
      readonly kind: 'ack';
      readonly clientId: string;
      readonly isReplicated: boolean;
      readonly id: string;
      readonly receipt: string | undefined;
    }
  | { readonly kind: 'liked'; readonly id: string; readonly isLiked: boolean }
  | { readonly kind: 'move'; readonly url: string; readonly withinMs: number }
  | {
      readonly kind: 'error';
      /** The type of the message that it answers. */
      readonly to: string | undefined;
      readonly clientId: string | undefined;
      readonly id: string | undefined;
      readonly problem: Problem;
    }
  | { readonly kind: 'pong' };

export function readFrame(data: unknown): readonly LiveMessage[] {
  if (typeof data !== 'string') return [];
  return listOf(parseJson(data)).flatMap((message) => readMessage(message) ?? []);
}

/**
 * Where a page may begin to lack something, by what a frame told. Comments of another region arrive behind younger ones, so that may be far
 * ahead of the newest one that the page has.
 *
 * @param newest of the page, ahead of the frame
 */
export function gapIn(messages: readonly LiveMessage[], newest: Place | undefined): Place | undefined {
  return messages
    .flatMap((message) => ('gapFromMs' in message ? (message.gapFromMs ?? []) : []))
    .map((createdAtMs): Place => ({ createdAtMs, id: '' }))
    .reduce<Place | undefined>(olderOf, newest);
}

type Reader = (message: unknown) => LiveMessage | undefined;

const readers: Readonly<Record<string, Reader>> = {
  time: (message) => {
    const atMs = timeOf(message, 'now');
    return atMs === undefined ? undefined : { kind: 'time', atMs, leftOff: leftOffOf(message, atMs) };
  },
  welcome: (message) => ({
    kind: 'welcome',
    viewers: numberOf(message, 'viewers') ?? 0,
    hasReplication: flagOf(message, 'replication'),
    url: textOf(message, 'url'),
    isComplete: fieldOf(message, 'resume') === 'complete',
    gapFromMs: timeOf(fieldOf(fieldOf(message, 'resume'), 'gap'), 'from'),
    mode: readMode(fieldOf(message, 'mode')),
    me: readPerson(fieldOf(message, 'me')),
  }),
  comment: (message) => commentOf(message, 'comment'),
  commentUpdated: (message) => commentOf(message, 'commentUpdated'),
  counts: (message) => ({
    kind: 'counts',
    counts: listOf(fieldOf(message, 'counts')).map((one) => ({
      id: textOf(one, 'id') ?? '',
      likes: numberOf(one, 'likes') ?? 0,
      replies: numberOf(one, 'replies') ?? 0,
    })),
  }),
  reactions: (message) => {
    const bySecond = Object.entries(fieldOf(message, 'bySecond') ?? {});
    return {
      kind: 'reactions',
      sums: sumsOf(fieldOf(message, 'counts')),
      bySecond: bySecond.map(([second, counts]) => ({ second: Number(second), sums: sumsOf(counts) })),
    };
  },
  gap: (message) => ({ kind: 'gap', gapFromMs: timeOf(message, 'from') }),
  mode: (message) => {
    const mode = readMode(fieldOf(message, 'mode'));
    return mode === undefined ? undefined : { kind: 'mode', mode };
  },
  viewers: (message) => ({ kind: 'viewers', count: numberOf(message, 'count') ?? 0 }),
  ack: (message) => {
    const clientId = textOf(message, 'clientId');
    const id = textOf(message, 'id');
    if (clientId === undefined || id === undefined) return undefined;
    const isReplicated = textOf(message, 'state') === 'replicated';
    return { kind: 'ack', clientId, isReplicated, id, receipt: textOf(message, 'receipt') };
  },
  liked: (message) => {
    const id = textOf(message, 'id');
    return id === undefined ? undefined : { kind: 'liked', id, isLiked: flagOf(message, 'likedByMe') };
  },
  move: (message) => {
    const url = textOf(message, 'url');
    return url === undefined
      ? undefined
      : { kind: 'move', url, withinMs: numberOf(message, 'withinMs') ?? 0 };
  },
  error: (message) => {
    const problem = readProblem(fieldOf(message, 'problem'), 0);
    const [to, clientId, id] = ['to', 'clientId', 'id'].map((name) => textOf(message, name));
    return { kind: 'error', to, clientId, id, problem };
  },
  pong: () => ({ kind: 'pong' }),
};

function readMessage(message: unknown): LiveMessage | undefined {
  const type = textOf(message, 'type') ?? '';
  return Object.hasOwn(readers, type) ? readers[type]?.(message) : undefined;
}

function leftOffOf(message: unknown, atMs: number): LeftOff {
  const lastAt = isoOf(timeOf(message, 'knownTo') ?? atMs);
  const told = fieldOf(message, 'inRegion');
  const [region, toMs] = [textOf(told, 'region'), timeOf(told, 'knownTo')];
  if (region === undefined || toMs === undefined) return { lastAt };
  return { lastAt, inRegion: { region, knownTo: isoOf(toMs) } };
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

function sumsOf(counts: unknown): ReactionSums {
  const told = reactions.map(({ kind }) => [kind, numberOf(counts, kind) ?? 0] as const);
  return Object.fromEntries(told.filter(([, count]) => count > 0));
}

function commentOf(message: unknown, kind: 'comment' | 'commentUpdated'): LiveMessage | undefined {
  const comment = readComment(fieldOf(message, 'comment'));
  return comment === undefined ? undefined : { kind, comment };
}
