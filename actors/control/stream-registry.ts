/** The stream-registry port: what streams there are and which key publishes to which. Keys are kept as hashes only. */
import type { StreamId } from '../../cluster/model/ids.ts';

export interface StreamEntry {
  readonly id: StreamId;
  readonly title: string;
  readonly ladder: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface NewStream {
  readonly id: StreamId;
  readonly title: string;
  readonly ladder: string;
  readonly keyHash: string;
  /** What the key was derived from; without the node's secret it is worth nothing. */
  readonly keySalt: string;
  readonly nowMs: number;
  /** The same key from the same caller within a day is the same stream. */
  readonly idempotencyKey?: string;
}

export interface StreamRegistry {
  /** @returns the new stream, or the one that the idempotency key made before, with its salt. @throws `CONFLICT` when the id is taken */
  create(stream: NewStream): { readonly entry: StreamEntry; readonly keySalt: string };
  get(id: StreamId): StreamEntry | undefined;
  /** Newest first; `after` is the last id of the page before. */
  list(limit: number, after?: string): readonly StreamEntry[];
  update(
    id: StreamId,
    change: { readonly title?: string; readonly ladder?: string },
    nowMs: number,
  ): StreamEntry | undefined;
  rotateKey(
    id: StreamId,
    key: { readonly keyHash: string; readonly keySalt: string },
    nowMs: number,
  ): StreamEntry | undefined;
  remove(id: StreamId): boolean;
  findByKeyHash(keyHash: string): StreamEntry | undefined;
  close(): void;
}
