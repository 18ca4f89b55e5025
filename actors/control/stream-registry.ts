/**
 * The stream-registry port: which streams there are, and which key publishes to which. Keys are kept as hashes only.
 *
 * It may be slow, or gone: whoever asks goes through `registry-in-time.ts`, which bounds the wait.
 */
import type { StreamPlace } from '../../cluster/contract/api/cursor.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { Answer, IdempotentRequest } from './idempotency.ts';

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
  /** The salt from which the key was derived. Without the region's secret it is worth nothing. */
  readonly keySalt: string;
  readonly nowMs: number;
  /** Within a day, the same key means the same stream. */
  readonly request?: IdempotentRequest | undefined;
  /** Takes the id of a removed stream, which is otherwise refused. */
  readonly mayRevive?: boolean;
}

/** For so long the id of a removed stream is remembered, and refused. */
export const removedKeptMs = 30 * 86_400_000;

/** A removed stream: people still have its links and its key. */
export interface RemovedStream {
  readonly id: StreamId;
  readonly removedAtMs: number;
  /** Nobody removed it: another region had made one of the same id earlier, and that one stays (R12). */
  readonly hasLostId?: true;
}

/** Every method rejects with `UNAVAILABLE` when the registry cannot be asked. */
export interface StreamRegistry {
  /**
   * @returns the new stream, or the one that the idempotency key made before, with its salt
   * @throws `CONFLICT` when the id is taken, or was taken and is still remembered; `IDEMPOTENCY_KEY_REUSED`
   */
  create(stream: NewStream): Promise<{ readonly entry: StreamEntry; readonly keySalt: string }>;
  get(id: StreamId): Promise<StreamEntry | undefined>;
  /** Newest first, then by id. `after` is the place of the last stream on the page before, which may be gone. */
  list(limit: number, after?: StreamPlace): Promise<readonly StreamEntry[]>;
  /**
   * Claims a key for its request: who hears `new` performs it, and settles it then. All others hear `underWay` meanwhile.
   *
   * @throws `IDEMPOTENCY_KEY_REUSED` when the key stands for another request
   */
  claim(request: IdempotentRequest, nowMs: number): Promise<Answer>;
  /** Keeps the reply for a day. @param reply undefined: the request failed, and is forgotten */
  settle(request: IdempotentRequest, nowMs: number, reply: string | undefined): Promise<void>;
  update(
    id: StreamId,
    change: { readonly title?: string; readonly ladder?: string },
    nowMs: number,
  ): Promise<StreamEntry | undefined>;
  rotateKey(
    id: StreamId,
    key: { readonly keyHash: string; readonly keySalt: string },
    nowMs: number,
  ): Promise<StreamEntry | undefined>;
  /** Removes a stream. The ids and keys of the last 100,000 removed streams are remembered for 30 days. */
  remove(id: StreamId, nowMs: number): Promise<boolean>;
  findByKeyHash(keyHash: string): Promise<StreamEntry | undefined>;
  /** Undefined for a stream that never was, exists again, or is forgotten. */
  removed(id: StreamId, nowMs: number): Promise<RemovedStream | undefined>;
  removedWithKeyHash(keyHash: string, nowMs: number): Promise<RemovedStream | undefined>;
  /** The streams removed at or after that time: the latest 1000 at most. */
  removedSince(sinceMs: number): Promise<readonly RemovedStream[]>;
  close(): Promise<void>;
}

/** What is said to who publishes with its key. */
export const idWasLost = (id: StreamId): string =>
  `The stream ${id} of this key was made while regions did not hear each other, and another region had made one of that id before: create it anew with another id.`;

/** What is known of an id, in one word. */
export async function standingOf(registry: StreamRegistry, id: StreamId, nowMs: number) {
  const entry = await registry.get(id);
  if (entry !== undefined)
    return { kind: 'known', title: entry.title, createdAtMs: entry.createdAtMs } as const;
  const removed = await registry.removed(id, nowMs);
  if (removed !== undefined) return { kind: 'removed', removedAtMs: removed.removedAtMs } as const;
  return { kind: 'unknown' } as const;
}
