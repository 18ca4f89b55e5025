/**
 * A KV bucket of a region. One bucket holds the ownership records, another one the membership view (C1, C3).
 *
 * B1. Values are changed by compare-and-set. Reads ask the leader (`allow_direct: false`), so they see every earlier write.
 *     `update()` refuses revision 0, so the first write of a key is a `create()`.
 * B2. When a bucket is gone together with its server's disk, the next read, first write or watch makes it again, empty.
 * B3. A watch keeps no place. When anything happens to its consumer, the next one begins with the last value of each key. Some
 *     values come twice, and the last value of each key always comes. A bucket that was made again is followed too, though its
 *     revisions begin at 1 again.
 */
import { DeliverPolicy, jetstream, type JetStreamClient, type JsMsg } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { Logger } from '../observe/logger.ts';
import { asking, isStreamGone, isWrongRevision } from './asking.nats.ts';
import { consume, pauseAfter } from './consume.nats.ts';

const requestTimeoutMs = 2000;

export interface BucketOptions {
  readonly connection: NatsConnection;
  readonly replicas?: number;
  readonly logger: Logger;
}

export interface Kept {
  readonly key: string;
  readonly revision: number;
  /** Undefined where the key was deleted. */
  readonly text: string | undefined;
}

/** Opens the bucket and makes it if there is none. @throws TangazaError `LOG_UNAVAILABLE` */
export function openBucket(name: string, options: BucketOptions): Promise<Bucket> {
  const js = jetstream(options.connection, { timeout: requestTimeoutMs });
  const { replicas = 1 } = options;
  const settings = { history: 1, replicas, allow_direct: false, timeout: requestTimeoutMs };
  const open = (): Promise<KV> => new Kvm(js).create(name, settings);
  return asking(
    `the bucket ${name} cannot be opened`,
    async () => new Bucket({ name, js, open, kv: await open() }, options),
  );
}

interface BucketParts {
  readonly name: string;
  readonly js: JetStreamClient;
  readonly kv: KV;
  /** Opens the bucket, and makes it again where it is gone (B2). */
  readonly open: () => Promise<KV>;
}

export class Bucket {
  readonly #parts: BucketParts;
  readonly #connection: NatsConnection;
  readonly #logger: Logger;
  readonly #ending = new AbortController();

  constructor(parts: BucketParts, { connection, logger }: BucketOptions) {
    this.#parts = parts;
    this.#connection = connection;
    this.#logger = logger;
  }

  /** Reads a value from the leader (B1). @param what is asked, in words, for errors. @throws TangazaError `LOG_UNAVAILABLE` */
  get(what: string, key: string): Promise<Kept | undefined> {
    return this.#asking(what, async () => {
      const entry = await this.#parts.kv.get(key);
      return entry === null ? undefined : keptOf(entry);
    });
  }

  /**
   * Writes a value by compare-and-set (B1). @returns the new revision. @throws TangazaError `CONFLICT` when another writer was faster;
   * `LOG_UNAVAILABLE`
   */
  put(what: string, { key, text, revision }: Kept & { readonly text: string }): Promise<number> {
    const { kv } = this.#parts;
    return this.#asking(what, async () => {
      try {
        return await (revision === 0
          ? kv.create(key, text)
          : kv.update(key, text, revision, requestTimeoutMs));
      } catch (error) {
        if (!isWrongRevision(error)) throw error;
        throw new TangazaError('CONFLICT', `${what}: it has changed since revision ${revision}`, {
          cause: error,
        });
      }
    });
  }

  /** Reads the last value of each key. @throws TangazaError `LOG_UNAVAILABLE` */
  list(what: string): Promise<readonly Kept[]> {
    return this.#asking(what, async () => {
      const all: Kept[] = [];
      for await (const entry of await this.#parts.kv.history()) all.push(keptOf(entry));
      return all;
    });
  }

  /** Gives the present values and then every new one (B3). Ends when the bucket or the connection is closed. */
  async *watch(key = '>'): AsyncIterable<Kept> {
    const { name, js, open } = this.#parts;
    const { signal } = this.#ending;
    const prefix = `$KV.${name}.`;
    const source = { connection: this.#connection, js, stream: `KV_${name}` };
    const from = { filter_subjects: `${prefix}${key}`, deliver_policy: DeliverPolicy.LastPerSubject };
    for (let failures = 0; !signal.aborted && !this.#connection.isClosed(); failures += 1) {
      try {
        for await (const message of consume(source, from, signal)) {
          failures = 0;
          yield keptOfMessage(message, prefix);
        }
      } catch (error) {
        this.#logger.debug({ bucket: name, err: error }, 'the watch of a bucket starts again');
        if (isStreamGone(error)) await open().catch(() => {});
      }
      await pauseAfter(failures, signal);
    }
  }

  /** Ends the watches. Nothing else needs to be closed. */
  close(): void {
    this.#ending.abort();
  }

  #asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
    return asking(what, ask, this.#parts.open);
  }
}

function keptOf(entry: {
  readonly key: string;
  readonly revision: number;
  readonly operation: string;
  string(): string;
}): Kept {
  const { key, revision, operation } = entry;
  return { key, revision, text: operation === 'PUT' ? entry.string() : undefined };
}

/** Reads a message as the KV layer writes it: a deletion has a header and no value. */
function keptOfMessage(message: JsMsg, prefix: string): Kept {
  const isDeleted = (message.headers?.get('KV-Operation') ?? '') !== '';
  return {
    key: message.subject.slice(prefix.length),
    revision: message.seq,
    text: isDeleted ? undefined : message.string(),
  };
}
