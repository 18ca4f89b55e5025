/**
 * Decides which objects of a store may go: those that are too old, and those that no commit ever named (M5).
 *
 * An init segment lives as long as a kept segment names it, however old it is. Only media goes by these rules: keys
 * below `index/` (checkpoints, C7) and other keys are not touched.
 *
 * E1. What is not known is kept: a stream whose log could not be read keeps all of its objects.
 */
import type { SegmentStore, StoredObject } from './segment-store.ts';

export interface ExpiryRules {
  /** By the clock that stamped the objects, or one close to it. */
  readonly nowMs: number;
  /** How long segments are kept. */
  readonly retentionMs: number;
  /** How long an object may wait for its commit: ten minutes (M5). */
  readonly uncommittedMs: number;
  /** The keys that a stream's log names, with its init segments; `undefined` when the log could not be read (E1). */
  readonly committedKeys: (stream: string) => ReadonlySet<string> | undefined;
}

export type Fate = 'keep' | 'expired' | 'uncommitted';

/** Objects that no commit names are deleted after ten minutes (M5). */
export const uncommittedMs = 600_000;

/** `{stream}/{period}/{rendition}/{startTime or init}-{hash}` (segment-key.ts). */
const mediaKey = /^([a-z0-9][a-z0-9_-]*)\/\d+\/[a-z0-9-]+\/(init|\d+)-[0-9a-f]{16}$/;

/** The stream that a media object belongs to; undefined for a key that names no media. */
export const streamOfMedia = (key: string): string | undefined => mediaKey.exec(key)?.[1];

/** What happens to an object. */
export function fateOf({ key, storedAtMs }: StoredObject, rules: ExpiryRules): Fate {
  const [, stream, start] = mediaKey.exec(key) ?? [];
  if (stream === undefined) return 'keep';
  const committed = rules.committedKeys(stream);
  if (committed === undefined) return 'keep';
  const ageMs = rules.nowMs - storedAtMs;
  if (!committed.has(key)) return ageMs > rules.uncommittedMs ? 'uncommitted' : 'keep';
  return start !== 'init' && ageMs > rules.retentionMs ? 'expired' : 'keep';
}

export interface SweepResult {
  readonly listed: number;
  readonly deleted: Readonly<Record<Exclude<Fate, 'keep'>, number>>;
  readonly deletedBytes: number;
  /** Whether the sweep stopped at its bound; the next one goes on. */
  readonly isCut: boolean;
}

export interface SweepOptions {
  readonly prefix?: string;
  /** How many objects one sweep deletes at most; 20,000. */
  readonly maxDeletes?: number;
  readonly signal?: AbortSignal;
}

const batchSize = 1000;

/**
 * Deletes what `decide` does not keep, in batches of 1,000.
 *
 * @throws as the store's `list` and `delete`; what was deleted until then stays deleted
 */
export async function sweep(
  store: SegmentStore,
  decide: (object: StoredObject) => Fate,
  options: SweepOptions = {},
): Promise<SweepResult> {
  const { prefix = '', maxDeletes = 20_000, signal } = options;
  const deleted = { expired: 0, uncommitted: 0 };
  let listed = 0;
  let deletedBytes = 0;
  let batch: string[] = [];
  let isCut = false;
  for await (const object of store.list(prefix, signal)) {
    listed += 1;
    const fate = decide(object);
    if (fate === 'keep') continue;
    isCut = deleted.expired + deleted.uncommitted >= maxDeletes;
    if (isCut) break;
    deleted[fate] += 1;
    deletedBytes += object.bytes;
    batch.push(object.key);
    if (batch.length < batchSize) continue;
    await store.delete(batch, signal);
    batch = [];
  }
  await store.delete(batch, signal);
  return { listed, deleted, deletedBytes, isCut };
}
