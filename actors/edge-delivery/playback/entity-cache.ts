/**
 * Keeps immutable objects in memory: bounded in bytes, and with one load for each object, however many requests ask for it.
 *
 * Eviction is second chance (CLOCK): the oldest entry goes, unless it was hit since it was last looked at. For live segments that is as
 * good as LRU. A hit costs one increment, where LRU would move the entry. Errors are not kept. An object over an eighth of the bound is
 * given to those that wait for it, and not kept.
 *
 * Bounds: bytes kept, and loads under way. Beyond the latter a new load is refused with `OVERLOADED`.
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
  /** The hits of the entity when eviction last looked at it. */
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

  /** Gives the kept object, or waits for its one load. @throws what `load` throws; TangazaError `OVERLOADED` */
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

  /** Forgets all objects whose key begins with this. */
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
    this.#makeRoom(cost); // before the new object is added, so that it is not the one to go when all others are in use
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
        this.#kept.set(key, { entity: kept.entity, seenHits: kept.entity.hits }); // moved behind all others, to be looked at last
        continue;
      }
      this.#bytes -= costOf(kept.entity);
      this.#events.add(1, { event: 'evicted' });
    }
  }
}

/** Roughly the bytes of the body, its headers, the map entry and the objects. */
function costOf(entity: Entity): number {
  return entity.body.byteLength + 1024;
}
