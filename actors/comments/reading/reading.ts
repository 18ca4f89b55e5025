/**
 * Reads pages of comments: of a stream both ways, and of a thread level by level.
 *
 * What is hidden or held is left out for those who may not see it. Where answers hang below such a comment it stays in the page without its
 * text, so that no thread falls apart (A12). The newest page of somebody without a token is answered from the ring, where there is one (A7).
 */
import type { Comment, CommentPage, Identity, Thread } from '../../../cluster/contract/api/audience-views.ts';
import type { CommentParams } from '../../../cluster/contract/api/audience-params.ts';
import type { CommentQuery, ThreadPageQuery } from '../../../cluster/contract/api/audience-routes.ts';
import type { StreamParams } from '../../../cluster/contract/api/control-routes.ts';
import type { Caller, RouteInput } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { CommentId, StreamId } from '../../../cluster/model/ids.ts';
import { mustHaveCaller, readerOf } from '../callers.ts';
import type { CommentPorts } from '../comment-ports.ts';
import { isShownTo, placeholderOf, viewOf, type Reader } from '../comment-view.ts';
import type { Guards } from '../guards/guards.ts';
import { mustBeAllowed } from '../identity/permissions.ts';
import type { StoredComment } from '../store/comment-store.ts';
import type { ListedState } from '../store/moderation-store.ts';
import type { ThreadPlace } from '../store/thread-store.ts';
import type { Streams } from '../streams.ts';
import { placeOfComment } from '../ids/comment-id.ts';
import { cutPage, placeIn, placeOfRow, type Page, type StreamPlace } from './page.ts';
import { cursorOfThread, placeInThread } from './thread-cursor.ts';

export interface ReadingPorts extends CommentPorts {
  readonly guards: Guards;
  readonly streams: Streams;
}

export class Reading {
  readonly #ports: ReadingPorts;

  constructor(ports: ReadingPorts) {
    this.#ports = ports;
  }

  /** @throws TangazaError `OVERLOADED`, `STREAM_NOT_FOUND`, `STREAM_REMOVED`, `BAD_REQUEST`, `UNAUTHENTICATED`, and what the store throws */
  async list({
    params: { id },
    query,
    caller,
  }: RouteInput<StreamParams, CommentQuery>): Promise<CommentPage> {
    const { store, streams } = this.#ports;
    const { before, after, limit, mine, state } = query;
    if (before !== undefined && after !== undefined)
      throw new TangazaError('BAD_REQUEST', 'Pass either before or after: a page goes one way.');
    this.#enter(caller);
    if (state !== undefined) return this.#listed(id, { ...query, state }, caller);
    const [reader] = await Promise.all([this.#reader(id, caller, mine), streams.mustExist(id)]);
    // Before the rows are read: what came meanwhile may be among them, and what is called known is.
    const known = this.#known();
    const shown = (rows: readonly StoredComment[]) => this.#shown(reader, rows);
    const cut = { limit, shown, placeOf: placeOfRow };
    const start = placeIn(id, after);
    const fromRing =
      before === undefined && start === undefined && reader === undefined
        ? this.#newest(id, limit)
        : undefined;
    const { items, next } =
      fromRing ??
      (start === undefined
        ? await cutPage({
            ...cut,
            from: placeIn(id, before),
            read: (rows, from) => store.newest(id, rows, from),
          })
        : await cutPage({
            ...cut,
            from: start,
            read: (rows, from) => store.following(id, rows, from ?? start),
          }));
    const views = await this.#views(id, items, { reader, mine });
    const { isOn: replication } = this.#ports.replication;
    return {
      items: views,
      ...(next?.id !== undefined && { nextCursor: next.id }),
      ...(replication && { replication }),
      ...known,
    };
  }

  #known(): Pick<CommentPage, 'knownTo'> {
    const { clock, lag } = this.#ports;
    const nowMs = clock.utcMs();
    const toMs = lag?.knownToMs() ?? nowMs;
    return toMs < nowMs ? { knownTo: new Date(toMs).toISOString() } : {};
  }

  /** What waits for a moderator, newest first. */
  async #listed(
    id: StreamId,
    { before, after, limit, mine, state }: CommentQuery & { readonly state: ListedState },
    caller: Caller | undefined,
  ): Promise<CommentPage> {
    const { store, identities, streams, clock } = this.#ports;
    if (after !== undefined)
      throw new TangazaError('BAD_REQUEST', 'A list by state goes one way: pass before instead of after.');
    const reader = await identities.identify(mustHaveCaller(caller));
    mustBeAllowed(reader, 'comment.hide', id);
    await streams.mustNotBeBanned(id, reader.user.id, clock.utcMs());
    const rows = await store.listed(id, state, limit + 1, placeIn(id, before));
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const items = await this.#views(id, page, { reader, mine });
    return rows.length > limit && last !== undefined ? { items, nextCursor: last.id } : { items };
  }

