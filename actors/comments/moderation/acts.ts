/** What all acts of moderation share: who acts, the row of the audit before the act, and what is told after it (A12). */
import type { Comment, Identity, Permission } from '../../../cluster/contract/api/audience-views.ts';
import { allStreams } from '../../../cluster/contract/api/moderation-views.ts';
import type { Caller } from '../../../cluster/contract/api/routes.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { CommentId, StreamId } from '../../../cluster/model/ids.ts';
import { mustHaveCaller } from '../callers.ts';
import type { CommentPorts } from '../comment-ports.ts';
import { viewOf } from '../comment-view.ts';
import type { Guards } from '../guards/guards.ts';
import { mustBeAllowed } from '../identity/permissions.ts';
import type { AuditRow, StoredComment } from '../store/comment-store.ts';
import type { ActedOn } from '../store/moderation-store.ts';
import type { Streams } from '../streams.ts';

export interface ActPorts extends CommentPorts {
  readonly guards: Guards;
  readonly streams: Streams;
}

export class Acts {
  readonly #ports: ActPorts;

  constructor(ports: ActPorts) {
    this.#ports = ports;
  }

  /** @throws TangazaError `TOO_MANY_COMMENTS`, `UNAUTHENTICATED` */
  async identified(sender: Caller | undefined): Promise<Identity> {
    const { guards, identities, clock } = this.#ports;
    const caller = mustHaveCaller(sender);
    guards.enterToAct(caller.network, clock.utcMs());
    return identities.identify(caller);
  }

  /**
   * Who has that permission on a stream and is not banned there.
   *
   * @param stream undefined for what concerns all streams
   * @throws TangazaError `TOO_MANY_COMMENTS`, `UNAUTHENTICATED`, `FORBIDDEN`, `BANNED`
   */
  async allowed(
    sender: Caller | undefined,
    permission: Permission,
    stream: StreamId | undefined,
  ): Promise<Identity> {
    const { streams, clock } = this.#ports;
    const identity = await this.identified(sender);
    mustBeAllowed(identity, permission, stream);
    await streams.mustNotBeBanned(stream ?? allStreams, identity.user.id, clock.utcMs());
    return identity;
  }

  /** By the clock that all regions go by: of two acts the later one stays (R12). */
  nowMs(): number {
    const { clock, times } = this.#ports;
    return times?.common(clock.utcMs()) ?? clock.utcMs();
  }

  /**
   * When an act is: by that clock, and later than what was done before, whatever the clock that gave that its time. So what a moderator was told
   * is so (A12).
   *
   * @throws TangazaError as the store throws it
   */
  async timeOn(on: ActedOn, nowMs = this.nowMs()): Promise<number> {
    return Math.max(nowMs, (await this.#ports.store.lastActMs(on)) + 1);
  }

  /** Not before anything that was written until now, in whatever region. */
  latestMs(): number {
    const { clock, times } = this.#ports;
    return times?.latest(clock.utcMs()) ?? clock.utcMs();
  }

  /** To be called before the act, so that there is none without a row. */
  audit(row: AuditRow): Promise<void> {
    return this.#ports.store.audit(row);
  }

  /**
   * Writes into the store. Where it has not said whether it took the write, every node is told to look.
   *
   * @throws TangazaError as the store throws it
   */
  async written<Row>(streamId: StreamId, write: Promise<Row>): Promise<Row> {
    try {
      return await write;
    } catch (error) {
      if (errorCodeOf(error) === 'UNAVAILABLE') this.#ports.outlet.told({ kind: 'unsure', streamId });
      throw error;
    }
  }

  /** Tells everybody of a comment that was changed. */
  tell(comment: StoredComment): void {
    this.#ports.outlet.told({ kind: 'changed', comment });
    this.#ports.counts.changed(comment.path);
  }

  viewOf(comment: StoredComment, identity: Identity): Comment {
    const { counts, replication } = this.#ports;
    return viewOf(comment, identity, {
      ...counts.known(comment.id),
      isReplicated: replication.has(comment.id),
    });
  }
}

export function notFound(id: CommentId, more = ''): TangazaError {
  return new TangazaError('COMMENT_NOT_FOUND', `There is no comment ${id} here.${more}`);
}
