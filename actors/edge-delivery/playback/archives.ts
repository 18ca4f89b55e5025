/**
 * Reads the archives of a stream's timeline (C7): the past that the log no longer holds. An edge needs them for times at which it did not
 * follow the stream, for example before its restart.
 *
 * Each archive is a fold. It begins one DVR window before the end of the previous one, so they overlap by that window, and each begins
 * later than the one before. The newest archive that begins at or before a time holds what lies around that time. It is found by halving,
 * as only the content of an archive says where it begins.
 *
 * Bounds: how many folds are kept, how many beginnings are remembered, how many loads run at once, and how many lists are read and wait
 * (beyond that: `OVERLOADED`). Each home has places of its own, so one that answers late holds up no other one's archives; and as an archive
 * may be 32 MiB, all other regions together have a bound as well. A list is used for 10 s.
 */
import { Gate } from '../../../cluster/bounds/gate.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { PeriodId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Counter, Gauge, Metrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { presentationTime90k } from '../../media/timeline/query.ts';
import { fromSnapshot } from '../../media/timeline/snapshot.ts';
import type { Timeline } from '../../media/timeline/timeline.ts';
import { byAge, parseArchiveKey, type ArchiveName } from '../../segment-store/archive-key.ts';
import type { ArchiveSource } from './archive-source.ts';

export interface ArchivesPorts {
  readonly source: ArchiveSource;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Where a fold begins: at its first segment. */
export interface Beginning {
  readonly period: PeriodId;
  readonly start90k: number;
  /** On the presentation timeline of the stream. */
  readonly presentation90k: number;
  /** The timescales of the period's renditions. */
  readonly timescales: Readonly<Record<string, number>>;
}

interface Listing {
  readonly atMs: number;
  readonly archives: Promise<readonly ArchiveName[]>;
}

interface Load {
  readonly home: RegionId | undefined;
  readonly timeline: Promise<Timeline | undefined>;
}

const maxFolds = 4;
const maxBeginnings = 4096;
const maxListings = 256;
/** How many loads run at once: of each home, and of all other regions together. */
const maxLoads = { ofHome: 8, ofOthers: 24 } as const;
/** Of lists, for each home. */
const lists = { running: 64, waiting: 192 } as const;
const listingMs = 10_000;

export class Archives {
  readonly #ports: ArchivesPorts;
  /** The least recently used comes first. */
  readonly #folds = new Map<string, Timeline>();
  readonly #loads = new Map<string, Load>();
  /** `undefined` for an archive without a segment. */
  readonly #beginnings = new Map<string, Beginning | undefined>();
  readonly #listings = new Map<StreamId, Listing>();
  /** By home: there are no more of them than regions. */
  readonly #listGates = new Map<RegionId | undefined, Gate>();
  readonly #waitingLists: Gauge;
  readonly #refused: Counter;

