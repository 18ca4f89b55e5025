/**
 * Ownership records in a JetStream KV bucket `ownership-{region}`, changed by compare-and-set (C1, facts 3).
 *
 * `update()` refuses revision 0, so the first write is a `create()`. A value that cannot be read counts as none, but
 * keeps its revision: the next claim replaces it, and takes its epoch from the log's head (C5).
 */
import { jetstream } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { subjects } from '../contract/subjects.ts';
import { asking, isWrongRevision } from './asking.nats.ts';
import { TangazaError } from '../errors/tangaza-error.ts';
import { StreamId, type RegionId } from '../model/ids.ts';
import type { Logger } from '../observe/logger.ts';
import { OwnershipRecord, type OwnershipStore, type WatchedOwnershipStore } from './ownership-store.ts';

const requestTimeoutMs = 2000;

export interface NatsOwnershipStoreOptions {
  readonly connection: NatsConnection;
  readonly region: RegionId;
  readonly replicas?: number;
  readonly logger: Logger;
}

/** Opens the region's bucket and makes it if there is none. @throws TangazaError `LOG_UNAVAILABLE` */
export async function openNatsOwnershipStore(
  options: NatsOwnershipStoreOptions,
): Promise<WatchedOwnershipStore> {
  const open = (): Promise<KV> => openBucket(options);
  return asking('the ownership bucket cannot be opened', async () => {
    const kv = await open();
    return new NatsOwnershipStore({ kv, watcher: await kv.watch(), open }, options.logger);
  });
}

function openBucket({ connection, region, replicas = 1 }: NatsOwnershipStoreOptions): Promise<KV> {
  const kvm = new Kvm(jetstream(connection, { timeout: requestTimeoutMs }));
  const bucket = { history: 1, replicas, allow_direct: false, timeout: requestTimeoutMs };
  return kvm.create(`${subjects.ownershipBucket}-${region}`, bucket);
}

type Watcher = Awaited<ReturnType<KV['watch']>>;

class NatsOwnershipStore implements WatchedOwnershipStore {
  #kv: KV;
  readonly #watcher: Watcher;
  readonly #remake: () => Promise<void>;
  readonly #logger: Logger;

  constructor(
    { kv, watcher, open }: { readonly kv: KV; readonly watcher: Watcher; readonly open: () => Promise<KV> },
    logger: Logger,
  ) {
    this.#kv = kv;
    this.#watcher = watcher;
    this.#remake = async () => {
      this.#kv = await open();
    };
    this.#logger = logger;
  }

  /** Every request; a bucket that is gone is made again, and is empty (C5). */
  #asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
    return asking(what, ask, this.#remake);
  }

  get(stream: StreamId): ReturnType<OwnershipStore['get']> {
    return this.#asking(`ownership of ${stream}`, async () => {
      const entry = await this.#kv.get(stream);
      if (entry === null) return { record: undefined, revision: 0 };
      const record = entry.operation === 'PUT' ? this.#parse(stream, entry.string()) : undefined;
      return { record, revision: entry.revision };
    });
  }

  put(stream: StreamId, record: OwnershipRecord, revision: number): Promise<number> {
    const value = JSON.stringify(record);
    return this.#asking(`claim of ${stream}`, async () => {
      try {
        return await (revision === 0
          ? this.#kv.create(stream, value)
          : this.#kv.update(stream, value, revision, requestTimeoutMs));
      } catch (error) {
        if (!isWrongRevision(error)) throw error;
        throw new TangazaError('CONFLICT', `${stream}: the record has changed since revision ${revision}`, {
          cause: error,
        });
      }
    });
  }

  list(): Promise<ReadonlyMap<StreamId, OwnershipRecord>> {
    return this.#asking('the list of owners', async () => {
      const records = new Map<StreamId, OwnershipRecord>();
      for await (const entry of await this.#kv.history()) {
        const stream = StreamId.safeParse(entry.key);
        const record = entry.operation === 'PUT' ? this.#parse(entry.key, entry.string()) : undefined;
        if (stream.success && record !== undefined) records.set(stream.data, record);
      }
      return records;
    });
  }

  async *watch(): AsyncIterable<readonly [StreamId, OwnershipRecord]> {
    for await (const entry of this.#watcher) {
      const stream = StreamId.safeParse(entry.key);
      const record = entry.operation === 'PUT' ? this.#parse(entry.key, entry.string()) : undefined;
      if (stream.success && record !== undefined) yield [stream.data, record];
    }
  }

  close(): void {
    this.#watcher.stop();
  }

  #parse(stream: string, text: string): OwnershipRecord | undefined {
    try {
      return OwnershipRecord.parse(JSON.parse(text));
    } catch (error) {
      this.#logger.warn({ stream, err: error }, 'an ownership record cannot be read; it counts as none');
      return undefined;
    }
  }
}
