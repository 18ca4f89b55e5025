/**
 * The edge's memory of immutable objects: bounded in bytes, one load for each object however many ask.
 *
 * Eviction is second chance (CLOCK): the oldest entry goes, unless it was hit since it was last looked at. That is as
 * good as LRU for live segments, and a hit costs one increment, where LRU would move the entry. Errors are not kept;
 * an object over an eighth of the bound is handed to those that wait for it and not kept.
 *
 * Bounds: bytes kept, loads under way; over the latter a new load is refused with `OVERLOADED`.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Counter, Gauge, Metrics } from '../../../cluster/observe/metrics.ts';
import type { Entity } from '../http/http.ts';

export interface EntityCacheOptions {
  readonly maxBytes: number;
  readonly maxLoads?: number;
  readonly metrics: Metrics;
}

interface Kept {
  readonly entity: Entity;
  /** The entity's hits when the hand last passed. */
  seenHits: number;
}

const defaultMaxLoads = 128;

export class EntityCache {
  readonly #kept = new Map<string, Kept>();
  readonly #loads = new Map<string, Promise<Entity>>();
  readonly #maxBytes: number;
  readonly #maxLoads: number;
  readonly #bytesGauge: Gauge;
  readonly #events: Counter;
  #bytes = 0;

  constructor({ maxBytes, maxLoads = defaultMaxLoads, metrics }: EntityCacheOptions) {
    this.#maxBytes = maxBytes;
    this.#maxLoads = maxLoads;
    this.#bytesGauge = metrics.gauge({ name: 'tangaza_edge_cache_bytes', help: 'Bytes of cached objects.' });
    this.#events = metrics.counter({
      name: 'tangaza_edge_cache_events_total',
      help: 'What became of look-ups that the hot path did not answer.',
      labels: ['event'],
    });
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Entity | undefined {
    return this.#kept.get(key)?.entity;
  }

  /** The kept object, or the one load of it. @throws what `load` throws; TangazaError `OVERLOADED` */
  async load(key: string, load: () => Promise<Entity>): Promise<Entity> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      kept.entity.hits++;
      this.#events.add(1, { event: 'hit' });
      return kept.entity;
    }
    const running = this.#loads.get(key);
    if (running !== undefined) {
      this.#events.add(1, { event: 'joined' });
      return running;
    }
    if (this.#loads.size >= this.#maxLoads)
      throw new TangazaError('OVERLOADED', 'Too many objects are being fetched.');
    this.#events.add(1, { event: 'miss' });
    const started = this.#run(key, load);
    this.#loads.set(key, started);
    return started;
  }

  /** Forgets all whose key begins so. */
  dropPrefix(prefix: string): void {
    for (const [key, { entity }] of this.#kept) {
      if (!key.startsWith(prefix)) continue;
      this.#kept.delete(key);
      this.#bytes -= costOf(entity);
    }
    this.#bytesGauge.set(this.#bytes);
  }

  async #run(key: string, load: () => Promise<Entity>): Promise<Entity> {
    try {
      const entity = await load();
      this.#keep(key, entity);
      return entity;
    } catch (error) {
      this.#events.add(1, { event: 'failed' });
      throw error;
    } finally {
      this.#loads.delete(key);
    }
  }

  #keep(key: string, entity: Entity): void {
    const cost = costOf(entity);
    if (cost > this.#maxBytes / 8) {
      this.#events.add(1, { event: 'oversize' });
      return;
    }
    this.#makeRoom(cost); // first, so that a new object is not the one to go when all others are in use
    this.#kept.set(key, { entity, seenHits: entity.hits });
    this.#bytes += cost;
    this.#bytesGauge.set(this.#bytes);
  }

  #makeRoom(bytes: number): void {
    let chances = this.#kept.size;
    for (const [key, kept] of this.#kept) {
      if (this.#bytes + bytes <= this.#maxBytes) return;
      this.#kept.delete(key);
      const isUsed = kept.entity.hits !== kept.seenHits;
      if (isUsed && chances-- > 0) {
        this.#kept.set(key, { entity: kept.entity, seenHits: kept.entity.hits }); // behind all others: visited again last
        continue;
      }
      this.#bytes -= costOf(kept.entity);
      this.#events.add(1, { event: 'evicted' });
    }
  }
}

/** Bytes with the headers and what the map and the objects take, roughly. */
function costOf(entity: Entity): number {
  return entity.body.byteLength + 1024;
}
