/** Likes comments, and takes that back: for each comment a set of users, so each may be done again (A4). */
import type { CommentParams } from '../../cluster/contract/api/audience-params.ts';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { mustHaveCaller } from './callers.ts';
import type { CommentPorts } from './comment-ports.ts';
import { isShownTo } from './comment-view.ts';
import type { Guards } from './guards/guards.ts';
import { mustBeFor } from './identity/permissions.ts';
import { placeOfComment } from './ids/comment-id.ts';
import type { Streams } from './streams.ts';

export interface LikingPorts extends CommentPorts {
  readonly guards: Guards;
  readonly streams: Streams;
}

export class Liking {
  readonly #ports: LikingPorts;

  constructor(ports: LikingPorts) {
    this.#ports = ports;
  }

  /**
   * The count follows within a second or two, to everybody at once.
   *
   * @throws TangazaError `COMMENT_NOT_FOUND`, `BANNED`, `FORBIDDEN`, `TOO_MANY_COMMENTS`, and what the store throws
   */
  async like({ params: { id }, caller: sender }: RouteInput<CommentParams>, on: boolean): Promise<void> {
    const { guards, identities, store, clock, counts, streams } = this.#ports;
    const caller = mustHaveCaller(sender);
    const atMs = clock.utcMs();
    guards.enterToAct(caller.network, atMs);
    const identity = await identities.identify(caller);
    const { streamId } = placeOfComment(id);
    mustBeFor(identity, streamId);
    await streams.mustNotBeBanned(streamId, identity.user.id, atMs);
    const comment = await store.get(id);
    if (comment === undefined || !isShownTo(identity, comment))
      throw new TangazaError('COMMENT_NOT_FOUND', `There is no comment ${id} here.`);
    await store.like(id, identity.user.id, on, atMs);
    counts.changed([id]);
  }
}
