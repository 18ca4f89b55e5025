/** Takes reports of comments, and releases what waits for a moderator (A12). */
import type { Comment, HideBody } from '../../../cluster/contract/api/audience-views.ts';
import type { CommentParams } from '../../../cluster/contract/api/audience-params.ts';
import type { ReportBody } from '../../../cluster/contract/api/moderation-views.ts';
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { mustHaveCaller, nameInAudit } from '../callers.ts';
import { isShownTo } from '../comment-view.ts';
import { mustBeFor } from '../identity/permissions.ts';
import { placeOfComment } from '../ids/comment-id.ts';
import { reportsThatHold } from '../store/moderation-store.ts';
import { Acts, notFound, type ActPorts } from './acts.ts';

export class Reporting {
  readonly #ports: ActPorts;
  readonly #acts: Acts;

  constructor(ports: ActPorts) {
    this.#ports = ports;
    this.#acts = new Acts(ports);
  }

  /** @throws TangazaError `COMMENT_NOT_FOUND`, `BANNED`, `FORBIDDEN`, `BAD_REQUEST`, and what the store throws */
  async report({
    params: { id },
    body,
    caller,
  }: RouteInput<CommentParams, unknown, ReportBody>): Promise<void> {
    const { store, clock, streams, voices } = this.#ports;
    const identity = await this.#acts.identified(caller);
    const { streamId } = placeOfComment(id);
    mustBeFor(identity, streamId);
    await streams.mustNotBeBanned(streamId, identity.user.id, clock.utcMs());
    const before = await store.get(id);
    if (before === undefined || !isShownTo(identity, before)) throw notFound(id);
    if (before.author.id === identity.user.id)
      throw new TangazaError('BAD_REQUEST', 'This comment is your own: hide it instead.');
    const voice = voices.voiceOf(identity.user, mustHaveCaller(caller).network, id);
    const atMs = await this.#acts.timeOn({ kind: 'comment', id });
    const report = { commentId: id, by: identity.user.id, voice, atMs, ...body };
    const after = await this.#acts.written(streamId, store.report(report, reportsThatHold));
    if (after !== undefined && after.isHeld !== before.isHeld) this.#acts.tell(after);
  }

  /** @throws TangazaError `COMMENT_NOT_FOUND`, `FORBIDDEN`, and what the store throws */
  async release({
    params: { id },
    body,
    caller,
  }: RouteInput<CommentParams, unknown, HideBody>): Promise<Comment> {
    const { store } = this.#ports;
    const { streamId } = placeOfComment(id);
    const identity = await this.#acts.allowed(caller, 'comment.release', streamId);
    const before = await store.get(id);
    if (before === undefined) throw notFound(id);
    if (!before.isHeld && before.reports === undefined) {
      this.#acts.tell(before);
      return this.#acts.viewOf(before, identity);
    }
    const atMs = await this.#acts.timeOn({ kind: 'comment', id });
    await this.#acts.audit({
      streamId,
      atMs,
      by: nameInAudit(identity),
      act: 'comment.release',
      on: id,
      ...body,
    });
    const after = (await this.#acts.written(streamId, store.release(id, atMs))) ?? before;
    this.#acts.tell(after);
    return this.#acts.viewOf(after, identity);
  }
}
