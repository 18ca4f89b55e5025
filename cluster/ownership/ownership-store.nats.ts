/**
 * Stores ownership records in the JetStream KV bucket `ownership-{region}`, changed by compare-and-set (C1).
 *
 * A value that cannot be read counts as no record, but keeps its revision and its place in the list. The next claim replaces it, and takes
 * its epoch from the log's head, as it does where the bucket was lost (C5).
 */
import type { NatsConnection } from '@nats-io/transport-node';
import { subjects } from '../contract/subjects.ts';
import { StreamId, type RegionId } from '../model/ids.ts';
import type { Logger } from '../observe/logger.ts';
import { openBucket, type Bucket, type Kept } from '../nats/bucket.nats.ts';
import {
  OwnershipRecord,
  type OwnershipList,
  type OwnershipStore,
  type WatchedOwnershipStore,
} from './ownership-store.ts';

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
  const bucket = await openBucket(`${subjects.ownershipBucket}-${options.region}`, options);
  return new NatsOwnershipStore(bucket, options.logger);
}

class NatsOwnershipStore implements WatchedOwnershipStore {
  readonly #bucket: Bucket;
  readonly #logger: Logger;

  constructor(bucket: Bucket, logger: Logger) {
    this.#bucket = bucket;
    this.#logger = logger;
  }

  async get(stream: StreamId): ReturnType<OwnershipStore['get']> {
    const kept = await this.#bucket.get(`ownership of ${stream}`, stream);
    return { record: kept === undefined ? undefined : this.#parse(kept), revision: kept?.revision ?? 0 };
  }

  put(stream: StreamId, record: OwnershipRecord, revision: number): Promise<number> {
    return this.#bucket.put(`claim of ${stream}`, { key: stream, text: JSON.stringify(record), revision });
  }

  async list(): Promise<OwnershipList> {
    const records = new Map<StreamId, OwnershipRecord>();
    const unreadable: StreamId[] = [];
    for (const kept of await this.#bucket.list('the list of owners')) {
      const stream = StreamId.safeParse(kept.key);
      if (!stream.success || kept.text === undefined) continue;
      const record = this.#parse(kept);
      if (record === undefined) unreadable.push(stream.data);
      else records.set(stream.data, record);
    }
    return { records, unreadable };
  }

  async *watch(): AsyncIterable<readonly [StreamId, OwnershipRecord]> {
    for await (const kept of this.#bucket.watch()) {
      const stream = StreamId.safeParse(kept.key);
      const record = this.#parse(kept);
      if (stream.success && record !== undefined) yield [stream.data, record];
    }
  }

  close(): void {
    this.#bucket.close();
  }

  #parse({ key, text }: Kept): OwnershipRecord | undefined {
    if (text === undefined) return undefined;
    try {
      return OwnershipRecord.parse(JSON.parse(text));
    } catch (error) {
      this.#logger.warn({ stream: key, err: error }, 'an ownership record cannot be read; it counts as none');
      return undefined;
    }
  }
}
