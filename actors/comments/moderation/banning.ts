/** Bans users from the comments of a stream, or of all streams, and ends bans (A12). */
import type { Identity } from '../../../cluster/contract/api/audience-views.ts';
import type { BanParams, BanQuery } from '../../../cluster/contract/api/moderation-routes.ts';
import {
  allStreams,
  type Ban as BanView,
  type BanBody,
  type BanPage,
  type NewBan,
} from '../../../cluster/contract/api/moderation-views.ts';
import type { StreamParams } from '../../../cluster/contract/api/control-routes.ts';
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId, UserId } from '../../../cluster/model/ids.ts';
import { nameInAudit } from '../callers.ts';
import { operatorId } from '../identity/identity.ts';
import type { Hiding } from '../store/comment-store.ts';
import type { Ban } from '../store/moderation-store.ts';
import { Acts, type ActPorts } from './acts.ts';

const purge = { backMs: 600_000, most: 100 } as const;

export class Banning {
  readonly #ports: ActPorts;
  readonly #acts: Acts;

  constructor(ports: ActPorts) {
    this.#ports = ports;
    this.#acts = new Acts(ports);
  }

  /** @throws TangazaError `FORBIDDEN`, `BANNED`, `BAD_REQUEST`, and what the store throws */
  async ban({ params, body, caller }: RouteInput<BanParams, unknown, BanBody>): Promise<NewBan> {
    const { store, streams, outlet } = this.#ports;
    const { id, userId } = params;
    const { seconds, reason, purge: isPurging } = body;
    const streamId = streamOf(id);
    const identity = await this.#acts.allowed(caller, 'user.ban', streamId);
    mustBeBannable(identity, userId);
    if (isPurging && streamId === undefined)
      throw new TangazaError('BAD_REQUEST', 'A purge is of one stream: ban the user there with purge.');
    const by = nameInAudit(identity);
    const atMs = await this.#acts.timeOn({ kind: 'ban', userId, streamId });
    await this.#acts.audit({ streamId: id, atMs, by, act: 'user.ban', on: userId, reason });
    const untilMs = seconds === undefined ? undefined : this.#acts.nowMs() + seconds * 1000;
    const ban: Ban = { streamId, userId, by, atMs, untilMs, reason };
    await store.ban(ban);
    streams.heardBan(streamId);
    outlet.told({ kind: 'ban', streamId: id });
    const purged =
      isPurging && streamId !== undefined ? await this.#purge(streamId, userId, { by, atMs, reason }) : 0;
    return { ...viewOfBan(ban), purged };
  }

  /** @throws TangazaError `FORBIDDEN`, `BANNED`, and what the store throws */
  async unban({ params: { id, userId }, caller }: RouteInput<BanParams>): Promise<void> {
    const { store, streams, outlet } = this.#ports;
    const streamId = streamOf(id);
    const identity = await this.#acts.allowed(caller, 'user.ban', streamId);
    const atMs = await this.#acts.timeOn({ kind: 'ban', userId, streamId });
    await this.#acts.audit({ streamId: id, atMs, by: nameInAudit(identity), act: 'user.unban', on: userId });
    await store.unban(userId, streamId, atMs);
    streams.heardBan(streamId);
    outlet.told({ kind: 'ban', streamId: id });
  }

  /** @throws TangazaError `FORBIDDEN`, `BANNED`, and what the store throws */
  async list({ params: { id }, query, caller }: RouteInput<StreamParams, BanQuery>): Promise<BanPage> {
    const { store } = this.#ports;
    const streamId = streamOf(id);
    await this.#acts.allowed(caller, 'user.ban', streamId);
    const { limit, cursor } = query;
    const bans = await store.bans(streamId, this.#acts.nowMs(), limit + 1, cursor);
    const page = bans.slice(0, limit);
    const last = page.at(-1);
    const items = page.map(viewOfBan);
    return bans.length > limit && last !== undefined ? { items, nextCursor: last.userId } : { items };
  }

  /** Hides what the user wrote lately and no moderator hid. Each hide is an act of its own: each can be undone, and is told whether or not the others fail. */
  async #purge(stream: StreamId, user: UserId, hiding: Hiding): Promise<number> {
    const { store, clock } = this.#ports;
    // Comments bear the time of this region.
    const rows = await store.latestOf(user, stream, clock.utcMs() - purge.backMs, purge.most);
    // What the user took back is hidden as well: the user alone cannot undo that (A12).
    const unhidden = rows.filter(({ hidden }) => hidden === undefined || hidden.by === user);
    await Promise.all(
      unhidden.map(async ({ id }) => {
        const atMs = await this.#acts.timeOn({ kind: 'comment', id }, hiding.atMs);
        const own = { ...hiding, atMs };
        await this.#acts.audit({ streamId: stream, ...own, act: 'comment.hide', on: id });
        const comment = await this.#acts.written(stream, store.setHidden(id, own, atMs));
        if (comment !== undefined) this.#acts.tell(comment);
      }),
    );
    return unhidden.length;
  }
}

const streamOf = (id: StreamId): StreamId | undefined => (id === allStreams ? undefined : id);

function mustBeBannable({ user }: Identity, banned: UserId): void {
  if (banned === operatorId) throw new TangazaError('BAD_REQUEST', 'The operator cannot be banned.');
  if (banned === user.id) throw new TangazaError('BAD_REQUEST', 'You cannot ban yourself.');
}

function viewOfBan({ streamId, userId, by, atMs, untilMs, reason }: Ban): BanView {
  return {
    streamId: streamId ?? allStreams,
    userId,
    by,
    at: new Date(atMs).toISOString(),
    ...(untilMs !== undefined && { until: new Date(untilMs).toISOString() }),
    ...(reason !== undefined && { reason }),
  };
}
