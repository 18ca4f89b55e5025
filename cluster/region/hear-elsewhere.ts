/**
 * Keeps what other regions tell of their streams and edges (R3): hears their events, asks for their list when a link comes up, and asks about
 * single streams. It also answers other regions that ask for this region's list. What it decides is in elsewhere-state.ts.
 *
 * F1. A list is asked for page by page, at a moment that differs between nodes, and again after some seconds while it fails. The next list that
 *     owners tell makes up for it, 30 s later at most.
 * F2. A stream that nothing is known of is asked about once in 2 s, of all regions at once, and by so many at a time.
 */
import { onAir, onAirList, edges, streamsOfPart, type OnAirPage } from '../contract/regions/on-air.ts';
import type { StreamOnAir } from '../contract/regions/on-air.ts';
import { streamHeads } from '../contract/regions/claims.ts';
import type { RegionId, StreamId } from '../model/ids.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { within } from '../time/within.ts';
import { ElsewhereState, type Refusal } from './elsewhere-state.ts';
import type { Elsewhere, StreamElsewhere } from './elsewhere.ts';
import type { OtherRegions, RegionLink } from './other-regions.ts';

export interface HearPorts {
  readonly region: RegionId;
  /** Of all regions (R1). */
  readonly ordinals: ReadonlyMap<RegionId, number>;
  readonly others: OtherRegions;
  /** Streams that this region's ownership records name, those that nobody has told of here included. */
  readonly ownStreams: () => Promise<readonly StreamOnAir[]>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** In [0, 1). */
  readonly random: () => number;
}

export const elsewhereTimes = {
  expireEveryMs: 1000,
  askWithinMs: 300,
  /** Before the same unknown stream is asked about again (F2). */
  unknownMs: 2000,
  listWithinMs: 2000,
  /** Between nodes that see a link come up at the same moment (F1). */
  spreadMs: 500,
  listAgainMs: 3000,
  /** Ownership records are read for lists once in this time. */
  ownStreamsMs: 2000,
} as const;

const maxAsking = 64;
const maxUnknown = 10_000;
const listTries = 5;
const maxPages = 200;

export interface HeardElsewhere extends Elsewhere {
  close(): void;
}

/** @returns the port, and what ends it */
export function hearElsewhere(ports: HearPorts): HeardElsewhere {
  return new Hearing(ports);
}

class Hearing implements HeardElsewhere {
  readonly #ports: HearPorts;
  readonly #state: ElsewhereState;
  readonly #listeners = new Set<(stream: StreamElsewhere) => void>();
  readonly #stops: (() => void)[] = [];
  readonly #asking = new Map<StreamId, Promise<StreamElsewhere | undefined>>();
  /** When a stream was last asked about that no region knows. */
  readonly #unknown = new Map<StreamId, number>();
  readonly #listing = new Set<RegionId>();
  readonly #saidRefused = new Set<RegionId>();
  readonly #refused;
  #own: { readonly atMs: number; readonly streams: Promise<readonly StreamOnAir[]> } | undefined;
  #isClosed = false;

