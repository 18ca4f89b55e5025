/** What the node's main thread and the thread of its comments' database say to each other. Both are of one build. */
import type { CommentStore } from '../comment-store.ts';
import type { ErrorCode } from '../../../../cluster/errors/catalogue.ts';

type Calls = Omit<CommentStore, 'close'>;
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
  mode: false,
  setMode: true,
  audit: true,
};

export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
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
