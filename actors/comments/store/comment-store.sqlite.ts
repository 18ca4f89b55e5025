/** The comments of a region on this host in one SQLite file, which its nodes share (A14). */
import type { CommentMode } from '../../../cluster/contract/api/audience-views.ts';
import type { CommentId, StreamId } from '../../../cluster/model/ids.ts';
import type { AuditRow, CommentBody, CommentStore, Hiding, Place } from './comment-store.ts';
import { DatabaseThread, type ThreadOptions } from './sqlite/database-thread.sqlite.ts';

/**
 * Opens the file in a thread of its own. What it acknowledges survives `kill -9` and a power cut (open-database.sqlite.ts).
 *
 * @throws TangazaError `UNAVAILABLE` for a file that is damaged, of a newer version, or held by another process; `STORE_FULL`
 */
export async function openSqliteCommentStore(options: ThreadOptions): Promise<CommentStore> {
  return new SqliteCommentStore(await DatabaseThread.open(options));
}

class SqliteCommentStore implements CommentStore {
  readonly #thread: DatabaseThread;

  constructor(thread: DatabaseThread) {
    this.#thread = thread;
  }

  add(body: CommentBody, state: { readonly isHeld: boolean; readonly nowMs: number }) {
    return this.#thread.ask('add', [body, state]);
  }

  get(id: CommentId) {
    return this.#thread.ask('get', [id]);
  }

  newest(stream: StreamId, limit: number, before?: Place) {
    return this.#thread.ask('newest', [stream, limit, before]);
  }

  following(stream: StreamId, limit: number, after: Place) {
    return this.#thread.ask('following', [stream, limit, after]);
  }

  arrivedSince(stream: StreamId, sinceMs: number, limit: number) {
    return this.#thread.ask('arrivedSince', [stream, sinceMs, limit]);
  }

  setHidden(id: CommentId, hiding: Hiding | undefined, nowMs: number) {
    return this.#thread.ask('setHidden', [id, hiding, nowMs]);
  }

  mode(stream: StreamId) {
    return this.#thread.ask('mode', [stream]);
  }

  setMode(stream: StreamId, mode: CommentMode, nowMs: number) {
    return this.#thread.ask('setMode', [stream, mode, nowMs]);
  }

  audit(row: AuditRow) {
    return this.#thread.ask('audit', [row]);
  }

  close() {
    return this.#thread.close();
  }
}
