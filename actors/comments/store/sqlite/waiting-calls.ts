/**
 * The calls that wait for the database's thread, or are with it: how many there may be, which go next, which took too long.
 *
 * A call counts until the thread has answered it, also when its caller was told that it takes too long: so a thread that stands still
 * gathers no more than the bound. Writes go one transaction at a time, and all that wait go together (A14).
 */
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import { isWrite, type Answer, type SentCall } from './calls.ts';

const mostCalls = 4000;
const mostInTransaction = 500;
const patienceMs = 3000;

interface Waiting {
  readonly call: SentCall;
  readonly sinceMs: number;
  /** Hears nothing once it is over. */
  isOver: boolean;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class WaitingCalls {
  /** Not with the thread yet, in order. */
  #writes: Waiting[] = [];
  #reads: Waiting[] = [];
  readonly #sent = new Map<number, Waiting>();
  #writesUnderWay = 0;

  get size(): number {
    return this.#writes.length + this.#reads.length + this.#sent.size;
  }

  get hasWritesUnderWay(): boolean {
    return this.#writesUnderWay > 0;
  }

  get hasWrites(): boolean {
    return this.#writes.length > 0;
  }

  /** How long the oldest one waits. */
  oldestMs(nowMs: number): number {
    const since = [...this.#sent.values(), ...this.#writes, ...this.#reads].map(({ sinceMs }) => sinceMs);
    return since.reduce((most, sinceMs) => Math.max(most, nowMs - sinceMs), 0);
  }

  /** @throws TangazaError `OVERLOADED` when too many wait */
  add(waiting: Omit<Waiting, 'isOver'>): void {
    if (this.size >= mostCalls)
      throw new TangazaError(
        'OVERLOADED',
        'Too much waits for the database of the comments: try again in a moment.',
      );
    const queue = isWrite[waiting.call.name] ? this.#writes : this.#reads;
    queue.push({ ...waiting, isOver: false });
  }

  takeReads(): readonly SentCall[] {
    const reads = this.#reads;
    this.#reads = [];
    return this.#send(reads);
  }

  /** The writes of the next transaction: none while one is under way. */
  takeWrites(): readonly SentCall[] {
    if (this.hasWritesUnderWay) return [];
    const writes = this.#writes.splice(0, mostInTransaction);
    this.#writesUnderWay = writes.length;
    return this.#send(writes);
  }

  /** Tells the caller; what found the file busy waits again, in its old place. */
  settle(answers: readonly Answer[]): void {
    const again: Waiting[] = [];
    for (const answer of answers) {
      const waiting = this.#sent.get(answer.id);
      if (waiting === undefined) continue;
      this.#forget(waiting);
      if (waiting.isOver) continue;
      if (answer.kind === 'done') waiting.resolve(answer.result);
      else if (answer.kind === 'failed')
        waiting.reject(new TangazaError(answer.fault.code, answer.fault.message));
      else again.push(waiting);
    }
    this.#writes.unshift(...again.filter(({ call }) => isWrite[call.name]));
    this.#reads.unshift(...again.filter(({ call }) => !isWrite[call.name]));
  }

  /** Ends what waited too long. What is with the thread may still be done: who asks again gets the same. */
  expire(nowMs: number): void {
    const isLate = ({ sinceMs }: Waiting): boolean => nowMs - sinceMs > patienceMs;
    const late = [...this.#sent.values(), ...this.#writes, ...this.#reads].filter(isLate);
    for (const waiting of late)
      end(waiting, 'The database of the comments does not answer in time: try again in a moment.');
    this.#writes = this.#writes.filter(({ isOver }) => !isOver);
    this.#reads = this.#reads.filter(({ isOver }) => !isOver);
  }

  /** The thread is gone, and what it had under way with it. What it did not get yet waits for the next. */
  lose(): void {
    for (const waiting of this.#sent.values())
      end(
        waiting,
        "The comments' database was interrupted, and may have done it: try again, it is done once.",
      );
    this.#sent.clear();
    this.#writesUnderWay = 0;
  }

  /** Nobody will come. */
  endAll(why: string): void {
    for (const waiting of [...this.#sent.values(), ...this.#writes, ...this.#reads]) end(waiting, why);
    this.#sent.clear();
    this.#writes = [];
    this.#reads = [];
    this.#writesUnderWay = 0;
  }

  #send(queue: readonly Waiting[]): readonly SentCall[] {
    for (const waiting of queue) this.#sent.set(waiting.call.id, waiting);
    return queue.map(({ call }) => call);
  }

  #forget({ call }: Waiting): void {
    this.#sent.delete(call.id);
    if (isWrite[call.name]) this.#writesUnderWay -= 1;
  }
}

function end(waiting: Waiting, why: string): void {
  if (waiting.isOver) return;
  waiting.isOver = true;
  waiting.reject(new TangazaError('UNAVAILABLE', why));
}
