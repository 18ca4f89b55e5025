/** The port of identity: who a caller is, the tokens of guests, and the receipts of accepted comments. */
import type { Guest, Identity } from '../../../cluster/contract/api/audience-views.ts';
import type { Caller } from '../../../cluster/contract/api/routes.ts';
import { UserId, type ClientId, type CommentId, type StreamId } from '../../../cluster/model/ids.ts';
import type { CommentBody } from '../store/comment-store.ts';

/** Whoever has the operator's token. No other token stands for this user. */
export const operatorId = UserId.parse('a-operator');

export interface Identities {
  /**
   * Says who a caller is. The operator has every permission, and the id `operatorId`.
   *
   * @throws TangazaError `UNAUTHENTICATED` without a token, and for one that is forged, expired or none of ours; `UNAVAILABLE` when the
   *   keys of accounts cannot be had
   */
  identify(caller: Caller): Promise<Identity>;
  /** Makes a guest of that name, and a token that is good for 30 days. @param name is clean and 1 to 40 characters long */
  createGuest(name: string): Promise<Guest>;
}

/** A comment as the database took it. */
export interface Accepted {
  readonly body: CommentBody;
  readonly isHeld: boolean;
}

/** What its author sends again, with a receipt. */
export interface Resent {
  readonly streamId: StreamId;
  readonly authorId: UserId;
  readonly clientId: ClientId;
  /** Normalised as it was when it was accepted. */
  readonly text: string;
  readonly parentId?: CommentId | undefined;
  readonly mediaTime?: number | undefined;
}

/**
 * A receipt tells any region all of an accepted comment but its text, of which it holds a hash: so a region that lacks its parent, and that
 * has never heard of its author's name, writes the very same row (A2, A6).
 */
export interface Receipts {
  /** @returns at most 2,000 characters */
  sign(accepted: Accepted): Promise<string>;
  /** @returns undefined where no region of ours signed it, it is over 24 hours old, or it is for another comment */
  open(receipt: string, resent: Resent): Promise<Accepted | undefined>;
}
