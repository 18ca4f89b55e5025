/** What a session makes of its owner's answers (C2). */
import { InputReply } from '../../../cluster/contract/stream-actions.ts';
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';

/** Another session has the stream: this one goes. */
export const isTakenAway = (code: ErrorCode): boolean =>
  ['STREAM_BUSY', 'PUBLISHER_BLOCKED', 'STREAM_NOT_FOUND', 'STREAM_REMOVED', 'STREAM_KEY_UNKNOWN'].includes(
    code,
  );

/** Another node owns the stream: attach again. */
export const isOtherOwner = (code: ErrorCode): boolean =>
  ['NOT_OWNER', 'STALE_EPOCH', 'FENCED'].includes(code);

const stateOf = (reply: unknown): unknown =>
  typeof reply === 'object' && reply !== null && 'state' in reply ? reply.state : undefined;

/** What was accepted is to be in the log in a moment. */
export const isAcceptedReply = (reply: unknown): boolean => stateOf(reply) === 'accepted';

/** Undefined from an owner that says nothing. */
export const inputReplyOf = (reply: unknown): InputReply | undefined => InputReply.safeParse(reply).data;

/** What comes behind a published gap, or behind the period, is of no use any more (C9). */
export const isLateReply = (reply: unknown): boolean => stateOf(reply) === 'late';
