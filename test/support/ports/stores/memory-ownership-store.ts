/** Ownership records in memory, changed by compare-and-set as in the bucket. */
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../../cluster/model/ids.ts';
import type {
  OwnershipList,
  OwnershipRecord,
  OwnershipStore,
  WatchedOwnershipStore,
} from '../../../../cluster/ownership/ownership-store.ts';

interface Kept {
  readonly record: OwnershipRecord;
  readonly revision: number;
}

export class MemoryOwnershipStore implements WatchedOwnershipStore {
  readonly #kept = new Map<StreamId, Kept>();
  readonly #watchers = new Set<(change: readonly [StreamId, OwnershipRecord]) => void>();
  #revision = 0;
  #isClosed = false;
  readonly #closed = Promise.withResolvers<void>();

  async get(stream: StreamId): ReturnType<OwnershipStore['get']> {
    const kept = this.#kept.get(stream);
    return { record: kept?.record, revision: kept?.revision ?? 0 };
  }

  async put(stream: StreamId, record: OwnershipRecord, revision: number): Promise<number> {
    if (revision !== (this.#kept.get(stream)?.revision ?? 0)) throw new TangazaError('CONFLICT');
    this.#revision += 1;
    this.#kept.set(stream, { record, revision: this.#revision });
    for (const tell of this.#watchers) tell([stream, record]);
    return this.#revision;
  }

  async list(): Promise<OwnershipList> {
    const records = new Map([...this.#kept].map(([stream, { record }]) => [stream, record]));
    return { records, unreadable: [] };
  }

  async *watch(): AsyncIterable<readonly [StreamId, OwnershipRecord]> {
    const changes = [...(await this.list()).records].map(([stream, record]) => [stream, record] as const);
    let more = Promise.withResolvers<void>();
    const tell = (change: readonly [StreamId, OwnershipRecord]): void => {
      changes.push(change);
      more.resolve();
    };
    this.#watchers.add(tell);
    try {
      while (!this.#isClosed) {
        more = Promise.withResolvers();
        for (const change of changes.splice(0)) yield change;
        if (changes.length === 0) await Promise.race([more.promise, this.#closed.promise]);
      }
    } finally {
      this.#watchers.delete(tell);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#closed.resolve();
  }
}
