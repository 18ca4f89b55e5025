/**
 * What simulated users of the audience asked, were answered and were told, in the order in which it happened to them. `check-history.ts`
 * judges it.
 */
import type { Place } from './place.ts';

/** A comment as somebody was shown it. */
export interface Seen extends Place {
  readonly author: string;
  readonly text: string;
  readonly hidden: boolean;
  readonly likes: number;
}

interface Happening {
  /** By one clock for the whole history, which never goes back. */
  readonly atMs: number;
  readonly user: string;
}

/** A comment leaves. The same one may be sent again, by another way and to another edge. */
export interface Sent extends Happening {
  readonly kind: 'sent';
  readonly clientId: string;
  readonly text: string;
}

export interface Acknowledged extends Happening {
  readonly kind: 'acknowledged';
  readonly clientId: string;
  readonly id: string;
  readonly createdAtMs: number;
}

/** The last word on it: it was not taken, and is not sent again. */
export interface Refused extends Happening {
  readonly kind: 'refused';
  readonly clientId: string;
  readonly code: string;
}

/** No answer came: it may have been taken all the same. */
export interface Unanswered extends Happening {
  readonly kind: 'unanswered';
  readonly clientId: string;
}

export interface Joined extends Happening {
  readonly kind: 'joined';
  readonly edge: string;
  readonly resume: 'complete' | 'gap' | 'behind';
}

export interface Left extends Happening {
  readonly kind: 'left';
}

/** A message of the live socket. */
export interface Told extends Happening {
  readonly kind: 'told';
  readonly message: 'comment' | 'commentUpdated';
  readonly comment: Seen;
}

/** A page of comments, by HTTP. */
export interface Read extends Happening {
  readonly kind: 'read';
  readonly edge: string;
  readonly askedAtMs: number;
  readonly order: 'newestFirst' | 'oldestFirst';
  /** Exclusive. Where the page was asked to begin; undefined: with the newest. */
  readonly from: Place | undefined;
  /** There is more in that direction. */
  readonly hasMore: boolean;
  readonly items: readonly Seen[];
  /** After everything was over: all that there is. */
  readonly isLast: boolean;
}

/** Asked, and then answered or not. What was asked and not answered may have happened. */
export interface Moderation extends Happening {
  readonly kind: 'moderation';
  readonly act: 'hide' | 'restore';
  readonly id: string;
  readonly step: 'asked' | 'done' | 'unanswered';
}

/** A user's likes of one comment follow each other: none is asked before the one before it was answered, or given up. */
export interface Like extends Happening {
  readonly kind: 'like';
  readonly id: string;
  readonly isOn: boolean;
  readonly step: 'asked' | 'done' | 'unanswered' | 'refused';
}

/** The user has stayed to the end, was connected, and all that was under way had time to come. */
export interface Settled extends Happening {
  readonly kind: 'settled';
}

/** The user was not connected in the end, or waited for something still. */
export interface Away extends Happening {
  readonly kind: 'away';
}

export type HistoryEvent =
  | Sent
  | Acknowledged
  | Refused
  | Unanswered
  | Joined
  | Left
  | Told
  | Read
  | Moderation
  | Like
  | Settled
  | Away;

export type History = readonly HistoryEvent[];
