/** Which streams there are, how each takes comments, and whom it has banned: asked for often, so remembered for some seconds. */
import { openMode, type CommentMode, type Identity } from '../../cluster/contract/api/audience-views.ts';
import { allStreams } from '../../cluster/contract/api/moderation-views.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { StreamId, UserId } from '../../cluster/model/ids.ts';
import type { CommentPorts, StreamStanding } from './comment-ports.ts';
import { isInForce, mustNotBeBanned } from './guards/guards.ts';
import { operatorId } from './identity/identity.ts';
import type { Ban } from './store/moderation-store.ts';
import { Remembered } from './remembered.ts';

const knownMs = 10_000;
/** Such a stream may be created, or exist again, at any moment. */
const otherMs = 1000;
/** A mode that was set at another node is heard of at once, or read after that (A12). */
const modeMs = 5000;
const banMs = 5000;
/** Where other regions write into the same database, nobody tells of their modes and bans: they are asked for more often. */
const sharedMs = 2000;
/** Of a stream with more, each author is looked up. */
const mostBans = 1000;
const most = 10_000;

export class Streams {
  readonly #standings: Remembered<StreamId, StreamStanding>;
  readonly #modes: Remembered<StreamId, CommentMode>;
  readonly #bans: Remembered<StreamId, readonly Ban[]>;
  readonly #store: CommentPorts['store'];
  /** By the clock that acts go by: a ban of another region ends when it does there (R12). */
  readonly #commonMs: (utcMs: number) => number;
  readonly #clock: CommentPorts['clock'];

  constructor({
    clock,
    lookUpStream,
    store,
    changedCounts,
    times,
  }: Pick<CommentPorts, 'clock' | 'lookUpStream' | 'store' | 'changedCounts' | 'times'>) {
    const isShared = changedCounts !== undefined;
    this.#standings = new Remembered({
      clock,
      most,
      ask: lookUpStream,
      goodForMs: ({ kind }) => (kind === 'known' ? knownMs : otherMs),
    });
    this.#store = store;
    this.#clock = clock;
    this.#commonMs = (utcMs) => times?.common(utcMs) ?? utcMs;
    this.#bans = new Remembered({
      clock,
      most,
      ask: (of) => store.bans(of === allStreams ? undefined : of, this.#commonMs(clock.utcMs()), mostBans),
      goodForMs: () => (isShared ? sharedMs : banMs),
    });
    this.#modes = new Remembered({
      clock,
      most,
      ask: async (id: StreamId) => (await store.mode(id)) ?? openMode,
      goodForMs: () => (isShared ? sharedMs : modeMs),
    });
  }

  /** Begins to look up all that a comment on a stream depends on, so that its author waits for the database once. */
  prepare(stream: StreamId): void {
    this.#bans.prepare(stream);
    this.#bans.prepare(allStreams);
    this.#standings.prepare(stream);
    this.#modes.prepare(stream);
  }

  /** @throws TangazaError `BANNED` with the reason and until when */
  async mustNotBeBanned(stream: StreamId, user: UserId, nowMs: number): Promise<void> {
    mustNotBeBanned(await this.#banOf(stream, user), this.#commonMs(nowMs));
  }

  /** Who is banned on a stream has no permission there: so a moderator's token can be withdrawn before it ends (A13). */
  async standingOf(identity: Identity, stream: StreamId, nowMs: number): Promise<Identity> {
    if (identity.permissions.length === 0 || identity.user.id === operatorId) return identity;
    const ban = await this.#banOf(stream, identity.user.id);
    return ban !== undefined && isInForce(ban, this.#commonMs(nowMs))
      ? { ...identity, permissions: [] }
      : identity;
  }

  /** In force or over since it was read. */
  async #banOf(stream: StreamId, user: UserId): Promise<Ban | undefined> {
    const [ofStream, ofAll] = await Promise.all([this.#bans.get(stream), this.#bans.get(allStreams)]);
    const isKnown = ofStream.length < mostBans && ofAll.length < mostBans;
    return isKnown
      ? [...ofStream, ...ofAll].find(({ userId }) => userId === user)
      : this.#store.banOf(user, stream, this.#commonMs(this.#clock.utcMs()));
  }

  /** Somebody was banned on a stream, or is so no more, here or at another node. @param stream undefined for all streams */
  heardBan(stream: StreamId | undefined): void {
    this.#bans.forget(stream ?? allStreams);
  }

  /** @throws TangazaError `STREAM_NOT_FOUND`, `STREAM_REMOVED`, and what the registry throws */
  async mustExist(id: StreamId): Promise<void> {
    const { kind } = await this.#standings.get(id);
    if (kind === 'removed') throw new TangazaError('STREAM_REMOVED', `The stream ${id} was removed.`);
    if (kind === 'unknown')
      throw new TangazaError('STREAM_NOT_FOUND', `There is no stream ${id}: check its id.`);
  }

  mode(id: StreamId): Promise<CommentMode> {
    return this.#modes.get(id);
  }

  /** The mode was set, here or at another node. */
  heardMode(id: StreamId, mode: CommentMode): void {
    this.#modes.set(id, mode);
  }
}
