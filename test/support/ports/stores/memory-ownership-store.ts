/** Ownership records in memory, changed by compare-and-set as in the bucket. */
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../../cluster/model/ids.ts';
import type {
  OwnershipList,
  OwnershipRecord,
  OwnershipStore,
  WatchedOwnershipStore,
} from '../../../../cluster/ownership/ownership-store.ts';

type Change = readonly [StreamId, OwnershipRecord];

interface Kept {
  readonly record: OwnershipRecord;
  readonly revision: number;
}

export class MemoryOwnershipStore implements WatchedOwnershipStore {
  readonly #kept = new Map<StreamId, Kept>();
  readonly #watchers = new Set<ReadableStreamDefaultController<Change>>();
  #revision = 0;

  async get(stream: StreamId): ReturnType<OwnershipStore['get']> {
    const kept = this.#kept.get(stream);
    return { record: kept?.record, revision: kept?.revision ?? 0 };
  }

  async put(stream: StreamId, record: OwnershipRecord, revision: number): Promise<number> {
    if (revision !== (this.#kept.get(stream)?.revision ?? 0)) throw new TangazaError('CONFLICT');
    this.#revision += 1;
    this.#kept.set(stream, { record, revision: this.#revision });
    for (const watcher of this.#watchers) watcher.enqueue([stream, record]);
    return this.#revision;
  }

  async list(): Promise<OwnershipList> {
    const records = new Map([...this.#kept].map(([stream, { record }]) => [stream, record]));
    return { records, unreadable: [] };
  }

  watch(): AsyncIterable<Change> {
    let end = (): void => {};
    return new ReadableStream<Change>({
      start: (controller) => {
        for (const [stream, { record }] of this.#kept) controller.enqueue([stream, record]);
        this.#watchers.add(controller);
        end = () => this.#watchers.delete(controller);
      },
      cancel: () => end(),
    });
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers.clear();
  }
}
