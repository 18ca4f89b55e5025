/** The stream registry in memory, and the same with troubles: slow, or gone. */
import { answerOf, type Answer, type IdempotentRequest } from '../../../../actors/control/idempotency.ts';
import {
  removedKeptMs,
  type NewStream,
  type RemovedStream,
  type StreamEntry,
  type StreamRegistry,
} from '../../../../actors/control/stream-registry.ts';
import type { StreamPlace } from '../../../../cluster/contract/api/cursor.ts';
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../../cluster/model/ids.ts';

const dayMs = 86_400_000;

interface Row {
  readonly entry: StreamEntry;
  readonly keyHash: string;
  readonly keySalt: string;
}
interface Removed extends RemovedStream {
  readonly keyHash: string;
}
interface Remembered {
  readonly fingerprint: string;
  readonly streamId: StreamId | undefined;
  readonly atMs: number;
  readonly reply: string | null;
}

export class MemoryStreamRegistry implements StreamRegistry {
  readonly #rows = new Map<StreamId, Row>();
  readonly #removed = new Map<StreamId, Removed>();
  readonly #requests = new Map<string, Remembered>();

  async create(stream: NewStream): Promise<{ entry: StreamEntry; keySalt: string }> {
    const { id, title, ladder, nowMs, keyHash, keySalt, request } = stream;
    const before = request === undefined ? undefined : this.#known(request, nowMs);
    const made = before?.streamId === undefined ? undefined : this.#rows.get(before.streamId);
    if (made !== undefined) return { entry: made.entry, keySalt: made.keySalt };
    if (this.#rows.has(id)) throw new TangazaError('CONFLICT', `There is a stream ${id} already.`);
    if (this.#kept(nowMs).some((one) => one.id === id) && stream.mayRevive !== true)
      throw new TangazaError('CONFLICT', `There was a stream ${id}.`);
    this.#removed.delete(id);
    const entry = { id, title, ladder, createdAtMs: nowMs, updatedAtMs: nowMs };
    this.#rows.set(id, { entry, keyHash, keySalt });
    if (request !== undefined)
      this.#requests.set(request.key, {
        fingerprint: request.fingerprint,
        streamId: id,
        atMs: nowMs,
        reply: null,
      });
    return { entry, keySalt };
  }

  async get(id: StreamId): Promise<StreamEntry | undefined> {
    return this.#rows.get(id)?.entry;
  }

