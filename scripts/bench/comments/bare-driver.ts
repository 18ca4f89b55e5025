/**
 * `node:sqlite` with the same tables and statements as the comments' database, in this thread: each comment is a transaction of its own, as
 * a server does it that just calls the driver.
 */
import type { CommentBody } from '../../../actors/comments/store/comment-store.ts';
import { openCommentDatabase } from '../../../actors/comments/store/sqlite/open-database.sqlite.ts';
import { operationsOn } from '../../../actors/comments/store/sqlite/operations.sqlite.ts';

export interface BareDriver extends Disposable {
  /** One behind the other, as a synchronous driver has it. */
  add(body: CommentBody): Promise<void>;
}

export function openBareDriver(file: string): BareDriver {
  const database = openCommentDatabase(file, () => 'bench');
  const operations = operationsOn(database);
  return {
    add: async (body) => {
      // As if it had come in by a socket: others that came before have their turn.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      database.transaction(() => operations.add(body, { isHeld: false, nowMs: Date.now() }));
    },
    [Symbol.dispose]: () => database.close(),
  };
}
