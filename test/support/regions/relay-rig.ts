/**
 * Two regions joined in memory: `eu`, where the stream `demo` is at home, and `us` with nodes that relay it. The test writes the home's log as
 * its owner would, and moves the clock.
 */
import { applyEntry, emptyTimeline } from '../../../actors/media/timeline/fold.ts';
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import { Relayers } from '../../../actors/stream/relay/relayers.ts';
import { ToldRegions } from '../../../actors/stream/told-regions.ts';
import type { RelayedStream } from '../../../cluster/contract/relay-needs.ts';
import { serveLog } from '../../../cluster/log/serve-log.ts';
import { RegionId, type StreamId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import type { StreamElsewhere } from '../../../cluster/region/elsewhere.ts';
import { HandClock, settled } from './hand-clock.ts';
import { LogBuilder } from '../ports/log-builder.ts';
import { MemoryIndexLog } from '../ports/memory-index-log.ts';
import { MemorySegmentStore } from '../ports/memory-segment-store.ts';
import { by, passThroughOnly, stream } from '../ports/records.ts';
import { MemoryNeeds } from './memory-needs.ts';
import { MemoryRegions } from './memory-regions.ts';

const eu = RegionId.parse('eu');

export class RelayRig implements AsyncDisposable {
  readonly clock = new HandClock();
  readonly regions = new MemoryRegions({ regions: ['eu', 'us', 'asia'], clock: this.clock });
  readonly needs = new MemoryNeeds();
  readonly own = new MemoryIndexLog();
  readonly homeLog = new MemoryIndexLog();
  readonly #written = new LogBuilder().open().clock(passThroughOnly);
  readonly #told = new ToldRegions(this.regions.of('eu'), stream, undefined);
  readonly #nodes = new Map<string, Relayers>();
  readonly told: RelayedStream[] = [];
  readonly pulled: string[] = [];
  /** As this region hears of the home. */
  home: Pick<StreamElsewhere, 'epoch' | 'isOnAir'> | undefined = { epoch: by().epoch, isOnAir: true };
  /** Streams whose home is another region than `eu`. */
  readonly homes = new Map<StreamId, RegionId>();
  /** Objects come at once. */
  isStoreSlow = false;
  #tail = 0;
  readonly #stopServing = (): void => {};

  constructor() {
    this.#stopServing = serveLog({ log: this.homeLog, others: this.regions.of('eu') });
    this.needs.onRelayed((told) => this.told.push(told));
  }

  /** A node of `us`. */
  node(name: string): Relayers {
    const relayers = new Relayers({
      region: RegionId.parse('us'),
      bootId: name,
      clock: this.clock,
      logger: silentLogger,
      metrics: noMetrics,
      log: this.own,
      store: new MemorySegmentStore(),
      askEdges: async () => [],
      askFold: async () => undefined,
      others: this.regions.of('us', name),
      elsewhere: { homeOf: (of) => this.#homeOf(of) },
      needs: this.needs,
      puller: {
        pull: async ({ media }) => {
          this.pulled.push(media.sha256);
          return this.isStoreSlow ? new Promise<never>(() => {}) : true;
        },
      },
      maxLogRecords: 100,
    });
    relayers.start();
    this.#nodes.set(name, relayers);
    return relayers;
  }

  /** The node is killed: it does nothing more, and the others notice. */
  kill(name: string): void {
    this.#nodes.get(name)?.stop();
    this.regions.leave('us', name);
  }

  #homeOf(of: StreamId): StreamElsewhere | undefined {
    if (this.home === undefined) return undefined;
    const unknown = { nextNumber: 0, discontinuities: 0, availabilityStartMs: 0, rtmpUrl: '', sinceMs: 0 };
    return { stream: of, region: this.homes.get(of) ?? eu, ...unknown, ageMs: 0, ...this.home };
  }

  /** The home's owner writes what the test has it write, and tells it, unless nobody is to hear of it. */
  async write(change: (log: LogBuilder) => unknown, isTold = true): Promise<void> {
    change(this.#written);
    for (const { record } of this.#written.entries.slice(this.#tail)) {
      const previous = (await this.homeLog.tail(stream))?.sequence ?? 0;
      const recordId = `home-${this.#tail}`;
      this.#tail += 1;
      const entry = { ...record, recordId };
      const sequence = await this.homeLog.append(stream, entry, previous);
      if (isTold) this.#told.appended({ sequence, record: entry }, previous);
    }
    await settled();
  }

  /** The folds of both logs, as edges have them. */
  async folds(): Promise<{ readonly home: FoldedTimeline; readonly own: FoldedTimeline }> {
    const foldOf = async (log: MemoryIndexLog): Promise<FoldedTimeline> =>
      (await log.read(stream)).reduce<FoldedTimeline>(applyEntry, emptyTimeline());
    return { home: await foldOf(this.homeLog), own: await foldOf(this.own) };
  }

  /** The numbers that `us` has, and whether its fold refused anything. */
  async numbers() {
    const { own } = await this.folds();
    const numbers = own.periods.flatMap(({ segments }) => segments.map(({ number }) => number));
    return { numbers, ignored: own.ignored };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopServing();
    for (const relayers of this.#nodes.values()) relayers.stop();
  }
}