  constructor(ports: HearPorts) {
    this.#ports = ports;
    const { region, ordinals, others, clock, metrics } = ports;
    this.#state = new ElsewhereState(region, ordinals);
    this.#refused = metrics.counter({
      name: 'tangaza_elsewhere_refused_total',
      help: 'Streams that another region told of and that are not believed or have no room.',
      labels: ['region', 'reason'],
    });
    metrics.family(
      {
        kind: 'gauge',
        name: 'tangaza_elsewhere_streams',
        help: 'Streams of each region that this node has heard of, those that have ended included.',
        labels: ['region'],
      },
      () =>
        this.#state.sizes().map(({ region: id, streams }) => ({ value: streams, labels: { region: id } })),
    );
    for (const id of [region, ...others.regions]) {
      this.#stops.push(others.listen(id, onAir, (told) => this.#heard(id, told.streams)));
      if (id !== region)
        this.#stops.push(
          others.listen(id, edges, (told) => this.#state.noteEdges(id, told.edges, clock.monotonicMs())),
        );
    }
    this.#stops.push(
      others.serve(onAirList, ({ after }) => this.#page(after)),
      others.onLink((link) => this.#linked(link)),
      clock.every(elsewhereTimes.expireEveryMs, () => this.#expire()),
    );
    for (const link of others.links()) this.#linked(link);
  }

  homeOf(stream: StreamId): StreamElsewhere | undefined {
    return this.#state.homeOf(stream, this.#ports.clock.monotonicMs());
  }

  streams(): readonly StreamElsewhere[] {
    return this.#state.streams(this.#ports.clock.monotonicMs());
  }

  edges() {
    return this.#state.edges(this.#ports.clock.monotonicMs());
  }

  get edgesRevision(): number {
    return this.#state.edgesRevision;
  }

  onChange(listener: (stream: StreamElsewhere) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async ask(stream: StreamId): Promise<StreamElsewhere | undefined> {
    const known = this.homeOf(stream);
    if (known !== undefined || this.#isClosed) return known;
    const running = this.#asking.get(stream);
    if (running !== undefined) return running;
    const askedAtMs = this.#unknown.get(stream);
    const nowMs = this.#ports.clock.monotonicMs();
    if (askedAtMs !== undefined && nowMs - askedAtMs < elsewhereTimes.unknownMs) return undefined;
    if (this.#asking.size >= maxAsking) return undefined;
    const asking = this.#askAll(stream).finally(() => this.#asking.delete(stream));
    this.#asking.set(stream, asking);
    return asking;
  }

  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#listeners.clear();
  }

  async #askAll(stream: StreamId): Promise<StreamElsewhere | undefined> {
    const { others, clock } = this.#ports;
    const reached = others.links().filter(({ isUp }) => isUp);
    const options = { key: stream, withinMs: elsewhereTimes.askWithinMs };
    const asked = reached.map(async ({ region }) => {
      const { home } = await others.call(region, streamHeads, { stream }, options);
      if (home !== undefined) this.#heard(region, [home]);
    });
    const late = (): void => {};
    await within(Promise.allSettled(asked), { clock, ms: elsewhereTimes.askWithinMs, late });
    const home = this.homeOf(stream);
    if (home === undefined) this.#noteUnknown(stream);
    return home;
  }

  #noteUnknown(stream: StreamId): void {
    this.#unknown.delete(stream);
    this.#unknown.set(stream, this.#ports.clock.monotonicMs());
    const [oldest] = this.#unknown.keys();
    if (this.#unknown.size > maxUnknown && oldest !== undefined) this.#unknown.delete(oldest);
  }

  #heard(region: RegionId, streams: readonly StreamOnAir[]): void {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const told of streams) {
      const result = this.#state.note(region, told, nowMs);
      if (typeof result === 'string') this.#refuse(region, told, result);
      else if (result) this.#tell(told.stream);
    }
  }

  #refuse(region: RegionId, { stream, epoch }: StreamOnAir, reason: Refusal): void {
    this.#refused.add(1, { region, reason });
    if (this.#saidRefused.has(region)) return;
    this.#saidRefused.add(region);
    this.#ports.logger.warn(
      { region, stream, epoch, reason },
      'a region tells of a stream that is not believed or has no room; more of this region are only counted',
    );
  }

  #tell(stream: StreamId): void {
    const home = this.homeOf(stream);
    if (home !== undefined) for (const listener of this.#listeners) listener(home);
  }

  #expire(): void {
    for (const stream of this.#state.expire(this.#ports.clock.monotonicMs())) this.#tell(stream);
  }

  #linked({ region, isUp }: RegionLink): void {
    this.#state.noteLink(region, isUp, this.#ports.clock.monotonicMs());
    if (isUp && !this.#listing.has(region)) void this.#fetchList(region);
  }

  /** Asks for a region's list (F1). It never throws. */
  async #fetchList(region: RegionId): Promise<void> {
    const { clock, random, logger } = this.#ports;
    const isUp = (): boolean =>
      !this.#isClosed && this.#ports.others.links().some((link) => link.region === region && link.isUp);
    this.#listing.add(region);
    try {
      for (let attempt = 1; attempt <= listTries; attempt += 1) {
        await clock.sleep(
          random() * elsewhereTimes.spreadMs + (attempt === 1 ? 0 : elsewhereTimes.listAgainMs),
        );
        if (!isUp() || (await this.#readPages(region))) return;
      }
      logger.warn({ region }, 'a region does not tell what is on air there; its owners do within 30 s');
    } finally {
      this.#listing.delete(region);
    }
  }

  /** @returns false where it failed */
  async #readPages(region: RegionId): Promise<boolean> {
    const options = { key: 'on-air', withinMs: elsewhereTimes.listWithinMs };
    let after: StreamId | undefined;
    for (let page = 0; page < maxPages; page += 1) {
      const params = after === undefined ? {} : { after };
      const got = await this.#ports.others.call(region, onAirList, params, options).catch(() => undefined);
      if (got === undefined || this.#isClosed) return false;
      this.#heard(region, got.streams);
      if (got.next === undefined || got.next === after) return true;
      after = got.next;
    }
    return true;
  }

  async #page(after: StreamId | undefined): Promise<OnAirPage> {
    const all = (await this.#ownStreams()).filter(({ stream }) => after === undefined || stream > after);
    const streams = all.slice(0, streamsOfPart);
    const last = streams.at(-1);
    return all.length > streams.length && last !== undefined ? { streams, next: last.stream } : { streams };
  }

  /** What owners of this region told, and behind that what its ownership records say. */
  #ownStreams(): Promise<readonly StreamOnAir[]> {
    const { clock, ownStreams, region } = this.#ports;
    const nowMs = clock.monotonicMs();
    if (this.#own === undefined || nowMs - this.#own.atMs > elsewhereTimes.ownStreamsMs) {
      const streams = ownStreams().catch((): readonly StreamOnAir[] => []);
      this.#own = { atMs: nowMs, streams };
    }
    return this.#own.streams.then((recorded) => {
      const told = new Map(this.#state.listOf(region).map((one) => [one.stream, one]));
      for (const one of recorded) {
        const known = told.get(one.stream);
        if (known === undefined || known.epoch < one.epoch) told.set(one.stream, one);
        else if (known.epoch === one.epoch && !one.isOnAir)
          told.set(one.stream, { ...known, isOnAir: false });
      }
      return [...told.values()].toSorted((a, b) => (a.stream < b.stream ? -1 : 1));
    });
  }
}
