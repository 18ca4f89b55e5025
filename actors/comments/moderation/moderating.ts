/** Hides comments and shows them again, and sets how a stream takes them: who may, does; each act is told and kept in the audit (A12). */
import type {
  Comment,
  CommentMode,
  HideBody,
  Identity,
} from '../../../cluster/contract/api/audience-views.ts';
import type { CommentParams } from '../../../cluster/contract/api/audience-params.ts';
import type { StreamParams } from '../../../cluster/contract/api/control-routes.ts';
import type { Caller, RouteInput } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { CommentId } from '../../../cluster/model/ids.ts';
import { mustHaveCaller, nameInAudit } from '../callers.ts';
import { isModerator, isShownTo } from '../comment-view.ts';
import { mustBeFor } from '../identity/permissions.ts';
import { placeOfComment } from '../ids/comment-id.ts';
import type { Hiding, StoredComment } from '../store/comment-store.ts';
import { Acts, notFound, type ActPorts } from './acts.ts';

export class Moderating {
  readonly #ports: ActPorts;
  readonly #acts: Acts;

  constructor(ports: ActPorts) {
    this.#ports = ports;
    this.#acts = new Acts(ports);
  }

  /** @throws TangazaError `FORBIDDEN`, `COMMENT_NOT_FOUND` */
  async hide({ params: { id }, caller }: RouteInput<CommentParams>): Promise<Comment> {
    const { store } = this.#ports;
    const { identity, mayAll, comment } = await this.#found(id, caller);
    const hiding = { by: nameInAudit(identity), atMs: await this.#acts.timeOn({ kind: 'comment', id }) };
    if (comment === undefined) {
      if (mayAll) await this.#hideUnseen(id, hiding);
      throw notFound(id, mayAll ? ' If it arrives within 10 minutes, it is hidden.' : '');
    }
    if (comment.hidden !== undefined && (!mayAll || comment.hidden.by === hiding.by))
      return this.#changed(identity, comment);
    await this.#acts.audit({ streamId: comment.streamId, ...hiding, act: 'comment.hide', on: id });
    const write = mayAll ? store.setHidden(id, hiding, hiding.atMs) : store.withdraw(id, hiding, hiding.atMs);
    return this.#changed(identity, comment, await this.#acts.written(comment.streamId, write));
  }

  /** @throws TangazaError `FORBIDDEN`, `BANNED`, `COMMENT_NOT_FOUND` */
  async restore({
    params: { id },
    body,
    caller,
  }: RouteInput<CommentParams, unknown, HideBody>): Promise<Comment> {
    const { store, clock, streams } = this.#ports;
    const { identity, mayAll, comment } = await this.#found(id, caller);
    if (comment === undefined) throw notFound(id);
    if (comment.hidden === undefined) return this.#changed(identity, comment);
    const by = nameInAudit(identity);
    const atMs = await this.#acts.timeOn({ kind: 'comment', id });
    if (!mayAll) await streams.mustNotBeBanned(comment.streamId, identity.user.id, clock.utcMs());
    if (!mayAll && comment.hidden.by !== by) throw hiddenByModerator();
    await this.#acts.audit({ streamId: comment.streamId, by, atMs, act: 'comment.restore', on: id, ...body });
    const write = mayAll ? store.setHidden(id, undefined, atMs) : this.#showOwn(id, by, atMs);
    const after = await this.#acts.written(comment.streamId, write);
    const view = this.#changed(identity, comment, after);
    // A moderator may have hidden it at the same moment.
    if (view.hidden && !mayAll) throw hiddenByModerator();
    return view;
  }

  /** @throws TangazaError `OVERLOADED`, `STREAM_NOT_FOUND`, `STREAM_REMOVED` */
  async mode({ params: { id }, caller }: RouteInput<StreamParams>): Promise<CommentMode> {
    const { streams, guards, clock } = this.#ports;
    guards.enterToRead(mustHaveCaller(caller).network, clock.utcMs());
    await streams.mustExist(id);
    return streams.mode(id);
  }

  /** @throws TangazaError `FORBIDDEN`, `STREAM_NOT_FOUND`, `STREAM_REMOVED` */
  async setMode({
    params: { id },
    body: mode,
    caller,
  }: RouteInput<StreamParams, unknown, CommentMode>): Promise<CommentMode> {
    const { store, streams, outlet } = this.#ports;
    const identity = await this.#acts.allowed(caller, 'stream.mode', id);
    await streams.mustExist(id);
    const atMs = await this.#acts.timeOn({ kind: 'mode', streamId: id });
    const reason = `${mode.mode}, ${mode.slowSeconds} s`;
    await this.#acts.audit({
      streamId: id,
      by: nameInAudit(identity),
      atMs,
      act: 'stream.mode',
      on: id,
      reason,
    });
    await store.setMode(id, mode, atMs);
    streams.heardMode(id, mode);
    outlet.told({ kind: 'mode', streamId: id, mode });
    return mode;
  }

  /** Who asks about which comment. Who is neither its author nor a moderator is refused; so the answer tells nothing of what they may not see. */
  async #found(id: CommentId, caller: Caller | undefined) {
    const { streams, clock } = this.#ports;
    const { streamId } = placeOfComment(id);
    const asked = await this.#acts.identified(caller);
    mustBeFor(asked, streamId);
    const identity = await streams.standingOf(asked, streamId, clock.utcMs());
    const mayAll = isModerator(identity, { streamId });
    const comment = await this.#ports.store.get(id);
    if (comment === undefined || mayAll || comment.author.id === identity.user.id)
      return { identity, mayAll, comment };
    if (!isShownTo(identity, comment)) throw notFound(id);
    throw new TangazaError('FORBIDDEN', 'Only its author and moderators may do that.');
  }

  /**
   * Its author shows a comment again. A node of before wrote what authors take back where moderators hide (A12): such a hide is ended 1 ms
   * after it was made, so that no act of a moderator since then is undone.
   */
  async #showOwn(id: CommentId, by: Hiding['by'], atMs: number): Promise<StoredComment | undefined> {
    const { store } = this.#ports;
    const after = await store.withdraw(id, undefined, atMs);
    return after?.hidden?.by === by ? store.setHidden(id, undefined, after.hidden.atMs + 1) : after;
  }

  /** Another node has it, or another region: the hide waits for it (A12). */
  async #hideUnseen(id: CommentId, hiding: Hiding): Promise<void> {
    const { streamId } = placeOfComment(id);
    await this.#acts.audit({ streamId, ...hiding, act: 'comment.hide', on: id });
    const { store, outlet, clock } = this.#ports;
    const atMs = clock.utcMs();
    const comment = await this.#acts.written(streamId, store.setHidden(id, hiding, hiding.atMs));
    if (comment === undefined) outlet.told({ kind: 'hiding', streamId, id, hiding, atMs });
    else this.#acts.tell(comment);
  }

  /** Tells also what was so before: the node that made it so may not have heard that it did, and told nobody. */
  #changed(identity: Identity, before: StoredComment, after?: StoredComment): Comment {
    const comment = after ?? before;
    this.#acts.tell(comment);
    return this.#acts.viewOf(comment, identity);
  }
}

const hiddenByModerator = (): TangazaError =>
  new TangazaError('FORBIDDEN', 'A moderator hid this comment: only a moderator can show it again.');
