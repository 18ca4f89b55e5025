/** Hides comments and shows them again, and sets how a stream takes them: who may, does; each act is told and kept in the audit (A12). */
import type { Comment, CommentMode, HideBody, Identity } from '../../cluster/contract/api/audience-views.ts';
import type { CommentParams } from '../../cluster/contract/api/audience-routes.ts';
import type { StreamParams } from '../../cluster/contract/api/control-routes.ts';
import type { Caller, RouteInput } from '../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { CommentId, StreamId } from '../../cluster/model/ids.ts';
import { mustHaveCaller, nameInAudit } from './callers.ts';
import type { CommentPorts } from './comment-ports.ts';
import { isModerator, isShownTo, viewOf } from './comment-view.ts';
import type { Guards } from './guards/guards.ts';
import { mustBeAllowed, mustBeFor } from './identity/permissions.ts';
import { placeOfComment } from './ids/comment-id.ts';
import type { Hiding, StoredComment } from './store/comment-store.ts';
import type { Streams } from './streams.ts';

export interface ModeratingPorts extends CommentPorts {
  readonly guards: Guards;
  readonly streams: Streams;
}

export class Moderating {
  readonly #ports: ModeratingPorts;

  constructor(ports: ModeratingPorts) {
    this.#ports = ports;
  }

  /** @throws TangazaError `FORBIDDEN`, `COMMENT_NOT_FOUND` */
  async hide({ params: { id }, caller }: RouteInput<CommentParams>): Promise<Comment> {
    const { store, clock } = this.#ports;
    const { identity, mayAll, comment } = await this.#found(id, caller);
    const hiding = { by: nameInAudit(identity), atMs: clock.utcMs() };
    if (comment === undefined) {
      if (mayAll) await this.#hideUnseen(id, hiding);
      throw notFound(id, mayAll ? ' If it arrives within 10 minutes, it is hidden.' : '');
    }
    // An author who could hide it anew could also show again what a moderator hid.
    if (comment.hidden !== undefined && (!mayAll || comment.hidden.by === hiding.by))
      return this.#viewOf(comment, identity);
    await this.#audit(comment.streamId, { ...hiding, act: 'comment.hide', on: id });
    return this.#changed(identity, comment, await store.setHidden(id, hiding, hiding.atMs));
  }

  /** @throws TangazaError `FORBIDDEN`, `COMMENT_NOT_FOUND` */
  async restore({
    params: { id },
    body,
    caller,
  }: RouteInput<CommentParams, unknown, HideBody>): Promise<Comment> {
    const { store, clock } = this.#ports;
    const { identity, mayAll, comment } = await this.#found(id, caller);
    if (comment === undefined) throw notFound(id);
    if (comment.hidden === undefined) return this.#viewOf(comment, identity);
    const by = nameInAudit(identity);
    if (!mayAll && comment.hidden.by !== by)
      throw new TangazaError(
        'FORBIDDEN',
        'A moderator hid this comment: only a moderator can show it again.',
      );
    const atMs = clock.utcMs();
    await this.#audit(comment.streamId, { by, atMs, act: 'comment.restore', on: id, ...body });
    return this.#changed(identity, comment, await store.setHidden(id, undefined, atMs));
  }

  /** @throws TangazaError `STREAM_NOT_FOUND`, `STREAM_REMOVED` */
  async mode({ params: { id } }: RouteInput<StreamParams>): Promise<CommentMode> {
    const { streams } = this.#ports;
    await streams.mustExist(id);
    return streams.mode(id);
  }

  /** @throws TangazaError `FORBIDDEN`, `STREAM_NOT_FOUND`, `STREAM_REMOVED` */
  async setMode({
    params: { id },
    body: mode,
    caller,
  }: RouteInput<StreamParams, unknown, CommentMode>): Promise<CommentMode> {
    const { store, streams, outlet, clock } = this.#ports;
    const identity = await this.#identified(caller);
    mustBeAllowed(identity, 'stream.mode', id);
    await streams.mustExist(id);
    const atMs = clock.utcMs();
    const reason = `${mode.mode}, ${mode.slowSeconds} s`;
    await this.#audit(id, { by: nameInAudit(identity), atMs, act: 'stream.mode', on: id, reason });
    await store.setMode(id, mode, atMs);
    streams.heardMode(id, mode);
    outlet.told({ kind: 'mode', streamId: id, mode });
    return mode;
  }

  async #identified(sender: Caller | undefined): Promise<Identity> {
    const { guards, identities, clock } = this.#ports;
    const caller = mustHaveCaller(sender);
    guards.enter(caller.network, clock.utcMs());
    return identities.identify(caller);
  }

  /** Who asks about which comment. Who is neither its author nor a moderator is refused; so the answer tells nothing of what they may not see. */
  async #found(id: CommentId, caller: Caller | undefined) {
    const identity = await this.#identified(caller);
    const { streamId } = placeOfComment(id);
    mustBeFor(identity, streamId);
    const mayAll = isModerator(identity, { streamId });
    const comment = await this.#ports.store.get(id);
    if (comment === undefined || mayAll || comment.author.id === identity.user.id)
      return { identity, mayAll, comment };
    if (!isShownTo(identity, comment)) throw notFound(id);
    throw new TangazaError('FORBIDDEN', 'Only its author and moderators may do that.');
  }

  /** Another node has it, or another region: the hide waits for it (A12). */
  async #hideUnseen(id: CommentId, hiding: Hiding): Promise<void> {
    const { streamId } = placeOfComment(id);
    await this.#audit(streamId, { ...hiding, act: 'comment.hide', on: id });
    const { store, outlet } = this.#ports;
    const comment = await store.setHidden(id, hiding, hiding.atMs);
    if (comment === undefined) outlet.told({ kind: 'hiding', streamId, id, hiding, atMs: hiding.atMs });
    else outlet.told({ kind: 'changed', comment });
  }

  #changed(identity: Identity, before: StoredComment, after: StoredComment | undefined): Comment {
    const comment = after ?? before;
    this.#ports.outlet.told({ kind: 'changed', comment });
    this.#ports.counts.changed(comment.path);
    return this.#viewOf(comment, identity);
  }

  #viewOf(comment: StoredComment, identity: Identity): Comment {
    return viewOf(comment, identity, this.#ports.counts.known(comment.id));
  }

  /** Before the act, so that there is none without a row. */
  #audit(
    streamId: StreamId,
    row: Omit<Parameters<CommentPorts['store']['audit']>[0], 'streamId'>,
  ): Promise<void> {
    return this.#ports.store.audit({ streamId, ...row });
  }
}

function notFound(id: CommentId, more = ''): TangazaError {
  return new TangazaError('COMMENT_NOT_FOUND', `There is no comment ${id} here.${more}`);
}
