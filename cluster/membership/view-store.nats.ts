/** The membership view under the key `view` of the KV bucket `members-{region}` (C3, facts 3). */
import { jetstream } from '@nats-io/jetstream';
import { Kvm, type KV, type KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { subjects } from '../contract/subjects.ts';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { RegionId } from '../model/ids.ts';
import type { Logger } from '../observe/logger.ts';
import type { Clock } from '../time/clock.ts';
import { asking, isWrongRevision } from '../ownership/asking.nats.ts';
import { View } from './view.ts';
import type { StoredView, ViewStore } from './view-store.ts';

const key = 'view';
const requestTimeoutMs = 2000;

interface ViewStoreOptions {
  readonly connection: NatsConnection;
  readonly region: RegionId;
  readonly replicas?: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Opens the region's bucket and makes it if there is none. @throws TangazaError `LOG_UNAVAILABLE` */
export function openNatsViewStore(options: ViewStoreOptions): Promise<ViewStore> {
  return asking('the membership bucket cannot be opened', async () => {
    const kv = await new Kvm(jetstream(options.connection, { timeout: requestTimeoutMs })).create(
      `${subjects.memberBucket}-${options.region}`,
      { history: 1, replicas: options.replicas ?? 1, allow_direct: false, timeout: requestTimeoutMs },
    );
    const watcher = await kv.watch({ key });
    return new NatsViewStore(kv, watcher, options);
  });
}

class NatsViewStore implements ViewStore {
  readonly #kv: KV;
  readonly #watcher: Awaited<ReturnType<KV['watch']>>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  answeredAtMs: number;

  constructor(kv: KV, watcher: Awaited<ReturnType<KV['watch']>>, { clock, logger }: ViewStoreOptions) {
    this.#kv = kv;
    this.#watcher = watcher;
    this.#clock = clock;
    this.#logger = logger;
    this.answeredAtMs = clock.monotonicMs();
  }

  read(): Promise<StoredView> {
    return asking('the membership view', async () => {
      const askedAtMs = this.#clock.monotonicMs();
      const entry = await this.#kv.get(key);
      this.answeredAtMs = Math.max(askedAtMs, this.answeredAtMs);
      return entry === null ? { view: undefined, revision: 0 } : this.#parse(entry);
    });
  }

  write(view: View, revision: number): Promise<void> {
    return asking('a change of the membership view', async () => {
      const value = JSON.stringify(view);
      try {
        await (revision === 0
          ? this.#kv.create(key, value)
          : this.#kv.update(key, value, revision, requestTimeoutMs));
      } catch (error) {
        if (!isWrongRevision(error)) throw error;
        throw new TangazaError('CONFLICT', 'the membership view has changed meanwhile', { cause: error });
      }
    });
  }

  async *watch(): AsyncIterable<StoredView> {
    for await (const entry of this.#watcher) yield this.#parse(entry);
  }

  async close(): Promise<void> {
    this.#watcher.stop();
  }

  #parse(entry: KvEntry): StoredView {
    const { revision } = entry;
    if (entry.operation !== 'PUT') return { view: undefined, revision };
    try {
      return { view: View.parse(JSON.parse(entry.string())), revision };
    } catch (error) {
      this.#logger.error({ err: error }, 'the membership view cannot be read; members build it again');
      return { view: undefined, revision };
    }
  }
}
