/** What the node's main thread and the thread of its comments' database say to each other. Both are of one build. */
import type { UserId } from '../../../../cluster/model/ids.ts';
import type { AudienceStore } from '../audience-store.ts';
import type { ChangeStore } from '../change-store.ts';
import type { Erasure } from '../moderation-store.ts';
import type { ErrorCode } from '../../../../cluster/errors/catalogue.ts';

/** What they are given says when an act is, by whatever clock. When this host makes the change is told beside it. */
export type TimedName = 'setHidden' | 'withdraw' | 'report' | 'release';
type Timed<Call> = Call extends (...args: infer Args) => infer Result
  ? (...args: [...args: Args, nowMs: number]) => Result
  : never;
type TimedCalls = { readonly [K in TimedName]: Timed<AudienceStore[K]> };

interface Calls extends Omit<AudienceStore, 'close' | 'eraseUser' | TimedName>, TimedCalls, ChangeStore {
  /** A part of `eraseUser`: so many comments that other calls have their turn. @returns those of this part; none when all are erased */
  eraseSome(user: UserId, atMs: number, nowMs: number): Promise<Erasure>;
}

export type CallName = keyof Calls;
export type CallArgs = { readonly [K in CallName]: Parameters<Calls[K]> };
export type CallResults = { readonly [K in CallName]: Awaited<ReturnType<Calls[K]>> };

/** The calls as the thread carries them out: SQLite is synchronous. */
export type Operations = { readonly [K in CallName]: (...args: CallArgs[K]) => CallResults[K] };

/** As the thread gets it: the arguments are those of the name. */
export type Call<K extends CallName = CallName> = {
  [P in K]: { readonly id: number; readonly name: P; readonly args: CallArgs[P] };
}[K];

/** As it is sent. */
export interface SentCall {
  readonly id: number;
  readonly name: CallName;
  readonly args: CallArgs[CallName];
}

/** What changes nothing is done at once; all else waits for its transaction. */
export const isWrite: Readonly<Record<CallName, boolean>> = {
  add: true,
  get: false,
  newest: false,
  following: false,
  arrivedSince: false,
  setHidden: true,
  withdraw: true,
  mode: false,
  setMode: true,
  audit: true,
  thread: false,
  replies: false,
  like: true,
  likes: false,
  likedBy: false,
  lastActMs: false,
  ban: true,
  unban: true,
  banOf: false,
  bans: false,
  report: true,
  release: true,
  listed: false,
  audited: false,
  latestOf: false,
  eraseSome: true,
  keepReactions: true,
  reactions: false,
  changes: false,
  noteTaken: true,
  cursor: true,
  numberSome: true,
  unerased: false,
  takeChanges: true,
  wholeTo: false,
  takenBy: false,
  lastChange: false,
  behind: false,
};

/** Writes that change nothing which other regions have to know, or that came from them. */
export const ofRegions: ReadonlySet<CallName> = new Set(['noteTaken', 'cursor', 'numberSome', 'takeChanges']);

export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  /** Only an operator can end it: trying again is in vain. */
  readonly isLasting?: boolean;
}

export type Order<C = Call> =
  | { readonly kind: 'read'; readonly call: C }
  /** All of them in one transaction. */
  | { readonly kind: 'write'; readonly calls: readonly C[] }
  | { readonly kind: 'close' };

export type Answer =
  | { readonly kind: 'done'; readonly id: number; readonly result: CallResults[CallName] }
  | { readonly kind: 'failed'; readonly id: number; readonly fault: Fault }
  /** Nothing was done, because another process writes: it may be asked again. */
  | { readonly kind: 'busy'; readonly id: number };

export type News =
  | { readonly kind: 'opened' }
  /** Another process opens the file just now: it may be tried again. */
  | { readonly kind: 'openedByAnother' }
  | { readonly kind: 'refused'; readonly fault: Fault }
  | { readonly kind: 'answers'; readonly answers: readonly Answer[] };