  async list(limit: number, after?: StreamPlace): Promise<readonly StreamEntry[]> {
    return [...this.#rows.values()]
      .map(({ entry }) => entry)
      .toSorted(newestFirst)
      .filter((entry) => after === undefined || newestFirst(after, entry) < 0)
      .slice(0, limit);
  }

  async claim(request: IdempotentRequest, nowMs: number): Promise<Answer> {
    const known = this.#known(request, nowMs);
    const answer = answerOf(request, known, nowMs);
    const { key, fingerprint } = request;
    if (answer.kind === 'new')
      this.#requests.set(key, { fingerprint, streamId: known?.streamId, atMs: nowMs, reply: null });
    return answer;
  }

  async settle(request: IdempotentRequest, nowMs: number, reply: string | undefined): Promise<void> {
    const known = this.#known(request, nowMs);
    if (reply === undefined) this.#requests.delete(request.key);
    else if (known !== undefined) this.#requests.set(request.key, { ...known, atMs: nowMs, reply });
  }

  async update(id: StreamId, change: { title?: string; ladder?: string }, nowMs: number) {
    return this.#change(id, ({ entry, ...row }) => ({
      ...row,
      entry: { ...entry, ...change, updatedAtMs: nowMs },
    }));
  }

  async rotateKey(id: StreamId, key: { keyHash: string; keySalt: string }, nowMs: number) {
    return this.#change(id, ({ entry }) => ({ ...key, entry: { ...entry, updatedAtMs: nowMs } }));
  }

  async remove(id: StreamId, nowMs: number): Promise<boolean> {
    const row = this.#rows.get(id);
    if (row === undefined) return false;
    for (const [other, { removedAtMs }] of this.#removed)
      if (removedAtMs <= nowMs - removedKeptMs) this.#removed.delete(other);
    this.#removed.set(id, { id, removedAtMs: nowMs, keyHash: row.keyHash });
    return this.#rows.delete(id);
  }

  async findByKeyHash(keyHash: string): Promise<StreamEntry | undefined> {
    return [...this.#rows.values()].find((row) => row.keyHash === keyHash)?.entry;
  }

  async removed(id: StreamId, nowMs: number): Promise<RemovedStream | undefined> {
    return this.#kept(nowMs).find((one) => one.id === id);
  }

  async removedWithKeyHash(keyHash: string, nowMs: number): Promise<RemovedStream | undefined> {
    const found = [...this.#removed.values()].find((one) => one.keyHash === keyHash);
    return found === undefined ? undefined : this.removed(found.id, nowMs);
  }

  async removedSince(sinceMs: number): Promise<readonly RemovedStream[]> {
    return [...this.#removed.values()]
      .filter(({ removedAtMs }) => removedAtMs >= sinceMs)
      .map(({ id, removedAtMs }) => ({ id, removedAtMs }));
  }

  async close(): Promise<void> {}

  #kept(nowMs: number): readonly RemovedStream[] {
    return [...this.#removed.values()]
      .filter(({ removedAtMs }) => removedAtMs > nowMs - removedKeptMs)
      .map(({ id, removedAtMs }) => ({ id, removedAtMs }));
  }

  #known({ key, fingerprint }: IdempotentRequest, nowMs: number): Remembered | undefined {
    const known = this.#requests.get(key);
    if (known === undefined || known.atMs < nowMs - dayMs) return undefined;
    if (known.fingerprint === fingerprint) return known;
    throw new TangazaError('IDEMPOTENCY_KEY_REUSED');
  }

  #change(id: StreamId, change: (row: Row) => Row): StreamEntry | undefined {
    const row = this.#rows.get(id);
    if (row === undefined) return undefined;
    const changed = change(row);
    this.#rows.set(id, changed);
    return changed.entry;
  }
}

function newestFirst(a: StreamPlace, b: StreamPlace): number {
  if (a.createdAtMs !== b.createdAtMs) return b.createdAtMs - a.createdAtMs;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

export type Trouble =
  | { readonly kind: 'none' }
  | { readonly kind: 'slow'; readonly ms: number }
  /** It can be asked, and never answers. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'gone' };

/** Whatever it is asked, its trouble comes first. */
export class TroubledRegistry implements StreamRegistry {
  trouble: Trouble = { kind: 'none' };
  readonly #inner: StreamRegistry;

  constructor(inner: StreamRegistry) {
    this.#inner = inner;
  }

  create = (...a: Parameters<StreamRegistry['create']>) => this.#after(() => this.#inner.create(...a));
  get = (...a: Parameters<StreamRegistry['get']>) => this.#after(() => this.#inner.get(...a));
  list = (...a: Parameters<StreamRegistry['list']>) => this.#after(() => this.#inner.list(...a));
  claim = (...a: Parameters<StreamRegistry['claim']>) => this.#after(() => this.#inner.claim(...a));
  settle = (...a: Parameters<StreamRegistry['settle']>) => this.#after(() => this.#inner.settle(...a));
  update = (...a: Parameters<StreamRegistry['update']>) => this.#after(() => this.#inner.update(...a));
  rotateKey = (...a: Parameters<StreamRegistry['rotateKey']>) =>
    this.#after(() => this.#inner.rotateKey(...a));
  remove = (...a: Parameters<StreamRegistry['remove']>) => this.#after(() => this.#inner.remove(...a));
  findByKeyHash = (...a: Parameters<StreamRegistry['findByKeyHash']>) =>
    this.#after(() => this.#inner.findByKeyHash(...a));
  removed = (...a: Parameters<StreamRegistry['removed']>) => this.#after(() => this.#inner.removed(...a));
  removedWithKeyHash = (...a: Parameters<StreamRegistry['removedWithKeyHash']>) =>
    this.#after(() => this.#inner.removedWithKeyHash(...a));
  removedSince = (...a: Parameters<StreamRegistry['removedSince']>) =>
    this.#after(() => this.#inner.removedSince(...a));
  close = () => this.#inner.close();

  async #after<T>(work: () => Promise<T>): Promise<T> {
    const { trouble } = this;
    if (trouble.kind === 'gone') throw new TangazaError('UNAVAILABLE', 'The registry of streams is gone.');
    if (trouble.kind === 'silent') await new Promise<never>(() => {});
    if (trouble.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, trouble.ms));
    return work();
  }
}
