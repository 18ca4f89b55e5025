/** What a socket asks of the comments actor: each call with who asks, in time, its answer checked. */
import { Identity, OwnComment } from '../../../cluster/contract/api/audience-views.ts';
import type { Caller, RouteInput } from '../../../cluster/contract/api/routes.ts';
import { commentActions } from '../../../cluster/contract/audience/comment-actions.ts';
import type { StreamId, UserId } from '../../../cluster/model/ids.ts';
import { callerOf, type Access } from '../http/access.ts';
import type { IsTrustedProxy } from '../http/caller.ts';
import type { ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import type { HttpRequest } from '../http/http.ts';
import type { Asked } from './live-socket.ts';

/** Calls an action and gives up in time. @throws TangazaError as the action does, `DEADLINE_EXCEEDED`, `UNAVAILABLE` */
export type CallInTime = (action: string, input: RouteInput) => Promise<unknown>;

export interface Asking {
  readonly stream: StreamId;
  readonly origin: string;
  readonly caller: Caller;
}

interface TokenPart {
  readonly access: Access;
  readonly isTrustedProxy: IsTrustedProxy;
}

const Accepted = OwnComment.pick({ id: true, clientId: true, acknowledged: true, receipt: true });

const inputOf = ({ stream, origin, caller }: Asking, body: unknown): RouteInput => ({
  params: { id: stream },
  query: {},
  body,
  origin,
  caller,
});

/** @throws TangazaError `UNAUTHENTICATED` for a token that is none */
export async function identify(call: CallInTime, asking: Asking): Promise<Identity> {
  return Identity.parse(await call(commentActions.identify, inputOf(asking, undefined)));
}

/** The user whose token came with a request. Undefined without one, and where nobody can say whose it is. */
export const userByToken =
  (call: CallInTime, { access, isTrustedProxy }: TokenPart) =>
  async (request: HttpRequest, stream: StreamId, origin: string): Promise<UserId | undefined> => {
    const caller = callerOf(request, access, isTrustedProxy);
    if (caller.bearer === undefined) return undefined;
    const identity = await identify(call, { stream, origin, caller }).catch(() => undefined);
    return identity?.user.id;
  };

/**
 * Comments, likes, and takes a like back.
 *
 * @returns what its sender is told
 * @throws TangazaError as `POST /v1/streams/{id}/comments` and `PUT /v1/comments/{id}/like` do
 */
export async function ask(call: CallInTime, asking: Asking, deed: Asked): Promise<ServerMessage> {
  if (deed.type === 'comment') {
    const { type: _type, ...body } = deed;
    const answer = await call(commentActions.post, inputOf(asking, body));
    const { clientId, id, acknowledged: state, receipt } = Accepted.parse(answer);
    return { type: 'ack', clientId, state, id, receipt };
  }
  const { id } = deed;
  await call(commentActions[deed.type], { ...inputOf(asking, undefined), params: { id } });
  return { type: 'liked', id, likedByMe: deed.type === 'like' };
}
