/** Says what an owner's answer means for a session (C2). */
import { InputReply } from '../../../cluster/contract/stream-actions.ts';
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';

/** Another session has the stream, or the key is gone: this session must go. */
export const isTakenAway = (code: ErrorCode): boolean =>
  ['STREAM_BUSY', 'PUBLISHER_BLOCKED', 'STREAM_NOT_FOUND', 'STREAM_REMOVED', 'STREAM_KEY_UNKNOWN'].includes(
    code,
  );

/** Another node owns the stream: the session must attach again. */
export const isOtherOwner = (code: ErrorCode): boolean =>
  ['NOT_OWNER', 'STALE_EPOCH', 'FENCED'].includes(code);

const stateOf = (reply: unknown): unknown =>
  typeof reply === 'object' && reply !== null && 'state' in reply ? reply.state : undefined;

/** Whether the owner accepted the offer, so that the log must show it in a moment. */
export const isAcceptedReply = (reply: unknown): boolean => stateOf(reply) === 'accepted';

/** Undefined when the owner said nothing. */
export const inputReplyOf = (reply: unknown): InputReply | undefined => InputReply.safeParse(reply).data;

/** Whether an offer came behind a published gap, or behind its period, and is of no use any more (C9). */
export const isLateReply = (reply: unknown): boolean => stateOf(reply) === 'late';
