/** Shows what moderators did, and erases users (A12). */
import type { UserParams, AuditQuery } from '../../../cluster/contract/api/moderation-routes.ts';
import {
  allStreams,
  type AuditEntry,
  type AuditPage,
  type EraseBody,
  type Erased,
} from '../../../cluster/contract/api/moderation-views.ts';
import type { StreamParams } from '../../../cluster/contract/api/control-routes.ts';
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { nameInAudit } from '../callers.ts';
import type { AuditRow } from '../store/comment-store.ts';
import { Acts, type ActPorts } from './acts.ts';
import { cursorOfAudit, rowOfCursor } from './audit-cursor.ts';

export class Recording {
  readonly #ports: ActPorts;
  readonly #acts: Acts;

  constructor(ports: ActPorts) {
    this.#ports = ports;
    this.#acts = new Acts(ports);
  }

  /** What concerns all streams is the audit of `all-streams`. @throws TangazaError `FORBIDDEN`, `BAD_REQUEST`, and what the store throws */
  async audit({ params: { id }, query, caller }: RouteInput<StreamParams, AuditQuery>): Promise<AuditPage> {
    const { store } = this.#ports;
    await this.#acts.allowed(caller, 'audit.read', id === allStreams ? undefined : id);
    const { limit, cursor } = query;
    const before = cursor === undefined ? undefined : rowOfCursor(id, cursor);
    if (cursor !== undefined && before === undefined)
      throw new TangazaError(
        'BAD_REQUEST',
        'The cursor is none of this audit: pass a nextCursor as it was given.',
      );
    const rows = await store.audited(id, limit + 1, before);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const items = page.map(viewOfRow);
    return rows.length > limit && last !== undefined ? { items, nextCursor: cursorOfAudit(last) } : { items };
  }

  /**
   * For good: nothing undoes it. What pages have shown of it they are told to forget, at every node.
   *
   * @throws TangazaError `FORBIDDEN`, and what the store throws
   */
  async erase({
    params: { id: user },
    body,
    caller,
  }: RouteInput<UserParams, unknown, EraseBody>): Promise<Erased> {
    const { store, outlet, mustBeEverywhere } = this.#ports;
    const identity = await this.#acts.allowed(caller, 'user.erase', undefined);
    const by = nameInAudit(identity);
    await this.#acts.audit({
      streamId: allStreams,
      atMs: this.#acts.nowMs(),
      by,
      act: 'user.erase',
      on: user,
      ...body,
    });
    const atMs = this.#acts.latestMs();
    // Where not all is erased yet, it is asked for again: meanwhile nobody reads it from a ring.
    const erased = await store.eraseUser(user, atMs).finally(() => {
      outlet.told({ kind: 'erased', streamId: allStreams, userId: user, atMs });
    });
    // Pages may show more than rings hold.
    for (const streamId of erased.streams) outlet.told({ kind: 'unsure', streamId });
    await mustBeEverywhere?.();
    return { comments: erased.comments };
  }
}

function viewOfRow({ atMs, by, act, on, reason }: AuditRow): AuditEntry {
  return { at: new Date(atMs).toISOString(), by, act, on, ...(reason !== undefined && { reason }) };
}
