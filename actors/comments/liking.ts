/** Likes comments, and takes that back: for each comment a set of users, so each may be done again (A4). */
import type { CommentParams } from '../../cluster/contract/api/audience-params.ts';
import type { LikeQuery } from '../../cluster/contract/api/audience-routes.ts';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { mustHaveCaller } from './callers.ts';
import type { CommentPorts } from './comment-ports.ts';
import { isShownTo } from './comment-view.ts';
import type { Guards } from './guards/guards.ts';
import { mustBeFor } from './identity/permissions.ts';
import { placeOfComment } from './ids/comment-id.ts';
import type { Streams } from './streams.ts';

const mostOffMs = 5000;

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
   * @throws TangazaError `COMMENT_NOT_FOUND`, `BANNED`, `FORBIDDEN`, `COMMENT_EXPIRED`, `TOO_MANY_COMMENTS`, and what the store throws
   */
  async like(input: RouteInput<CommentParams, LikeQuery>, on: boolean): Promise<void> {
    const { guards, identities, store, clock, times, counts, streams } = this.#ports;
    const { id } = input.params;
    const caller = mustHaveCaller(input.caller);
    const nowMs = clock.utcMs();
    guards.enterToAct(caller.network, nowMs);
    const atMs = timeOf(input.query, nowMs);
    const identity = await identities.identify(caller);
    const { streamId } = placeOfComment(id);
    mustBeFor(identity, streamId);
    await streams.mustNotBeBanned(streamId, identity.user.id, nowMs);
    const comment = await store.get(id);
    if (comment === undefined || !isShownTo(identity, comment))
      throw new TangazaError('COMMENT_NOT_FOUND', `There is no comment ${id} here.`);
    // By the clock that all regions go by: one that is off decides nothing (R12).
    await store.like(id, identity.user.id, on, times?.common(atMs) ?? atMs);
    counts.changed([id]);
  }
}

/**
 * When the viewer did so. A node that stood still carries out late what it had received, and the viewer may have done the opposite since, at
 * another node: so what bears its own time counts by that (A4).
 */
function timeOf({ at }: LikeQuery, nowMs: number): number {
  if (at === undefined) return nowMs;
  const atMs = Date.parse(at);
  if (Math.abs(atMs - nowMs) <= mostOffMs) return atMs;
  throw new TangazaError(
    'COMMENT_EXPIRED',
    'This is too long ago, or your clock is wrong: ask again with the time of now.',
  );
}
