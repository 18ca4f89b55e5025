/**
 * The relayers of one node: one for each stream that this node's region needs of another one, and that this node's gateway serves (R4).
 *
 * Z1. Every node hears which streams are needed, for 60 s after the last word. So a gateway that takes over knows them already.
 * Z2. A stream is relayed here while its home is another region, this node is the gateway that serves it, and the stream's log in this
 *     region does not end with the record of an owner of this region whose epoch is the home's or higher. Two gateways that both believe to serve it do
 *     no harm: the log takes one record at each place (C1).
 * Z3. A relayer that ended begins again while the stream is needed: at once where the log went back, else after a pause.
 * Z4. Bounds: streams that are needed, and relayers of this node. What is beyond them is not relayed, counted, and said once.
 * Z5. Of each other region, 16 logs are read at once. So one that answers late holds up its own streams and no others.
 */
import { Gate } from '../../../cluster/bounds/gate.ts';
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import type { NeedMessage, RelayedStream } from '../../../cluster/contract/relay-needs.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import type { Elsewhere, StreamElsewhere } from '../../../cluster/region/elsewhere.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { RelayNeeds } from '../../../cluster/region/relay-needs.ts';
import { headsOf, type HeadPorts } from '../owner/heads.ts';
import { relayMetrics, type RelayMetrics } from './relay-metrics.ts';
import { createRelayer } from './relayer.ts';
import { Relaying, type LeaveReason, type RelayingPorts } from './relaying.ts';

export interface RelayersPorts extends HeadPorts, Pick<RelayingPorts, 'log' | 'puller'> {
  readonly region: RegionId;
  /** Begins the names of this process's relayers; no other process has it. */
  readonly bootId: string;
  readonly others: Pick<OtherRegions, 'call' | 'listen' | 'isServedHere' | 'onLink'>;
  readonly elsewhere: Pick<Elsewhere, 'homeOf'>;
  readonly needs: RelayNeeds;
  readonly metrics: Metrics;
  /** A log of more records is shortened. */
  readonly maxLogRecords: number;
}

/** Times in ms. */
const limits = {
  neededMs: 60_000,
  tickMs: 250,
  maxNeeded: 4000,
  maxRelayers: 1000,
  pauseMs: 2000,
  unreadablePauseMs: 30_000,
} as const;

interface Needed {
  untilMs: number;
  standbyUntilMs: number;
  /** Whether somebody waits to hear that this region's log has all of the home's. */
  isWaitedFor: boolean;
  /** Before that nothing begins. */
  notBeforeMs: number;
}

export class Relayers {
  readonly #ports: RelayersPorts;
  readonly #metrics: RelayMetrics;
  readonly #needed = new Map<StreamId, Needed>();
  readonly #running = new Map<StreamId, Relaying>();
  readonly #beginning = new Set<StreamId>();
  readonly #starts = new Gate({ about: 'beginning to relay', running: 16, waiting: limits.maxRelayers });
  /** By home (Z5); there are no more of them than regions. */
  readonly #reading = new Map<RegionId, Gate>();
  #stops: readonly (() => void)[] = [];
  #isClosed = false;
  #begun = 0;
  #hasSaidFull = false;

  constructor(ports: RelayersPorts) {
    this.#ports = ports;
    this.#metrics = relayMetrics(ports.metrics);
  }

