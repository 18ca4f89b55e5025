/** The segment-store port in memory, for tests of what reads it: counts gets, can hold them back and fail them. */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { SegmentStore, StoredObject } from '../../../actors/segment-store/segment-store.ts';

export class GatedSegmentStore implements SegmentStore {
  readonly objects = new Map<string, Uint8Array>();
  gets = 0;
  /** Each get waits for it. */
  gate: Promise<void> = Promise.resolve();
  /** The next get throws this. */
  nextError: TangazaError | undefined;

  async putIfAbsent(key: string, body: Uint8Array): Promise<'stored' | 'present'> {
    if (this.objects.has(key)) return 'present';
    this.objects.set(key, body);
    return 'stored';
  }

  async get(key: string): Promise<Uint8Array> {
    this.gets++;
    const error = this.nextError;
    this.nextError = undefined;
    await this.gate;
    if (error !== undefined) throw error;
    const body = this.objects.get(key);
    if (body === undefined) throw new TangazaError('SEGMENT_NOT_FOUND');
    return body;
  }

  async range(key: string, start: number, end: number): Promise<Uint8Array> {
    return (await this.get(key)).subarray(start, end);
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    for (const [key, body] of this.objects)
      if (key.startsWith(prefix)) yield { key, bytes: body.byteLength, storedAtMs: 0 };
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.objects.delete(key);
  }

  async close(): Promise<void> {}
}
