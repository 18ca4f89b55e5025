/**
 * The thread that owns the comments' database of its node: SQLite stands still while it reads or writes, and would stop the node's media
 * with it (A14). Orders come one behind the other; the writes of one order are one transaction.
 */
import { randomUUID } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import type { Answer, Call, CallName, CallResults, News, Operations, Order } from './calls.ts';
import type { CommentDatabase } from './database.sqlite.ts';
import { faultOf, isBusy, isOwnFault } from './faults.sqlite.ts';
import { openCommentDatabase } from './open-database.sqlite.ts';
import { operationsOn } from './operations.sqlite.ts';

const { file } = z.object({ file: z.string() }).parse(workerData);

function tell(news: News): void {
  // oxlint-disable-next-line require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(news);
}

class Desk {
  readonly #database: CommentDatabase;
  readonly #operations: Operations;

  constructor(database: CommentDatabase) {
    this.#database = database;
    this.#operations = operationsOn(database);
  }

  take(order: Order): void {
    if (order.kind === 'close') {
      this.#database.close();
      parentPort?.close();
      return;
    }
    const answers = order.kind === 'read' ? [this.#read(order.call)] : this.#writeAll(order.calls);
    tell({ kind: 'answers', answers });
  }

  #read(call: Call): Answer {
    try {
      return { kind: 'done', id: call.id, result: this.#perform(call) };
    } catch (error) {
      return refusal(call, error);
    }
  }

  /** Acknowledged is what was committed, and nothing before. */
  #writeAll(calls: readonly Call[]): readonly Answer[] {
    try {
      const answers = this.#database.transaction(() => calls.map((call) => this.#write(call)));
      if (calls.some(({ name }) => name === 'eraseSome')) this.#database.emptyLog();
      return answers;
    } catch (error) {
      return calls.map((call) => refusal(call, error));
    }
  }

  #write(call: Call): Answer {
    try {
      const result = this.#database.part(() => this.#perform(call));
      return { kind: 'done', id: call.id, result };
    } catch (error) {
      if (!isOwnFault(error)) throw error;
      return refusal(call, error);
    }
  }

  #perform<K extends CallName>({ name, args }: Call<K>): CallResults[K] {
    return this.#operations[name](...args);
  }
}

function refusal({ id }: Call, error: unknown): Answer {
  return isBusy(error) ? { kind: 'busy', id } : { kind: 'failed', id, fault: faultOf(error, file) };
}

function start(): void {
  try {
    const desk = new Desk(openCommentDatabase(file, randomUUID));
    parentPort?.on('message', (order: Order) => desk.take(order));
    tell({ kind: 'opened' });
  } catch (error) {
    tell(isBusy(error) ? { kind: 'openedByAnother' } : { kind: 'refused', fault: faultOf(error, file) });
  }
}

start();
