/**
 * The registry of a region that has one of its own, beside other regions that have theirs (R12).
 *
 * What is not here counts as not there while the registries of all other regions were read less than 5 s ago. A region that was not is asked
 * for the stream. Where it cannot be asked nobody knows, and then the answer is `UNAVAILABLE`, which players try again; never that there is none.
 * A key that is unknown is asked for in any case: an encoder may begin before its key has come here.
 */
import type { StreamPlace } from '../../../cluster/contract/api/cursor.ts';
import {
  registryChanged,
  registryStream,
  type StreamQuery,
} from '../../../cluster/contract/regions/registry.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { RegionClock } from '../../../cluster/region/region-clock.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { Answer, IdempotentRequest } from '../idempotency.ts';
import type { NewStream, RemovedStream, StreamEntry, StreamRegistry } from '../stream-registry.ts';
import type { Pulled, RegionalRegistry, Taken } from './registry-feed.ts';
import { mustBeFromNow } from './registry-merge.ts';

export interface AcrossPorts {
  readonly registry: RegionalRegistry;
  readonly others: OtherRegions;
  readonly times: Pick<RegionClock, 'common'>;
  readonly clock: Pick<Clock, 'utcMs'>;
  readonly logger: Logger;
}

const freshMs = 5000;
const askMs = 500;
/** How many questions to other regions run at once; what comes above that is told to try again. */
const mostAsked = 64;

export class RegistryAcross implements StreamRegistry {
  readonly #ports: AcrossPorts;
  readonly #listeners = new Set<(taken: Taken, region: RegionId) => void>();
  #asked = 0;

  constructor(ports: AcrossPorts) {
    this.#ports = ports;
  }

  async create(stream: NewStream): Promise<{ entry: StreamEntry; keySalt: string }> {
    return this.#told(await this.#ports.registry.create({ ...stream, nowMs: this.#common(stream.nowMs) }));
  }

  async get(id: StreamId): Promise<StreamEntry | undefined> {
    const { registry } = this.#ports;
    return (await registry.get(id)) ?? ((await this.#isElsewhere(id)) ? registry.get(id) : undefined);
  }

  list(limit: number, after?: StreamPlace): Promise<readonly StreamEntry[]> {
    return this.#ports.registry.list(limit, after);
  }

  claim(request: IdempotentRequest, nowMs: number): Promise<Answer> {
    return this.#ports.registry.claim(request, nowMs);
  }

  settle(request: IdempotentRequest, nowMs: number, reply: string | undefined): Promise<void> {
    return this.#ports.registry.settle(request, nowMs, reply);
  }

  async update(
    id: StreamId,
    change: { readonly title?: string; readonly ladder?: string },
    nowMs: number,
  ): Promise<StreamEntry | undefined> {
    if ((await this.get(id)) === undefined) return undefined;
    return this.#told(await this.#ports.registry.update(id, change, this.#common(nowMs)));
  }

  async rotateKey(
    id: StreamId,
    key: { readonly keyHash: string; readonly keySalt: string },
    nowMs: number,
  ): Promise<StreamEntry | undefined> {
    if ((await this.get(id)) === undefined) return undefined;
    return this.#told(await this.#ports.registry.rotateKey(id, key, this.#common(nowMs)));
  }

  async remove(id: StreamId, nowMs: number): Promise<boolean> {
    if ((await this.get(id)) === undefined) return false;
    return this.#told(await this.#ports.registry.remove(id, this.#common(nowMs)));
  }

  async findByKeyHash(keyHash: string): Promise<StreamEntry | undefined> {
    const { registry, clock } = this.#ports;
    const found = await registry.findByKeyHash(keyHash);
    if (found !== undefined || (await registry.removedWithKeyHash(keyHash, clock.utcMs())) !== undefined)
      return found;
    await this.#ask({ keyHash }, this.#ports.others.regions);
    return registry.findByKeyHash(keyHash);
  }

  removed(id: StreamId, nowMs: number): Promise<RemovedStream | undefined> {
    return this.#ports.registry.removed(id, nowMs);
  }

  removedWithKeyHash(keyHash: string, nowMs: number): Promise<RemovedStream | undefined> {
    return this.#ports.registry.removedWithKeyHash(keyHash, nowMs);
  }

  removedSince(sinceMs: number): Promise<readonly RemovedStream[]> {
    return this.#ports.registry.removedSince(sinceMs);
  }

  close(): Promise<void> {
    return this.#ports.registry.close();
  }

  /** Calls the listener with what was learnt by asking. @returns a function that ends it */
  onLearnt(listener: (taken: Taken, region: RegionId) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @returns whether regions were asked that may know more */
  async #isElsewhere(id: StreamId): Promise<boolean> {
    const { registry, clock, others } = this.#ports;
    if ((await registry.removed(id, clock.utcMs())) !== undefined) return false;
    const pulled = await registry.pulled();
    const unsure = others.regions.filter((region) => !this.#isFresh(pulled.get(region)));
    if (unsure.length > 0) await this.#ask({ id }, unsure);
    return unsure.length > 0;
  }

  /** Learns what regions know of a stream. @throws TangazaError `UNAVAILABLE` where one that cannot be asked may know it */
  async #ask(query: StreamQuery, regions: readonly RegionId[]): Promise<void> {
    const { registry } = this.#ports;
    const answers = await Promise.all(regions.map((region) => this.#askOne(query, region)));
    if (answers.some((isKnown) => isKnown === 'found')) return;
    const silent = regions.filter((_, index) => answers[index] === 'silent');
    const pulled = silent.length === 0 ? new Map<RegionId, Pulled>() : await registry.pulled();
    const unsure = silent.filter((region) => !this.#isFresh(pulled.get(region)));
    if (unsure.length > 0)
      throw new TangazaError(
        'UNAVAILABLE',
        `This region does not know that stream, and cannot ask ${unsure.join(', ')}, where it may have been made: try again.`,
      );
  }

  async #askOne(query: StreamQuery, region: RegionId): Promise<'found' | 'none' | 'silent'> {
    const { registry, others, clock, logger } = this.#ports;
    if (this.#asked >= mostAsked) return 'silent';
    this.#asked += 1;
    try {
      const known = await others.call(region, registryStream, query, { key: 'registry', withinMs: askMs });
      mustBeFromNow(known, this.#common(clock.utcMs()));
      const taken = await registry.learn(known, query, clock.utcMs());
      for (const listener of this.#listeners) listener(taken, region);
      return known.length > 0 ? 'found' : 'none';
    } catch (error) {
      logger.debug({ err: error, region }, 'another region was not heard about a stream');
      return 'silent';
    } finally {
      this.#asked -= 1;
    }
  }

  #isFresh(pulled: Pulled | undefined): boolean {
    if (pulled?.atMs === undefined || !pulled.isWhole) return false;
    // A clock that was set back makes no answer older.
    return Math.abs(this.#ports.clock.utcMs() - pulled.atMs) < freshMs;
  }

  #common(utcMs: number): number {
    return this.#ports.times.common(utcMs);
  }

  /** Something has changed here: the others pull it. */
  #told<T>(result: T): T {
    const { registry, others, logger } = this.#ports;
    void registry
      .databaseId()
      .then((databaseId) => others.publish(registryChanged, { databaseId }))
      .catch((error: unknown) => logger.debug({ err: error }, 'other regions hear of a change in 2 s'));
    return result;
  }
}
