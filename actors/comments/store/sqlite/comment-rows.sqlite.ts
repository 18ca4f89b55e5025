/** The rows of comments, and what is counted along with them in the same transaction: answers that are shown. */
import type { CommentId } from '../../../../cluster/model/ids.ts';
import type { CommentBody, StoredComment } from '../comment-store.ts';
import type { CommentDatabase } from './database.sqlite.ts';
import { bodyCell, commentOf, threadKey } from './rows.sqlite.ts';

const mostRows = 1000;

export type Value = string | number | null;

export interface NewState {
  readonly isHeld: boolean;
  readonly isErased: boolean;
  /** The cell, and the version of it. */
  readonly hiding: string | null;
  readonly hidingAtMs: number | null;
  readonly nowMs: number;
}

export class CommentRows {
  readonly #database: CommentDatabase;

  constructor(database: CommentDatabase) {
    this.#database = database;
  }

  get(id: CommentId): StoredComment | undefined {
    const row = this.#database.one('SELECT * FROM comments WHERE id = ?', id);
    return row === undefined ? undefined : commentOf(row);
  }

  /** @param sql ends in `LIMIT ?` */
  page(sql: string, values: readonly Value[], limit: number): readonly StoredComment[] {
    return this.#database.all(sql, ...values, Math.min(limit, mostRows)).map((row) => commentOf(row));
  }

  insert(body: CommentBody, { isHeld, isErased, hiding, hidingAtMs, nowMs }: NewState): StoredComment {
    const arrivedAtUs = this.#database.nextChangeUs(nowMs);
    const kept = isErased ? emptied(body) : body;
    this.#database.run(
      `INSERT INTO comments (id, streamId, createdAtMs, authorId, body, arrivedAtMs, arrivedAtUs, changedAtUs, isHeld, isErased, hiding,
         hidingAtMs, rootId, depth, thread) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[body.id, body.streamId, body.createdAtMs, body.author.id, bodyCell(kept), Math.floor(nowMs)],
      ...[
        arrivedAtUs,
        arrivedAtUs,
        Number(isHeld),
        Number(isErased),
        hiding,
        hidingAtMs,
        ...threadCells(body),
      ],
    );
    const added = this.mustGet(body.id);
    this.#countAbove(added, Number(isShown(added)));
    return added;
  }

  /** Changes a row that is there. @param sets of columns, like `isHeld = ?` */
  change(id: CommentId, sets: string, values: readonly Value[], nowMs: number): StoredComment {
    const before = this.mustGet(id);
    const changedAtUs = this.#database.nextChangeUs(nowMs);
    this.#database.run(
      `UPDATE comments SET ${sets}, changedAtUs = ? WHERE id = ?`,
      ...values,
      changedAtUs,
      id,
    );
    const after = this.mustGet(id);
    if (String(before.path) === String(after.path))
      this.#countAbove(after, Number(isShown(after)) - Number(isShown(before)));
    else {
      this.#countAbove(before, -Number(isShown(before)));
      this.#countAbove(after, Number(isShown(after)));
    }
    return after;
  }

  /** Another body has the id: it may hang elsewhere. @param cell as it is to stand in the row */
  replace(body: CommentBody, cell: string, nowMs: number): StoredComment {
    const values = [cell, ...threadCells(body)];
    return this.change(body.id, 'body = ?, rootId = ?, depth = ?, thread = ?', values, nowMs);
  }

  /** Empties name and text for good. */
  erase(id: CommentId, nowMs: number): void {
    this.change(id, 'body = ?, isErased = 1', [bodyCell(emptied(this.mustGet(id)))], nowMs);
  }

  /** All comments below which it hangs have that many more answers. */
  #countAbove({ path }: StoredComment, more: number): void {
    if (more === 0) return;
    for (const id of path)
      this.#database.run(
        'INSERT INTO replyCounts (id, count) VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count',
        ...[id, more],
      );
  }

  /** Of a row that is there. */
  mustGet(id: CommentId): StoredComment {
    const comment = this.get(id);
    if (comment === undefined) throw new Error(`the comment ${id} is gone from its own transaction`);
    return comment;
  }
}

/** `rootId`, `depth` and `thread`. */
const threadCells = (body: CommentBody): readonly Value[] =>
  body.rootId === undefined ? [null, 0, null] : [body.rootId, body.path.length, threadKey(body)];

const isShown = ({ hidden, isHeld }: StoredComment): boolean => hidden === undefined && !isHeld;

function emptied(body: CommentBody): CommentBody {
  return { ...body, text: '', author: { ...body.author, name: '' } };
}
