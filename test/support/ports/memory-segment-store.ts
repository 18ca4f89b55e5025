/** The segment-store port in memory: it passes the port's contract. */
import { checkKey, checkPrefix, checkRange } from '../../../actors/segment-store/object-key.ts';
import type { SegmentStore } from '../../../actors/segment-store/segment-store.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';

export class MemorySegmentStore implements SegmentStore {
  readonly objects: Map<string, Uint8Array>;
  readonly #utcMs: () => number;
  #isClosed = false;

  /**
   * @param objects of another opening of the same store
   * @param utcMs when objects are told to have been stored
   */
  constructor(objects = new Map<string, Uint8Array>(), utcMs = () => 0) {
    this.objects = objects;
    this.#utcMs = utcMs;
  }

  async putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'stored' | 'present'> {
    checkKey(key);
    this.#mayGoOn(signal);
    if (this.objects.has(key)) return 'present';
    this.objects.set(key, body);
    return 'stored';
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key);
    this.#mayGoOn(signal);
    const body = this.objects.get(key);
    if (body === undefined) throw new TangazaError('SEGMENT_NOT_FOUND', `There is no ${key}.`);
    return body;
  }

  async range(key: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key);
    checkRange(key, start, end);
    const body = await this.get(key, signal);
    if (start >= body.length)
      throw new TangazaError('RANGE_NOT_SATISFIABLE', `${key} has ${body.length} bytes.`);
    return body.subarray(start, end);
  }

  async *list(prefix: string) {
    checkPrefix(prefix);
    this.#mayGoOn();
    for (const [key, body] of [...this.objects].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (key.startsWith(prefix)) yield { key, bytes: body.length, storedAtMs: this.#utcMs() };
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    this.#mayGoOn();
    for (const key of keys) this.objects.delete(key);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #mayGoOn(signal?: AbortSignal): void {
    signal?.throwIfAborted();
    if (this.#isClosed) throw new TangazaError('STORE_UNAVAILABLE', 'The segment store is closed.');
  }
}
