/** The index-log port in memory, for tests of what reads the log: it can be held back, and told to fail. */
import type { IndexEntry, IndexRecord } from '../../../cluster/contract/index-records.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { FollowItem, IndexLog } from '../../../cluster/log/index-log.ts';

export class MemoryIndexLog implements IndexLog {
  readonly #entries = new Map<StreamId, IndexEntry[]>();
  readonly #wakeUps = new Set<() => void>();
  #sequence = 0;
  /** Follows under way, and in all. */
  following = 0;
  follows = 0;
  /** How often it was read, or its tail. */
  reads = 0;
  /** A follow throws at once while this is set. */
  isDown = false;

  async append(stream: StreamId, record: IndexRecord, expectedSequence: number): Promise<number> {
    const entries = this.#entries.get(stream) ?? [];
    if ((entries.at(-1)?.sequence ?? 0) !== expectedSequence) throw new TangazaError('FENCED');
    this.#sequence++;
    entries.push({ sequence: this.#sequence, record });
    this.#entries.set(stream, entries);
    for (const wake of [...this.#wakeUps]) wake();
    return this.#sequence;
  }

  async tail(stream: StreamId): Promise<IndexEntry | undefined> {
    this.reads += 1;
    return this.#entries.get(stream)?.at(-1);
  }

  async read(stream: StreamId, fromSequence = 1, atMost = Infinity): Promise<readonly IndexEntry[]> {
    this.reads += 1;
    const entries = this.#entries.get(stream) ?? [];
    return entries.filter((entry) => entry.sequence >= fromSequence).slice(0, atMost);
  }

  async *follow(stream: StreamId, fromSequence: number, signal: AbortSignal): AsyncIterable<FollowItem> {
    this.follows++;
    this.following++;
    try {
      let next = fromSequence;
      for (const entry of await this.read(stream, next)) {
        next = entry.sequence + 1;
        yield entry;
      }
      this.#mustBeUp();
      yield { caughtUp: true };
      while (!signal.aborted) {
        const entries = await this.read(stream, next);
        for (const entry of entries) {
          next = entry.sequence + 1;
          yield entry;
        }
        this.#mustBeUp();
        if (entries.length === 0) await this.#wakeUp(signal);
      }
    } finally {
      this.following--;
    }
  }

  async purgeBelow(stream: StreamId, sequence: number): Promise<void> {
    this.#entries.set(
      stream,
      (this.#entries.get(stream) ?? []).filter((entry) => entry.sequence >= sequence),
    );
  }

  /** Ends all follows with an error until it is up again. */
  goDown(): void {
    this.isDown = true;
    for (const wake of [...this.#wakeUps]) wake();
  }

  #mustBeUp(): void {
    if (this.isDown) throw new TangazaError('LOG_UNAVAILABLE');
  }

  #wakeUp(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wakeUps.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wakeUps.add(wake);
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });
  }
}
