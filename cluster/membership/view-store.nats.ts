/** Stores the membership view under the key `view` of the KV bucket `members-{region}` (C3). */
import type { NatsConnection } from '@nats-io/transport-node';
import { subjects } from '../contract/subjects.ts';
import type { RegionId } from '../model/ids.ts';
import type { Logger } from '../observe/logger.ts';
import { openBucket, type Bucket, type Kept } from '../nats/bucket.nats.ts';
import type { Clock } from '../time/clock.ts';
import { View } from './view.ts';
import type { StoredView, ViewStore } from './view-store.ts';

const key = 'view';

interface ViewStoreOptions {
  readonly connection: NatsConnection;
  readonly region: RegionId;
  readonly replicas?: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Opens the region's bucket and makes it if there is none. @throws TangazaError `LOG_UNAVAILABLE` */
export async function openNatsViewStore(options: ViewStoreOptions): Promise<ViewStore> {
  return new NatsViewStore(await openBucket(`${subjects.memberBucket}-${options.region}`, options), options);
}

class NatsViewStore implements ViewStore {
  readonly #bucket: Bucket;
  readonly #clock: Clock;
  readonly #logger: Logger;
  answeredAtMs: number;

  constructor(bucket: Bucket, { clock, logger }: ViewStoreOptions) {
    this.#bucket = bucket;
    this.#clock = clock;
    this.#logger = logger;
    this.answeredAtMs = clock.monotonicMs();
  }

  async read(): Promise<StoredView> {
    const askedAtMs = this.#clock.monotonicMs();
    const kept = await this.#bucket.get('the membership view', key);
    this.answeredAtMs = Math.max(askedAtMs, this.answeredAtMs);
    return kept === undefined ? { view: undefined, revision: 0 } : this.#parse(kept);
  }

  async write(view: View, revision: number): Promise<void> {
    const text = JSON.stringify(view);
    await this.#bucket.put('a change of the membership view', { key, text, revision });
  }

  async *watch(): AsyncIterable<StoredView> {
    for await (const kept of this.#bucket.watch(key)) yield this.#parse(kept);
  }

  async close(): Promise<void> {
    this.#bucket.close();
  }

  #parse({ revision, text }: Kept): StoredView {
    if (text === undefined) return { view: undefined, revision };
    try {
      return { view: View.parse(JSON.parse(text)), revision };
    } catch (error) {
      this.#logger.error({ err: error }, 'the membership view cannot be read; the members rebuild it');
      return { view: undefined, revision };
    }
  }
}
