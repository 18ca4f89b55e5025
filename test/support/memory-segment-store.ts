/** A segment store in memory, with the errors of the real ones. */
import type { SegmentStore } from '../../actors/segment-store/segment-store.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';

export class MemorySegmentStore implements SegmentStore {
  readonly objects = new Map<string, Uint8Array>();

  async putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'stored' | 'present'> {
    signal?.throwIfAborted();
    if (this.objects.has(key)) return 'present';
    this.objects.set(key, body);
    return 'stored';
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const body = this.objects.get(key);
    if (body === undefined) throw new TangazaError('SEGMENT_NOT_FOUND', `There is no ${key}.`);
    return body;
  }

  async range(key: string, start: number, end: number): Promise<Uint8Array> {
    const body = await this.get(key);
    if (start >= body.length) throw new TangazaError('RANGE_NOT_SATISFIABLE');
    return body.subarray(start, end);
  }

  async *list(prefix: string) {
    for (const [key, body] of [...this.objects].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (key.startsWith(prefix)) yield { key, bytes: body.length, storedAtMs: 0 };
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    keys.forEach((key) => this.objects.delete(key));
  }

  async close(): Promise<void> {}
}