  start(): void {
    const { clock, needs, others } = this.#ports;
    this.#stops = [
      needs.onNeed((need) => this.#note(need)),
      others.onLink(() => this.#tick()),
      clock.every(limits.tickMs, () => this.#tick()),
    ];
  }

  stop(): void {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    for (const relaying of this.#running.values()) relaying.close();
  }

  /** The streams that are relayed here. */
  get streams(): readonly StreamId[] {
    return [...this.#running.keys()];
  }

  /** Notes what a node needs, begins with what is new, and answers how far the others are (Z1). */
  #note({ streams, byStandby = false }: NeedMessage): void {
    const untilMs = this.#nowMs + limits.neededMs;
    for (const stream of streams) {
      const known = this.#needed.get(stream);
      if (known === undefined && this.#needed.size >= limits.maxNeeded) {
        this.#refuse(stream);
        continue;
      }
      const needed = known ?? { untilMs, standbyUntilMs: 0, notBeforeMs: 0, isWaitedFor: true };
      needed.untilMs = untilMs;
      needed.isWaitedFor = this.#running.get(stream)?.told.isAtHead !== true;
      if (byStandby) needed.standbyUntilMs = untilMs;
      this.#needed.set(stream, needed);
      this.#running.get(stream)?.tell({ kind: 'wanted', byStandby });
      this.#look(stream, needed);
    }
    const relayed = streams.flatMap((stream) => this.#running.get(stream)?.told ?? []);
    if (relayed.length > 0) this.#ports.needs.tell(relayed);
  }

  get #nowMs(): number {
    return this.#ports.clock.monotonicMs();
  }

  #tick(): void {
    for (const [stream, needed] of this.#needed) {
      if (needed.untilMs <= this.#nowMs && !this.#running.has(stream)) this.#needed.delete(stream);
      else this.#look(stream, needed);
    }
    for (const relaying of this.#running.values()) relaying.tick();
    this.#metrics.show([...this.#running.values()]);
  }

  /** Begins, ends or leaves a stream's relayer as things are now (Z2). */
  #look(stream: StreamId, needed: Needed): void {
    const { elsewhere, others } = this.#ports;
    const running = this.#running.get(stream);
    // A list that was lost does not end what is relayed: the home is then the one that it was.
    const home = elsewhere.homeOf(stream);
    const region = home?.region ?? running?.home;
    const isServed = region !== undefined && others.isServedHere(region, stream);
    if (running !== undefined) {
      if (isServed && running.home === region) return;
      running.close();
      // The gateway that serves it now may have started a moment ago, and heard of no need yet.
      if (needed.untilMs > this.#nowMs) this.#ports.needs.need([stream]);
      return;
    }
    if (home === undefined || !isServed || this.#beginning.has(stream) || this.#isClosed) return;
    if (this.#nowMs < needed.notBeforeMs) return;
    if (this.#running.size + this.#beginning.size >= limits.maxRelayers) return this.#refuse(stream);
    this.#beginning.add(stream);
    void this.#starts
      .run(() => this.#begin(stream, home, needed))
      .catch((error: unknown) => this.#failed(stream, needed, error))
      .finally(() => this.#beginning.delete(stream));
  }

  async #begin(stream: StreamId, home: StreamElsewhere, needed: Needed): Promise<void> {
    const { log, clock, region, bootId, maxLogRecords, others } = this.#ports;
    needed.notBeforeMs = this.#nowMs + limits.pauseMs;
    if (isNewer(await log.tail(stream), home)) return;
    const heads = await headsOf(stream, this.#ports);
    const entries = await log.read(stream);
    const beyond = await heads.beyond(entries);
    if (this.#isClosed || isNewer(entries.at(-1), home) || !others.isServedHere(home.region, stream)) return;
    this.#begun += 1;
    const name = `${bootId.slice(0, 40)}-${this.#begun.toString(36)}`;
    const self = { region, home: home.region, name, maxLogRecords };
    const state = createRelayer({ self, entries, beyond }, clock.monotonicMs());
    const logger = this.#ports.logger.child({ stream, home: home.region });
    logger.info({ records: entries.length }, 'this node relays the stream');
    needed.notBeforeMs = 0;
    const relaying = new Relaying(stream, state, {
      ...this.#ports,
      logger,
      reading: this.#readingOf(home.region),
      onAppended: this.#metrics.appended,
      onHead: ({ told }) => this.#tellAtHead(told, needed),
      onGone: (gone, reason) => this.#ended(gone, reason),
    });
    this.#running.set(stream, relaying);
    if (needed.standbyUntilMs > this.#nowMs) relaying.tell({ kind: 'wanted', byStandby: true });
  }

  #readingOf(home: RegionId): Gate {
    const known = this.#reading.get(home);
    if (known !== undefined) return known;
    const gate = new Gate({ about: `reading from ${home}`, running: 16, waiting: limits.maxRelayers });
    this.#reading.set(home, gate);
    return gate;
  }

  #tellAtHead(told: RelayedStream, needed: Needed): void {
    if (!told.isAtHead || !needed.isWaitedFor) return;
    needed.isWaitedFor = false;
    this.#ports.needs.tell([told]);
  }

  #failed(stream: StreamId, needed: Needed, error: unknown): void {
    needed.notBeforeMs = this.#nowMs + limits.pauseMs;
    this.#ports.logger.warn(
      { stream, code: errorCodeOf(error), err: error },
      'a stream cannot be relayed now',
    );
  }

  /** Plans when it may begin again (Z3). */
  #ended(relaying: Relaying, reason: LeaveReason): void {
    const { stream, home } = relaying;
    if (this.#running.get(stream) === relaying) this.#running.delete(stream);
    this.#metrics.ended(reason);
    const needed = this.#needed.get(stream);
    if (needed !== undefined) needed.notBeforeMs = this.#nowMs + pauseAfter(reason);
    const level = reason === 'unreadable' ? 'error' : 'info';
    this.#ports.logger[level]({ stream, home, reason }, 'this node no longer relays the stream');
  }

  /** Counts a stream that is not relayed for lack of room, and says so once (Z4). */
  #refuse(stream: StreamId): void {
    this.#metrics.refused();
    if (this.#hasSaidFull) return;
    this.#hasSaidFull = true;
    const { maxNeeded, maxRelayers } = limits;
    const fields = { stream, maxNeeded, maxRelayers };
    this.#ports.logger.error(fields, 'this node has no room to relay more streams; viewers of others wait');
  }
}

/** Whether this region's log ends with what an owner of this region wrote under no lower epoch (Z2). */
const isNewer = (tail: IndexEntry | undefined, { epoch }: StreamElsewhere): boolean =>
  tail !== undefined && tail.record.home === undefined && tail.record.epoch >= epoch;

function pauseAfter(reason: LeaveReason): number {
  if (reason === 'unreadable') return limits.unreadablePauseMs;
  return reason === 'fenced' || reason === 'crashed' ? limits.pauseMs : 0;
}
