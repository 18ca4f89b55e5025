/** What an owner tells a session that reports its input (C2): where the log stands, and of its twin. */
import type { InputReply } from '../../cluster/contract/stream-actions.ts';
import type { NodeId, SessionId } from '../../cluster/model/ids.ts';
import type { OwnerState } from './owner/owner-state.ts';
import { isSending } from './owner/sessions.ts';

interface Asking {
  readonly session: SessionId;
  /** Whether that node stays in the cluster. */
  readonly isStaying: (node: NodeId) => boolean;
  readonly nowMs: number;
}

/** Says nothing of a twin to a session that the owner does not know. */
export function inputReplyOf(state: OwnerState, { session, isStaying, nowMs }: Asking): InputReply {
  const { sessions, self, lastSequence: sequence } = state;
  const known = sessions.find(({ id }) => id === session);
  const others = sessions.filter((one) => one !== known && one.isActive);
  const feedsElsewhere =
    known !== undefined &&
    others.some((one) => one.node !== known.node && isStaying(one.node) && isSending(one, nowMs));
  if (known === undefined) return { sequence, feedsElsewhere };
  const hasTwin = others.some(({ node }) => node !== self.node);
  return { sequence, feedsElsewhere, hasTwin };
}
