/** Keeps a region's registry level with those of the other regions, and closes publishers whose stream or key came to an end there (R12). */
import type { Changes } from '../../../cluster/contract/regions/changes.ts';
import {
  registryChanged,
  registryChanges,
  registryStream,
  type RegistryChange,
} from '../../../cluster/contract/regions/registry.ts';
import type { CloseSessionsParams } from '../../../cluster/contract/ingest-actions.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Counter, Metrics } from '../../../cluster/observe/metrics.ts';
import { ChangePuller } from '../../../cluster/region/change-puller.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { RegionClock } from '../../../cluster/region/region-clock.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { RegistryFeed, Taken } from './registry-feed.ts';
import { idWasLost } from '../stream-registry.ts';
import { mustBeFromNow } from './registry-merge.ts';

export interface SyncPorts {
  readonly registry: RegistryFeed;
  readonly others: OtherRegions;
  readonly times: Pick<RegionClock, 'common'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether this node is the one of its region that pulls. */
  readonly isMine: () => boolean;
  /** Calls the listener with what was learnt beside the changes. @returns a function that ends it */
  readonly onLearnt: (listener: (taken: Taken, region: RegionId) => void) => () => void;
  /** Makes every node of the region close the stream's publishers. */
  readonly closeSessions: (params: CloseSessionsParams) => Promise<void>;
}

export class RegistrySync {
  readonly #ports: SyncPorts;
  readonly #puller: ChangePuller<RegistryChange>;
  readonly #lost: Counter;
  #stops: readonly (() => void)[] = [];

  constructor(ports: SyncPorts) {
    this.#ports = ports;
    this.#lost = ports.metrics.counter({
      name: 'tangaza_registry_lost_streams_total',
      help: 'Streams that lost their id to one that another region had made earlier: see the log.',
      labels: ['region'],
    });
    this.#puller = new ChangePuller({
      ...ports,
      name: 'registry',
      call: registryChanges,
      hint: registryChanged,
      database: {
        cursor: (region) => ports.registry.cursor(region),
        take: (...args) => this.#take(...args),
      },
    });
  }

  start(): void {
    const { others, registry, onLearnt } = this.#ports;
    if (others.regions.length === 0) return;
    this.#stops = [
      others.serve(registryChanges, (query) => registry.changes(query)),
      others.serve(registryStream, (query) => registry.known(query)),
      onLearnt((taken, region) => void this.#closeAll(taken, region)),
    ];
    this.#puller.start();
  }

  stop(): void {
    this.#puller.stop();
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  async #take(region: RegionId, answer: Changes<RegistryChange>, askedAtMs: number): Promise<void> {
    const { registry, times, clock, logger } = this.#ports;
    mustBeFromNow(answer.changes, times.common(clock.utcMs()));
    const taken = await registry.take(region, answer, askedAtMs);
    const streams = taken.refused;
    if (streams.length > 0)
      logger.warn({ region, streams }, 'streams of another region have a key that is taken here: left out');
    await this.#closeAll(taken, region);
  }

  /** The same is never taken again, so it is said once. */
  #sayLost(streams: readonly StreamId[], region: RegionId): void {
    if (streams.length === 0) return;
    this.#lost.add(streams.length, { region });
    this.#ports.logger.warn(
      { region, streams },
      'streams of these ids were made in two regions that did not hear each other: those that the other region had made earlier stay, and the keys that these had here are good nowhere. Who publishes with one is told so: make the stream anew with another id',
    );
  }

  async #closeAll({ removed, withOtherKey, lost }: Taken, region: RegionId): Promise<void> {
    const { closeSessions, logger } = this.#ports;
    this.#sayLost(lost, region);
    const ends: readonly CloseSessionsParams[] = [
      ...lost.map((streamId) => ({ streamId, reason: idWasLost(streamId), code: 'STREAM_REMOVED' as const })),
      ...removed.map((streamId) => ({
        streamId,
        reason: 'the stream was deleted',
        code: 'STREAM_REMOVED' as const,
      })),
      ...withOtherKey.map((streamId) => ({ streamId, reason: 'the stream key was changed' })),
    ];
    for (const end of ends)
      await closeSessions(end).catch((error: unknown) =>
        logger.warn(
          { err: error, stream: end.streamId },
          'publishers were not told that another region ended their key',
        ),
      );
  }
}
