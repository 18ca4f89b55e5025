/** The segment-store port: immutable objects by key. One contract test holds for every implementation. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** The UTC ms of the last put. */
  readonly storedAtMs: number;
}

export interface SegmentStore {
  /**
   * Puts the object unless the key is taken. It is atomic: a reader sees all of the object or nothing, even after a
   * crash.
   *
   * @returns `stored`, or `present` when the key was taken (the bytes are not compared, because keys are
   *   content-addressed)
   * @throws TangazaError `STORE_FULL`, `STORE_UNAVAILABLE`, `BAD_REQUEST` for a key that is not one
   */
  putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'stored' | 'present'>;
  /** @throws TangazaError `SEGMENT_NOT_FOUND`, `STORE_UNAVAILABLE` */
  get(key: string, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * The bytes `[start, end)`, clipped to the object.
   *
   * @throws as `get`, and `RANGE_NOT_SATISFIABLE` when start lies behind the end
   */
  range(key: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** In key order, a bounded page at a time. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject>;
  /** Deletes objects. A missing object is no error. */
  delete(keys: readonly string[], signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