  /** @throws TangazaError `OVERLOADED`, `COMMENT_NOT_FOUND`, `BAD_REQUEST`, `UNAUTHENTICATED`, and what the store throws */
  async thread({
    params: { id },
    query,
    caller,
  }: RouteInput<CommentParams, ThreadPageQuery>): Promise<Thread> {
    const { store } = this.#ports;
    const { parentId, cursor, limit, mine } = query;
    this.#enter(caller);
    const reader = await this.#reader(placeOfComment(id).streamId, caller, mine);
    const root = await this.#rootOf(id);
    const parent = parentId === undefined ? undefined : await this.#parentIn(root, parentId);
    const from = cursor === undefined ? undefined : mustBePlace(root.id, cursor);
    const { items, next } = await cutPage<ThreadPlace>({
      limit,
      from,
      shown: (rows) => this.#shown(reader, rows),
      placeOf: (row) => ({ id: row.id, path: row.path }),
      read: (rows, after) => store.thread({ root: root.id, parent, after, limit: rows }),
    });
    const [first, ...views] = await this.#views(root.streamId, [root, ...items], { reader, mine });
    if (first === undefined || !(await this.#shown(reader, [root])).has(root)) throw notFound(id);
    return { root: first, items: views, ...(next !== undefined && { nextCursor: cursorOfThread(next) }) };
  }

  /** A page costs the database more than a comment does, so a network has so many (A11). */
  #enter(caller: Caller | undefined): void {
    const { guards, clock } = this.#ports;
    guards.enterToRead(mustHaveCaller(caller).network, clock.utcMs());
  }

  /** The newest page of the ring, where it is full of comments that everybody sees. */
  #newest(stream: StreamId, limit: number): Page<StreamPlace> | undefined {
    const rows = this.#ports.newest(stream, limit + 1) ?? [];
    const page = rows.toReversed().slice(0, limit);
    const last = page.at(-1);
    if (rows.length <= limit || last === undefined || !page.every((row) => isShownTo(undefined, row)))
      return undefined;
    return { items: page, next: placeOfRow(last) };
  }

  /** Which comments are one's own likes is asked for by name: then the token must be good. */
  async #reader(stream: StreamId, caller: Caller | undefined, mine: 'true' | 'false'): Promise<Reader> {
    const { identities, streams, clock } = this.#ports;
    const reader =
      mine === 'true'
        ? await identities.identify(mustHaveCaller(caller))
        : await readerOf(identities, caller);
    return reader && streams.standingOf(reader, stream, clock.utcMs());
  }

  async #rootOf(id: CommentId): Promise<StoredComment> {
    const { store } = this.#ports;
    const comment = await store.get(id);
    const root = comment?.rootId === undefined ? comment : await store.get(comment.rootId);
    if (root === undefined) throw notFound(id);
    return root;
  }

  async #parentIn(root: StoredComment, id: CommentId): Promise<ThreadPlace> {
    const parent = id === root.id ? root : await this.#ports.store.get(id);
    if (parent === undefined || (parent.rootId ?? parent.id) !== root.id)
      throw new TangazaError('COMMENT_NOT_FOUND', `There is no comment ${id} in this thread.`);
    return { id: parent.id, path: parent.path };
  }

  /** Those that the reader may see, and those below which something hangs. */
  async #shown(reader: Reader, rows: readonly StoredComment[]): Promise<ReadonlySet<StoredComment>> {
    const unseen = rows.filter((row) => !isShownTo(reader, row));
    if (unseen.length === 0) return new Set(rows);
    const tallies = await this.#ports.counts.of(unseen.map(({ id }) => id));
    return new Set(rows.filter((row) => !unseen.includes(row) || (tallies.get(row.id)?.replies ?? 0) > 0));
  }

  async #views(
    stream: StreamId,
    rows: readonly StoredComment[],
    { reader, mine }: { readonly reader: Reader; readonly mine: 'true' | 'false' },
  ): Promise<Comment[]> {
    const ids = rows.map(({ id }) => id);
    const [tallies, liked] = await Promise.all([
      this.#ports.counts.of(ids),
      mine === 'true' && reader !== undefined ? this.#likedBy(reader, stream, ids) : undefined,
    ]);
    return rows.map((row) => {
      const tally = {
        ...(tallies.get(row.id) ?? this.#ports.counts.known(row.id)),
        likedByMe: liked?.has(row.id),
        isReplicated: this.#ports.replication.has(row.id),
      };
      return isShownTo(reader, row) ? viewOf(row, reader, tally) : placeholderOf(row, tally);
    });
  }

  #likedBy({ user }: Identity, stream: StreamId, ids: readonly CommentId[]): Promise<ReadonlySet<CommentId>> {
    return this.#ports.store.likedBy(user.id, stream, ids);
  }
}

function mustBePlace(root: CommentId, cursor: string): ThreadPlace {
  const place = placeInThread(root, cursor);
  if (place === undefined)
    throw new TangazaError(
      'BAD_REQUEST',
      'The cursor is none of this thread: pass a nextCursor as it was given.',
    );
  return place;
}

function notFound(id: CommentId): TangazaError {
  return new TangazaError('COMMENT_NOT_FOUND', `There is no comment ${id} here.`);
}
