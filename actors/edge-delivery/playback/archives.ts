/**
 * What an owner archived of a stream's timeline (C7): the past that the log no longer holds, for an edge that did not
 * follow it then, as after a restart.
 *
 * Each archive is a fold that begins where the owner's last one but a DVR window ended, so they overlap by that window,
 * and begin later one by one: the newest that begins at or before a time holds what is around it. It is found by halving,
 * as only its content says where an archive begins.
 *
 * Bounds: folds kept, beginnings remembered, loads at once (over it: `OVERLOADED`). A list is believed for 10 s.
 */
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { PeriodId, StreamId } from '../../../cluster/model/ids.ts';
import { abortAfter, type Clock } from '../../../cluster/time/clock.ts';
import { presentationTime90k } from '../../media/timeline/query.ts';
import { fromSnapshot } from '../../media/timeline/snapshot.ts';
import type { Timeline } from '../../media/timeline/timeline.ts';
import { archivePrefix, byAge, parseArchiveKey, type ArchiveName } from '../../segment-store/archive-key.ts';
import type { SegmentStore } from '../../segment-store/segment-store.ts';

export interface ArchivesPorts {
  readonly store: SegmentStore;
  readonly clock: Clock;
}

/** Where a fold begins: its first segment. */
export interface Beginning {
  readonly period: PeriodId;
  readonly start90k: number;
  /** On the stream's presentation timeline. */
  readonly presentation90k: number;
  /** Of the period's renditions. */
  readonly timescales: Readonly<Record<string, number>>;
}

interface Listing {
  readonly atMs: number;
  readonly archives: Promise<readonly ArchiveName[]>;
}

const maxFolds = 4;
const maxBeginnings = 4096;
const maxListings = 256;
const maxLoads = 8;
const listingMs = 10_000;
const storeMs = 10_000;

export class Archives {
  readonly #ports: ArchivesPorts;
  /** Oldest use first. */
  readonly #folds = new Map<string, Timeline>();
  readonly #loads = new Map<string, Promise<Timeline | undefined>>();
  /** `undefined` of an archive that has no segment. */
  readonly #beginnings = new Map<string, Beginning | undefined>();
  readonly #listings = new Map<StreamId, Listing>();

  constructor(ports: ArchivesPorts) {
    this.#ports = ports;
  }

  /**
   * The newest fold whose beginning satisfies `isInTime`, which must hold for all older ones if it holds for one.
   *
   * @throws TangazaError `OVERLOADED`, those of the store
   */
  async find(stream: StreamId, isInTime: (beginning: Beginning) => boolean): Promise<Timeline | undefined> {
    try {
      return await this.#find(stream, isInTime);
    } catch (error) {
      // One of the list was superseded meanwhile, by one that holds all that it held.
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
      const beginning = await this.#beginningOf(archives[middle]?.key ?? '');
      if (beginning !== undefined && isInTime(beginning)) low = middle + 1;
      else high = middle;
    }
    const found = archives[low - 1];
    return found === undefined ? undefined : this.#load(found.key);
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
    const archives: ArchiveName[] = [];
    const { store, clock } = this.#ports;
    using late = abortAfter(clock, storeMs);
    for await (const { key } of store.list(archivePrefix(stream), late.signal)) {
      const name = parseArchiveKey(key);
      if (name !== undefined) archives.push(name);
    }
    return archives.toSorted(byAge);
  }

  async #beginningOf(key: string): Promise<Beginning | undefined> {
    if (this.#beginnings.has(key)) return this.#beginnings.get(key);
    const timeline = await this.#load(key);
    const beginning = timeline === undefined ? undefined : beginningOf(timeline);
    if (this.#beginnings.size >= maxBeginnings) this.#beginnings.clear();
    this.#beginnings.set(key, beginning);
    return beginning;
  }

  async #load(key: string): Promise<Timeline | undefined> {
    const kept = this.#folds.get(key);
    if (kept !== undefined) {
      this.#keep(key, kept);
      return kept;
    }
    const running = this.#loads.get(key);
    if (running !== undefined) return running;
    if (this.#loads.size >= maxLoads)
      throw new TangazaError('OVERLOADED', 'Too many archives are being read.');
    const started = this.#read(key).finally(() => this.#loads.delete(key));
    this.#loads.set(key, started);
    return started;
  }

  async #read(key: string): Promise<Timeline | undefined> {
    const { store, clock } = this.#ports;
    using late = abortAfter(clock, storeMs);
    const body = await store.get(key, late.signal);
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

/** A damaged archive is as one that is not there. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
