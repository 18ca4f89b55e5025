/**
 * Remembers ownership records. While NATS does not answer, people and hints get what was last known (C8).
 *
 * K1. Decisions use the store (`get`, `put`, `list`). What is remembered is shown, and no decision takes it for the truth.
 * K2. An answer from memory says how old it is, so that nobody takes it for the present.
 * K3. A reader waits for the store only for a moment, and not at all while the connection is known to be down. Where nothing
 *     is remembered yet, it waits as long as the store does, and fails as the store does.
 * K4. A watch brings changes at once. Every few seconds a full list fetches what the watch missed and dates every entry, as a
 *     watch does not show when it last worked. The memory never takes an epoch back.
 */
import type { StreamId } from '../model/ids.ts';
import type { Clock } from '../time/clock.ts';
import { within } from '../time/within.ts';
import type {
  OwnershipList,
  OwnershipRecord,
  OwnershipStore,
  WatchedOwnershipStore,
} from './ownership-store.ts';

type Records = ReadonlyMap<StreamId, OwnershipRecord>;

export interface Known<T> {
  readonly value: T;
  /** How many ms ago it was read, where the store does not answer. Absent: it was read just now. */
  readonly ageMs?: number;
}

export interface KnownOwnership extends OwnershipStore {
  /**
   * What is known of one stream, and how old that is (K2). @throws TangazaError `LOG_UNAVAILABLE` when the store does not answer and
   * nothing is known
   */
  known(stream: StreamId): Promise<Known<OwnershipRecord | undefined>>;
  /**
   * What is known of all streams, and how old that is (K2). @throws TangazaError `LOG_UNAVAILABLE` when the store does not answer and
   * nothing is known
   */
  allKnown(): Promise<Known<Records>>;
}

export interface OwnershipMemoryPorts {
  readonly store: WatchedOwnershipStore;
  readonly clock: Clock;
  /** True while the connection is known to be gone, so that nobody waits for an answer. */
  readonly isDown: () => boolean;
}

/** How long a reader waits for the store before it gets what is remembered (K3). */
const patienceMs = 1000;
const refreshEveryMs = 5000;

export class OwnershipMemory implements KnownOwnership {
  readonly #ports: OwnershipMemoryPorts;
  readonly #remembered = new Map<StreamId, { readonly record: OwnershipRecord; readonly atMs: number }>();
  /** When the whole list was last read; undefined before the first time. */
  #listedAtMs: number | undefined;
  #stop: (() => void) | undefined;

  constructor(ports: OwnershipMemoryPorts) {
    this.#ports = ports;
  }

  /** Watches for changes, and reads the list every few seconds for what the watch may have missed (K4). */
  start(): void {
    const { clock } = this.#ports;
    const refresh = async (): Promise<void> => {
      const isFresh =
        this.#listedAtMs !== undefined && clock.monotonicMs() - this.#listedAtMs < refreshEveryMs;
      if (!isFresh) await this.list().catch(() => {}); // a later read may succeed, and what is known stays
    };
    void refresh();
    this.#follow().catch(() => {}); // the list works without the watch
    this.#stop = clock.every(refreshEveryMs, refresh);
  }

  stop(): void {
    this.#stop?.();
    this.#ports.store.close();
  }

  async #follow(): Promise<void> {
    for await (const [stream, record] of this.#ports.store.watch()) {
      const known = this.#remembered.get(stream)?.record.epoch ?? 0;
      if (record.epoch >= known) this.#note(stream, record, this.#ports.clock.monotonicMs());
    }
  }

  /** Asks the store, as a decision must (K1). */
  async get(stream: StreamId): ReturnType<OwnershipStore['get']> {
    const atMs = this.#ports.clock.monotonicMs();
    const found = await this.#ports.store.get(stream);
    this.#note(stream, found.record, atMs);
    return found;
  }

  async put(stream: StreamId, record: OwnershipRecord, revision: number): Promise<number> {
    const atMs = this.#ports.clock.monotonicMs();
    const written = await this.#ports.store.put(stream, record, revision);
    this.#note(stream, record, atMs);
    return written;
  }

  async list(): Promise<OwnershipList> {
    const atMs = this.#ports.clock.monotonicMs();
    const listed = await this.#ports.store.list();
    for (const [stream, known] of this.#remembered) if (known.atMs <= atMs) this.#remembered.delete(stream);
    for (const [stream, record] of listed.records) this.#note(stream, record, atMs);
    this.#listedAtMs = Math.max(atMs, this.#listedAtMs ?? atMs);
    return listed;
  }

  known(stream: StreamId): Promise<Known<OwnershipRecord | undefined>> {
    return this.#within(
      async () => (await this.get(stream)).record,
      () => this.#recall(stream),
    );
  }

  allKnown(): Promise<Known<Records>> {
    return this.#within(
      async () => (await this.list()).records,
      () => this.#recallAll(),
    );
  }

  /** Asks the store for a moment, then falls back on what is remembered (K3). */
  async #within<T>(ask: () => Promise<T>, recall: () => Known<T> | undefined): Promise<Known<T>> {
    const { clock, isDown } = this.#ports;
    const before = recall();
    if (before !== undefined && isDown()) return before;
    const fresh = ask().then((value) => ({ value }));
    if (before === undefined) return fresh;
    const late = (): undefined => undefined;
    const answer = await within(fresh, { clock, ms: patienceMs, late }).catch(late);
    return answer ?? recall() ?? before;
  }

  #note(stream: StreamId, record: OwnershipRecord | undefined, atMs: number): void {
    if ((this.#remembered.get(stream)?.atMs ?? atMs) > atMs) return;
    if (record === undefined) this.#remembered.delete(stream);
    else this.#remembered.set(stream, { record, atMs });
  }

  #recall(stream: StreamId): Known<OwnershipRecord | undefined> | undefined {
    const known = this.#remembered.get(stream);
    const atMs = known?.atMs ?? this.#listedAtMs;
    return atMs === undefined ? undefined : { value: known?.record, ageMs: this.#since(atMs) };
  }

  #recallAll(): Known<Records> | undefined {
    if (this.#listedAtMs === undefined) return undefined;
    const value = new Map([...this.#remembered].map(([stream, { record }]) => [stream, record]));
    return { value, ageMs: this.#since(this.#listedAtMs) };
  }

  #since(atMs: number): number {
    return Math.max(0, Math.round(this.#ports.clock.monotonicMs() - atMs));
  }
}
