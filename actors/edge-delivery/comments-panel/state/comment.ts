/** Comments, people and modes as the page reads them from answers and frames. */
import { fieldOf, flagOf, listOf, numberOf, textOf, timeOf } from './read-json.ts';

export interface Author {
  readonly id: string;
  readonly name: string;
  readonly isStaff: boolean;
}

export interface PageComment {
  readonly id: string;
  readonly author: Author;
  readonly text: string;
  readonly createdAtMs: number;
  readonly parentId: string | undefined;
  /** The comment that its thread begins with; undefined for that one itself. */
  readonly rootId: string | undefined;
  readonly depth: number;
  readonly replies: number;
  readonly likes: number;
  /** Undefined where nobody asked. */
  readonly isLikedByMe: boolean | undefined;
  readonly isHidden: boolean;
  readonly isHeld: boolean;
  /** How many reported it; for moderators. */
  readonly reports: number;
  readonly isReplicated: boolean;
}

export interface CommentsPage {
  readonly items: readonly PageComment[];
  readonly nextCursor: string | undefined;
  /** Another region is said to keep copies. */
  readonly hasReplication: boolean;
  /** Until when the page's region knows what others have; undefined: until now. */
  readonly knownToMs: number | undefined;
}

export interface Mode {
  readonly mode: 'open' | 'accounts' | 'closed';
  readonly slowSeconds: number;
}
export const openMode: Mode = { mode: 'open', slowSeconds: 0 };

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly isGuest: boolean;
  readonly permissions: readonly string[];
  /** The only stream that the token is for. */
  readonly stream: string | undefined;
}

export function readComment(value: unknown): PageComment | undefined {
  const author = fieldOf(value, 'author');
  const id = textOf(value, 'id');
  const authorId = textOf(author, 'id');
  const createdAtMs = timeOf(value, 'createdAt');
  if (id === undefined || authorId === undefined || createdAtMs === undefined) return undefined;
  const liked = fieldOf(value, 'likedByMe');
  return {
    id,
    author: { id: authorId, name: textOf(author, 'name') ?? '', isStaff: flagOf(author, 'isStaff') },
    text: textOf(value, 'text') ?? '',
    createdAtMs,
    parentId: textOf(value, 'parentId'),
    rootId: textOf(value, 'rootId'),
    depth: numberOf(value, 'depth') ?? 0,
    replies: numberOf(value, 'replies') ?? 0,
    likes: numberOf(value, 'likes') ?? 0,
    isLikedByMe: typeof liked === 'boolean' ? liked : undefined,
    isHidden: flagOf(value, 'hidden'),
    isHeld: flagOf(value, 'isHeld'),
    reports: numberOf(value, 'reports') ?? 0,
    isReplicated: textOf(value, 'acknowledged') === 'replicated',
  };
}

export function readPage(value: unknown): CommentsPage {
  const items = listOf(fieldOf(value, 'items')).flatMap((item) => readComment(item) ?? []);
  const hasReplication = flagOf(value, 'replication');
  const knownToMs = timeOf(value, 'knownTo');
  return { items, nextCursor: textOf(value, 'nextCursor'), hasReplication, knownToMs };
}

const modes = ['open', 'accounts', 'closed'] as const;

export function readMode(value: unknown): Mode | undefined {
  const mode = modes.find((one) => one === fieldOf(value, 'mode'));
  return mode === undefined ? undefined : { mode, slowSeconds: numberOf(value, 'slowSeconds') ?? 0 };
}

/** Reads an `Identity`. */
export function readPerson(value: unknown): Person | undefined {
  const user = fieldOf(value, 'user');
  const id = textOf(user, 'id');
  if (id === undefined) return undefined;
  return {
    id,
    name: textOf(user, 'name') ?? '',
    isGuest: textOf(user, 'kind') !== 'account',
    permissions: listOf(fieldOf(value, 'permissions')).filter((one) => typeof one === 'string'),
    stream: textOf(value, 'stream'),
  };
}

/** A place in the order of comments. */
export type Place = Pick<PageComment, 'createdAtMs' | 'id'>;

/** Everywhere comments are in this order: by time, then by id (A2). */
export function compareComments(left: Place, right: Place): number {
  if (left.createdAtMs !== right.createdAtMs) return left.createdAtMs - right.createdAtMs;
  if (left.id === right.id) return 0;
  return left.id < right.id ? -1 : 1;
}
