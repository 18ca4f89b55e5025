/**
 * The comments' database in memory: the second implementation of its port. Its times of change only grow, as those of the others do; it has no
 * clock, so they are those of the acts.
 */
import type {
  AuditRow,
  CommentBody,
  CommentStore,
  Hiding,
  Place,
  StoredComment,
} from '../../../../actors/comments/store/comment-store.ts';
import type { CommentMode } from '../../../../cluster/contract/api/audience-views.ts';
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import type { CommentId, StreamId } from '../../../../cluster/model/ids.ts';

interface Act {
  readonly hiding: Hiding | undefined;
  readonly atMs: number;
}

/** What the openings of one database share. */
export class MemoryComments {
  readonly rows = new Map<CommentId, StoredComment>();
  readonly acts = new Map<CommentId, Act>();
  /** Of the authors. */
  readonly withdrawals = new Map<CommentId, Act>();
  readonly modes = new Map<StreamId, { readonly mode: CommentMode; readonly atMs: number }>();
  readonly audit: AuditRow[] = [];
  lastMs = 0;

  timeOf(nowMs: number): number {
    this.lastMs = Math.max(nowMs, Math.round(this.lastMs * 1000 + 1) / 1000);
    return this.lastMs;
  }

  of(stream: StreamId): StoredComment[] {
    return [...this.rows.values()].filter((row) => row.streamId === stream);
  }
}

const keptHideMs = 600_000;

export class MemoryCommentStore implements CommentStore {
  readonly #shared: MemoryComments;
  #isClosed = false;
  /** While it is down, each call rejects with `UNAVAILABLE`. */
  isDown = false;

  constructor(shared: MemoryComments) {
    this.#shared = shared;
  }

  async add(body: CommentBody, { isHeld, nowMs }: { readonly isHeld: boolean; readonly nowMs: number }) {
    this.#check();
    const there = this.#shared.rows.get(body.id);
    if (there !== undefined) {
      const isSame =
        there.text === body.text && there.mediaTime === body.mediaTime && there.parentId === body.parentId;
      if (!isSame) throw new TangazaError('CONFLICT', 'This id stands for another comment.');
      return { comment: there, isNew: false };
    }
    const act = this.#shared.acts.get(body.id);
    const kept = act !== undefined && nowMs - act.atMs < keptHideMs ? act : undefined;
    const arrivedAtMs = this.#shared.timeOf(nowMs);
    const comment: StoredComment = {
      ...body,
      arrivedAtMs,
      changedAtMs: arrivedAtMs,
      isHeld,
      ...(kept?.hiding === undefined ? {} : { hidden: kept.hiding, moderatedAtMs: kept.atMs }),
    };
    this.#shared.rows.set(body.id, comment);
    return { comment, isNew: true };
  }

  async get(id: CommentId): Promise<StoredComment | undefined> {
    this.#check();
    return this.#shared.rows.get(id);
  }

  async newest(stream: StreamId, limit: number, before?: Place): Promise<readonly StoredComment[]> {
    this.#check();
    const rows = this.#shared
      .of(stream)
      .filter((row) => before === undefined || compare(row, before, -1) < 0);
    return rows.toSorted((a, b) => compare(b, placeOf(a), 1)).slice(0, limit);
  }

  async following(stream: StreamId, limit: number, after: Place): Promise<readonly StoredComment[]> {
    this.#check();
    const rows = this.#shared.of(stream).filter((row) => compare(row, after, 1) > 0);
    return rows.toSorted((a, b) => compare(a, placeOf(b), 1)).slice(0, limit);
  }

  async arrivedSince(stream: StreamId, sinceMs: number, limit: number): Promise<readonly StoredComment[]> {
    this.#check();
    const rows = this.#shared.of(stream).filter(({ changedAtMs }) => changedAtMs >= sinceMs);
    return rows.toSorted((a, b) => a.changedAtMs - b.changedAtMs).slice(0, limit);
  }

  async setHidden(id: CommentId, hiding: Hiding | undefined, nowMs: number) {
    this.#check();
    const { acts, withdrawals } = this.#shared;
    const isNew = note(acts, id, { hiding, atMs: nowMs });
    const endsOther = hiding === undefined && note(withdrawals, id, { hiding, atMs: nowMs });
    return isNew || endsOther ? this.#hidden(id, nowMs) : this.#shared.rows.get(id);
  }

  async withdraw(id: CommentId, hiding: Hiding | undefined, nowMs: number) {
    this.#check();
    const isNew = this.#shared.rows.has(id) && note(this.#shared.withdrawals, id, { hiding, atMs: nowMs });
    return isNew ? this.#hidden(id, nowMs) : this.#shared.rows.get(id);
  }

  #hidden(id: CommentId, nowMs: number): StoredComment | undefined {
    const { acts, withdrawals, rows } = this.#shared;
    const there = rows.get(id);
    if (there === undefined) return undefined;
    const { hidden: _, ...row } = there;
    const act = acts.get(id);
    const hiding = act?.hiding ?? withdrawals.get(id)?.hiding;
    const moderatedAtMs = act && (act.hiding?.atMs ?? act.atMs);
    const changedAtMs = this.#shared.timeOf(nowMs);
    const now: StoredComment = {
      ...row,
      changedAtMs,
      moderatedAtMs,
      ...(hiding === undefined ? {} : { hidden: hiding }),
    };
    rows.set(id, now);
    return now;
  }

  async mode(stream: StreamId): Promise<CommentMode | undefined> {
    this.#check();
    return this.#shared.modes.get(stream)?.mode;
  }

  async setMode(stream: StreamId, mode: CommentMode, nowMs: number): Promise<void> {
    this.#check();
    if ((this.#shared.modes.get(stream)?.atMs ?? -1) <= nowMs)
      this.#shared.modes.set(stream, { mode, atMs: nowMs });
  }

  async audit(row: AuditRow): Promise<void> {
    this.#check();
    this.#shared.audit.push(row);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #check(): void {
    if (this.#isClosed || this.isDown) throw new TangazaError('UNAVAILABLE', 'The comments do not answer.');
  }
}

/** @returns false where a later act, or a hide of the same time, is there */
function note(acts: Map<CommentId, Act>, id: CommentId, act: Act): boolean {
  const there = acts.get(id);
  const isOlder =
    there !== undefined && (there.atMs > act.atMs || (there.atMs === act.atMs && there.hiding !== undefined));
  if (!isOlder) acts.set(id, act);
  return !isOlder;
}

const placeOf = ({ createdAtMs, id }: StoredComment): Place => ({ createdAtMs, id });

/** @param without what a place without an id compares to within its millisecond: it is before (-1) or behind (1) all of it */
function compare(row: StoredComment, place: Place, without: 1 | -1): number {
  if (row.createdAtMs !== place.createdAtMs) return row.createdAtMs - place.createdAtMs;
  if (place.id === undefined) return -without;
  return row.id < place.id ? -1 : Number(row.id > place.id);
}