  constructor(ports: ArchivesPorts) {
    this.#ports = ports;
    this.#waitingLists = ports.metrics.gauge({
      name: 'tangaza_edge_waiting_archive_lists',
      help: 'Lists of archives that wait for their turn to be read, by their home (none: this region); 192 of each at most.',
      labels: ['region'],
    });
    this.#refused = ports.metrics.counter({
      name: 'tangaza_edge_archives_refused_total',
      help: 'Archives that were not read, as too many were already: of one home, or of all other regions (others).',
      labels: ['bound'],
    });
  }

  /**
   * Finds the newest fold whose beginning satisfies `isInTime`. If that holds for one beginning, it must hold for all older ones.
   *
   * @throws TangazaError `OVERLOADED`, and errors of the store
   */
  async find(stream: StreamId, isInTime: (beginning: Beginning) => boolean): Promise<Timeline | undefined> {
    try {
      return await this.#find(stream, isInTime);
    } catch (error) {
      // An archive of the list was replaced meanwhile by one that holds all of it.
      if (errorCodeOf(error) !== 'SEGMENT_NOT_FOUND') throw error;
      this.#listings.delete(stream);
      return this.#find(stream, isInTime);
    }
  }

  async #find(stream: StreamId, isInTime: (beginning: Beginning) => boolean): Promise<Timeline | undefined> {
    const archives = await this.#list(stream);
    let [low, high] = [0, archives.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const beginning = await this.#beginningOf(stream, archives[middle]?.key ?? '');
      if (beginning !== undefined && isInTime(beginning)) low = middle + 1;
      else high = middle;
    }
    const found = archives[low - 1];
    return found === undefined ? undefined : this.#load(stream, found.key);
  }

  #list(stream: StreamId): Promise<readonly ArchiveName[]> {
    const nowMs = this.#ports.clock.monotonicMs();
    const known = this.#listings.get(stream);
    if (known !== undefined && nowMs - known.atMs < listingMs) return known.archives;
    const archives = this.#readList(stream);
    archives.catch(() => this.#listings.delete(stream));
    if (this.#listings.size >= maxListings) this.#listings.clear();
    this.#listings.set(stream, { atMs: nowMs, archives });
    return archives;
  }

  async #readList(stream: StreamId): Promise<readonly ArchiveName[]> {
    const { source } = this.#ports;
    const keys = await this.#listGateOf(source.homeOf(stream)).run(() => source.list(stream));
    return keys.flatMap((key) => parseArchiveKey(key) ?? []).toSorted(byAge);
  }

  #listGateOf(home: RegionId | undefined): Gate {
    const known = this.#listGates.get(home);
    if (known !== undefined) return known;
    const gate = new Gate({
      ...lists,
      about: 'lists of archives',
      onWaiting: (count) => this.#waitingLists.set(count, { region: home ?? 'none' }),
    });
    this.#listGates.set(home, gate);
    return gate;
  }

  async #beginningOf(stream: StreamId, key: string): Promise<Beginning | undefined> {
    if (this.#beginnings.has(key)) return this.#beginnings.get(key);
    const timeline = await this.#load(stream, key);
    const beginning = timeline === undefined ? undefined : beginningOf(timeline);
    if (this.#beginnings.size >= maxBeginnings) this.#beginnings.clear();
    this.#beginnings.set(key, beginning);
    return beginning;
  }

  async #load(stream: StreamId, key: string): Promise<Timeline | undefined> {
    const kept = this.#folds.get(key);
    if (kept !== undefined) {
      this.#keep(key, kept);
      return kept;
    }
    const running = this.#loads.get(key);
    if (running !== undefined) return running.timeline;
    const home = this.#ports.source.homeOf(stream);
    this.#mustHaveRoom(home);
    const timeline = this.#read(stream, key).finally(() => this.#loads.delete(key));
    this.#loads.set(key, { home, timeline });
    return timeline;
  }

  /** This region's own store answers by itself, whatever other regions do. @throws TangazaError `OVERLOADED` */
  #mustHaveRoom(home: RegionId | undefined): void {
    const loads = [...this.#loads.values()];
    const isHomeFull = loads.filter((load) => load.home === home).length >= maxLoads.ofHome;
    const areOthersFull =
      home !== undefined && loads.filter((load) => load.home !== undefined).length >= maxLoads.ofOthers;
    if (!isHomeFull && !areOthersFull) return;
    this.#refused.add(1, { bound: isHomeFull ? 'home' : 'others' });
    throw new TangazaError('OVERLOADED', 'Too many archives are being read.');
  }

  async #read(stream: StreamId, key: string): Promise<Timeline | undefined> {
    const body = await this.#ports.source.read(stream, key);
    const timeline = fromSnapshot(parse(new TextDecoder().decode(body)));
    if (timeline !== undefined) this.#keep(key, timeline);
    return timeline;
  }

  #keep(key: string, timeline: Timeline): void {
    this.#folds.delete(key);
    this.#folds.set(key, timeline);
    const [oldest] = this.#folds.keys();
    if (this.#folds.size > maxFolds && oldest !== undefined) this.#folds.delete(oldest);
  }
}

/** Where a timeline begins; undefined while it has no segment. */
export function beginningOf({ periods }: Timeline): Beginning | undefined {
  const period = periods.find(({ segments }) => segments.length > 0);
  const first = period?.segments[0];
  if (period === undefined || first === undefined) return undefined;
  const { start90k } = first;
  const timescales = Object.fromEntries(
    period.clock.renditions.map(({ name, timescale }) => [name, timescale]),
  );
  return { period: period.id, start90k, presentation90k: presentationTime90k(period, start90k), timescales };
}

/** A damaged archive counts as one that does not exist. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
