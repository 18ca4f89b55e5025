/** How the registries of regions come to know the same streams, where each region has one of its own (R12). */
import { z } from 'zod';
import { StreamId } from '../../model/ids.ts';
import { ChangedEvent, changesCall } from './changes.ts';
import type { RegionCall, RegionEvent } from './crossing.ts';

const timeMs = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const keyHash = z.string().min(1).max(128);

/** What of two values the later one replaces, and when it was written by the clock that all regions go by. */
const value = z.object({ value: z.string().max(1000), atMs: timeMs });

/** A stream as a region has it. */
const StreamState = z.object({
  kind: z.literal('stream'),
  id: StreamId,
  /** The removal after which it was made anew; 0: there was none. */
  afterRemovalMs: timeMs,
  /** Of two creations of one id the earlier stays. */
  created: z.object({ atMs: timeMs, keyHash }),
  title: value,
  ladder: value,
  key: z.object({ hash: keyHash, salt: z.string().max(200), atMs: timeMs }),
  updatedAtMs: timeMs,
});
export type StreamState = z.infer<typeof StreamState>;

/** An id that was removed, and the key that it had. */
const RemovedState = z.object({ kind: z.literal('removed'), id: StreamId, atMs: timeMs, keyHash });
export type RemovedState = z.infer<typeof RemovedState>;

/** What a region knows of an id. */
export const RegistryChange = z.discriminatedUnion('kind', [StreamState, RemovedState]);
export type RegistryChange = z.infer<typeof RegistryChange>;

export const registryChanges = changesCall('registry-changes', RegistryChange, 50);

/** What is asked for beside the changes, because it is unknown here: the stream of an id, or of a key. */
export const StreamQuery = z.union([z.object({ id: StreamId }), z.object({ keyHash })]);
export type StreamQuery = z.infer<typeof StreamQuery>;

export const registryStream: RegionCall<StreamQuery, readonly RegistryChange[]> = {
  name: 'registry-stream',
  params: StreamQuery,
  result: z.array(RegistryChange).max(10).readonly(),
  maxBytes: 1000,
  maxResultBytes: 20_000,
  perSecond: 200,
};

export const registryChanged: RegionEvent<ChangedEvent> = {
  name: 'registry-changed',
  event: ChangedEvent,
  maxBytes: 500,
  perSecond: 100,
};
