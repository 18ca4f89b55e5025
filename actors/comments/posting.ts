/**
 * Takes comments: from the text as it was sent to the row in the database and the answer with its receipt.
 *
 * The order is that of A11: what costs least and what protects most comes first. Who sends a comment again gets the answer of the first time,
 * also where a guard would refuse it now (A2).
 */
import type { Identity, OwnComment, PostCommentBody } from '../../cluster/contract/api/audience-views.ts';
import type { StreamParams } from '../../cluster/contract/api/control-routes.ts';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import { errorCodeOf, TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { CommentId, StreamId } from '../../cluster/model/ids.ts';
import { mustHaveCaller } from './callers.ts';
import type { CommentPorts } from './comment-ports.ts';
import { isShownTo, viewOf } from './comment-view.ts';
import type { Admission, Guards } from './guards/guards.ts';
import { refusal } from './guards/refusal.ts';
import type { Accepted } from './identity/identity.ts';
import { isStaff, mustBeFor } from './identity/permissions.ts';
import { createdAtOf, isTimely } from './ids/client-id.ts';
import { commentIdOf, placeOfComment } from './ids/comment-id.ts';
import type { PostMetrics } from './post-metrics.ts';
import type { CommentBody, StoredComment } from './store/comment-store.ts';
import type { Streams } from './streams.ts';
import { commentText } from './text/comment-text.ts';
import { placeBelow, type ThreadPlace } from './thread-place.ts';

type PostInput = RouteInput<StreamParams, unknown, PostCommentBody>;

export interface PostingPorts extends CommentPorts {
  readonly guards: Guards;
  readonly streams: Streams;
  readonly posted: PostMetrics;
}

/** A comment on its way in, whose author is known. */
interface Draft extends Omit<PostCommentBody, 'text' | 'receipt'> {
  readonly id: CommentId;
  readonly streamId: StreamId;
  readonly identity: Identity;
  /** Clean. */
  readonly text: string;
  readonly nowMs: number;
}

/** The parent may arrive a moment later than its answer. */
const parentWaitMs = 2000;

export class Posting {
  readonly #ports: PostingPorts;

  constructor(ports: PostingPorts) {
    this.#ports = ports;
  }

  /** @throws TangazaError as `postComment` lists them */
  async post(input: PostInput): Promise<OwnComment> {
    const { posted } = this.#ports;
    try {
      return await this.#post(input);
    } catch (error) {
      posted.refused(errorCodeOf(error));
      throw error;
    }
  }

  async #post({ params: { id: streamId }, body, caller: sender }: PostInput): Promise<OwnComment> {
    const { clock, guards, identities, streams } = this.#ports;
    const { receipt, ...sent } = body;
    const text = commentText(sent.text);
    const caller = mustHaveCaller(sender);
    const nowMs = clock.utcMs();
    if (receipt === undefined) guards.enter(caller.network, nowMs);
    else guards.enterAgain(caller.network, nowMs);
    const identity = await identities.identify(caller);
    mustBeFor(identity, streamId);
    streams.prepare(streamId);
    await streams.mustNotBeBanned(streamId, identity.user.id, nowMs);
    await streams.mustExist(streamId);
    const id = commentIdOf({ streamId, authorId: identity.user.id, clientId: sent.clientId });
    const draft = { ...sent, id, streamId, identity, text, nowMs };
    const accepted = receipt === undefined ? undefined : await this.#opened(receipt, draft);
    if (accepted !== undefined && isTimely(createdAtOf(sent.clientId), nowMs, true))
      return this.#store(draft, accepted);
    if (receipt !== undefined) guards.enter(caller.network, nowMs);
    return this.#take(draft);
  }

  /** What a receipt says of this comment. One that is not good is as none. Words may have been replaced before it was signed. */
  async #opened(receipt: string, draft: Draft): Promise<Accepted | undefined> {
    const { receipts, guards } = this.#ports;
    const { streamId, identity, clientId, parentId, mediaTime } = draft;
    const resent = { streamId, authorId: identity.user.id, clientId, parentId, mediaTime };
    const asSent = await receipts.open(receipt, { ...resent, text: draft.text });
    if (asSent !== undefined) return asSent;
    const text = guards.shown(draft.text);
    return text === draft.text ? undefined : receipts.open(receipt, { ...resent, text });
  }

  async #take(draft: Draft): Promise<OwnComment> {
    let admission: Admission;
    try {
      admission = await this.#admitted(draft);
    } catch (refused) {
      return this.#answeredBefore(draft, refused);
    }
    try {
      const place = await this.#placed(draft);
      return await this.#store(draft, {
        body: this.#bodyOf(draft, admission.text, place),
        isHeld: admission.isHeld,
      });
    } catch (error) {
      admission.takeBack();
      throw error;
    }
  }

  async #admitted(draft: Draft): Promise<Admission> {
    const { guards, streams } = this.#ports;
    const { id, streamId, identity, text, nowMs, clientId } = draft;
    if (!isTimely(createdAtOf(clientId), nowMs, false)) throw expired(clientId, nowMs);
    const mode = await streams.mode(streamId);
    const author = identity.user;
    return guards.admit({ id, streamId, author, isStaff: isStaff(identity), text, mode, nowMs });
  }

  /** A comment whose first answer was lost is there: then that answer is given. @throws `refused` where it is not */
  async #answeredBefore(draft: Draft, refused: unknown): Promise<OwnComment> {
    const { store, guards, replication } = this.#ports;
    const { id, text, parentId, mediaTime } = draft;
    const comment = await store.get(id).catch(() => undefined);
    if (comment === undefined) throw refused;
    const isSameText = comment.text === text || comment.text === guards.shown(text);
    if (isSameText && comment.parentId === parentId && comment.mediaTime === mediaTime) {
      replication.watch(comment, undefined);
      return this.#answer(draft, comment);
    }
    throw new TangazaError('CONFLICT', 'This clientId stands for another comment of yours: make a new one.');
  }

  /** @throws TangazaError `BAD_REQUEST`, `PARENT_NOT_HERE`, `COMMENT_NOT_FOUND` */
  async #placed({ parentId, streamId, identity }: Draft): Promise<ThreadPlace> {
    if (parentId === undefined) return placeBelow(undefined);
    if (placeOfComment(parentId).streamId !== streamId)
      throw new TangazaError('BAD_REQUEST', `The comment ${parentId} is on another stream: answer it there.`);
    const parent = await this.#ports.store.get(parentId);
    if (parent === undefined) throw refusal('PARENT_NOT_HERE', undefined, parentWaitMs);
    if (!isShownTo(identity, parent))
      throw new TangazaError('COMMENT_NOT_FOUND', 'The comment that this one answers is not shown any more.');
    return placeBelow(parent);
  }

  #bodyOf(draft: Draft, text: string, place: ThreadPlace): CommentBody {
    const { id, streamId, identity, clientId, mediaTime } = draft;
    const { user } = identity;
    return {
      id,
      streamId,
      author: { id: user.id, name: user.name, ...(isStaff(identity) && { isStaff: true }) },
      clientId,
      text,
      createdAtMs: createdAtOf(clientId),
      ...(mediaTime !== undefined && { mediaTime }),
      ...place,
      region: this.#ports.region,
    };
  }

  async #store(draft: Draft, { body, isHeld }: Accepted): Promise<OwnComment> {
    const { store, outlet, counts, posted, replication } = this.#ports;
    try {
      const { comment, isNew, keptIn } = await store.add(body, { isHeld, nowMs: draft.nowMs });
      if (isNew) {
        outlet.told({ kind: 'added', comment });
        counts.changed(comment.path);
      }
      posted.taken(isNew);
      replication.watch(comment, keptIn);
      return await this.#answer(draft, comment);
    } catch (error) {
      // Whether it was written is not known. Who sends it again finds it there, and then nobody would be told.
      if (errorCodeOf(error) === 'UNAVAILABLE') outlet.told({ kind: 'unsure', streamId: draft.streamId });
      throw error;
    }
  }

  async #answer({ identity, clientId }: Draft, comment: StoredComment): Promise<OwnComment> {
    const { arrivedAtMs: _, changedAtMs: __, hidden: ___, isHeld, ...body } = comment;
    const { receipts, counts, replication } = this.#ports;
    const receipt = await receipts.sign({ body, isHeld });
    const told = { ...counts.known(comment.id), isReplicated: replication.has(comment.id) };
    return { ...viewOf(comment, identity, told), clientId, receipt };
  }
}

function expired(clientId: PostCommentBody['clientId'], nowMs: number): TangazaError {
  const [written, now] = [createdAtOf(clientId), nowMs].map((ms) => new Date(ms).toISOString());
  return new TangazaError(
    'COMMENT_EXPIRED',
    `By its clientId the comment was written at ${written}, and it is ${now} here: make a new one with the time of GET /v1/time.`,
  );
}
