/**
 * What other regions told of their streams and edges, as one node remembers it (R3). Time and words come from outside.
 *
 * E1. Of two regions that tell of one stream, the one with the higher epoch is its home. What this region told counts as well, so that a stream
 *     that came back is not looked for elsewhere.
 * E2. A region tells only epochs of its own ordinal, and of a term that leaves ids of periods (M1). Everything else is refused, so
 *     no region can say anything about another one's streams.
 * E3. Within one region an epoch never falls, and what ended under an epoch does not begin again under it.
 * E4. What is on air is told every 30 s. What was not told for 95 s over a working link counts as ended until it is told again. While
 *     the link is cut, everything stays as it was told last, with its age. Its edges count for nothing meanwhile; from the heal on they count as
 *     they were told last, until it tells them anew and for 6 s at most, as the objects that were missed are asked for at once.
 *     (Rejected: to end at once what a region's list lacks when its link comes up again, as after the death of its only node. A node that has just
 *     started answers with ownership records; a record may be lost while its owner lives, and two regions would publish one stream.)
 * E5. A region has `maxStreams` streams at most here. The oldest broadcast that is over makes room; where there is none, the new stream is refused.
 */
import { ordinalOfEpoch, termOf, termsWithPeriods } from '../model/branch.ts';
import type { RegionId, StreamId } from '../model/ids.ts';
import type { EdgeTold, StreamOnAir } from '../contract/regions/on-air.ts';
import type { EdgeElsewhere, StreamElsewhere } from './elsewhere.ts';

export const elsewhereLimits = {
  /** Streams of one region. */
  maxStreams: 10_000,
  /** Three lists, and some delay. */
  unheardMs: 95_000,
  /** A broadcast that is over is forgotten after so long. */
  keepEndedMs: 24 * 3600 * 1000,
  /** Three messages about edges. */
  edgesLastMs: 6000,
} as const;

/** Why something that was told is not believed. */
export type Refusal = 'foreign epoch' | 'full';

interface Kept {
  readonly told: StreamOnAir;
  readonly heardAtMs: number;
  /** Not told any more, though the link works (E4). */
  readonly isUnheard: boolean;
}

interface Region {
  readonly ordinal: number;
  readonly streams: Map<StreamId, Kept>;
  /** Those of them that are not on air, the longest known first. */
  readonly over: Set<StreamId>;
  edges: readonly EdgeTold[];
  edgesAtMs: number;
  /** Since when its lists can be heard; undefined while the link is cut. */
  linkedAtMs: number | undefined;
}

export class ElsewhereState {
  readonly #self: RegionId;
  readonly #regions = new Map<RegionId, Region>();
  #edgesRevision = 0;
  #urls = '';

  /** @param ordinals of all regions, this one included */
  constructor(self: RegionId, ordinals: ReadonlyMap<RegionId, number>) {
    this.#self = self;
    for (const [id, ordinal] of [...ordinals].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      this.#regions.set(id, {
        ordinal,
        streams: new Map(),
        over: new Set(),
        edges: [],
        edgesAtMs: -Infinity,
        linkedAtMs: id === self ? 0 : undefined,
      });
  }

  /** @returns whether it changed what is known of the stream, or why it is not believed (E2, E5) */
  note(region: RegionId, told: StreamOnAir, nowMs: number): boolean | Refusal {
    const of = this.#regions.get(region);
    if (of === undefined || !mayTell(of, told)) return 'foreign epoch';
    const known = of.streams.get(told.stream);
    if (known !== undefined && isOlder(told, known.told)) return false;
    if (known === undefined && !makeRoom(of)) return 'full';
    of.streams.set(told.stream, { told, heardAtMs: nowMs, isUnheard: false });
    if (told.isOnAir) of.over.delete(told.stream);
    else of.over.add(told.stream);
    return known === undefined || known.isUnheard || isChange(known.told, told);
  }

  noteEdges(region: RegionId, edges: readonly EdgeTold[], nowMs: number): void {
    const of = this.#regions.get(region);
    if (of === undefined) return;
    of.edges = edges.toSorted((a, b) => (a.node < b.node ? -1 : 1));
    of.edgesAtMs = nowMs;
    this.#countUrls(nowMs);
  }

  noteLink(region: RegionId, isUp: boolean, nowMs: number): void {
    const of = this.#regions.get(region);
    if (of === undefined || region === this.#self || (of.linkedAtMs !== undefined) === isUp) return;
    if (isUp) of.edgesAtMs = nowMs;
    else if (!hasEdges(region, of, this.#self, nowMs)) of.edges = [];
    of.linkedAtMs = isUp ? nowMs : undefined;
    this.#countUrls(nowMs);
  }

  /** Forgets what is too old (E4). To be called every second or so. @returns streams that count as ended now */
  expire(nowMs: number): readonly StreamId[] {
    this.#countUrls(nowMs);
    return [...this.#regions].flatMap(([, of]) => expireIn(of, nowMs));
  }

  /** All that one region told, in order of id. */
  listOf(region: RegionId): readonly StreamOnAir[] {
    const kept = [...(this.#regions.get(region)?.streams.values() ?? [])];
    return kept.map(present).toSorted(byStream);
  }

  /** Where the stream is at home, if that is another region (E1). */
  homeOf(stream: StreamId, nowMs: number): StreamElsewhere | undefined {
    let home: { readonly region: RegionId; readonly kept: Kept } | undefined;
    for (const [region, { streams }] of this.#regions) {
      const kept = streams.get(stream);
      if (kept !== undefined && kept.told.epoch > (home?.kept.told.epoch ?? -1)) home = { region, kept };
    }
    if (home === undefined || home.region === this.#self) return undefined;
    const { region, kept } = home;
    return { ...present(kept), region, ageMs: Math.max(0, nowMs - kept.heardAtMs) };
  }

  streams(nowMs: number): readonly StreamElsewhere[] {
    const others = [...this.#regions].filter(([region]) => region !== this.#self);
    const ids = new Set(others.flatMap(([, { streams }]) => [...streams.keys()]));
    return [...ids]
      .toSorted()
      .map((stream) => this.homeOf(stream, nowMs))
      .filter((home) => home !== undefined);
  }

  edges(nowMs: number): readonly EdgeElsewhere[] {
    return [...this.#regions].flatMap(([region, of]) =>
      hasEdges(region, of, this.#self, nowMs) ? of.edges.map((edge) => ({ region, ...edge })) : [],
    );
  }

  get edgesRevision(): number {
    return this.#edgesRevision;
  }

  /** For metrics. */
  sizes(): readonly { readonly region: RegionId; readonly streams: number; readonly edges: number }[] {
    return [...this.#regions].map(([region, { streams, edges }]) => ({
      region,
      streams: streams.size,
      edges: edges.length,
    }));
  }

  #countUrls(nowMs: number): void {
    const urls = this.edges(nowMs)
      .map(({ region, node, httpUrl, weight }) => `${region} ${node} ${httpUrl} ${weight}`)
      .join();
    if (urls === this.#urls) return;
    this.#urls = urls;
    this.#edgesRevision += 1;
  }
}

const byStream = (a: StreamOnAir, b: StreamOnAir): number => (a.stream < b.stream ? -1 : 1);

const present = ({ told, isUnheard }: Kept): StreamOnAir => (isUnheard ? { ...told, isOnAir: false } : told);

/** Whether the region may have minted that epoch (E2). */
function mayTell({ ordinal }: Region, { epoch }: StreamOnAir): boolean {
  return ordinalOfEpoch(epoch) === ordinal && termOf(epoch) < termsWithPeriods;
}

/** Whether it is no news (E3). */
function isOlder(told: StreamOnAir, known: StreamOnAir): boolean {
  if (told.epoch !== known.epoch) return told.epoch < known.epoch;
  return told.isOnAir && !known.isOnAir;
}

const isChange = (before: StreamOnAir, after: StreamOnAir): boolean =>
  before.epoch !== after.epoch ||
  before.isOnAir !== after.isOnAir ||
  before.discontinuities !== after.discontinuities ||
  before.availabilityStartMs !== after.availabilityStartMs ||
  before.rtmpUrl !== after.rtmpUrl;

/** @returns false where there is no room, and nothing that is over to forget (E5) */
function makeRoom({ streams, over }: Region): boolean {
  if (streams.size < elsewhereLimits.maxStreams) return true;
  const [oldest] = over;
  if (oldest === undefined) return false;
  over.delete(oldest);
  return streams.delete(oldest);
}

function expireIn({ streams, over, linkedAtMs }: Region, nowMs: number): readonly StreamId[] {
  const lost: StreamId[] = [];
  for (const [stream, kept] of streams) {
    if (over.has(stream)) {
      if (nowMs - kept.heardAtMs <= elsewhereLimits.keepEndedMs) continue;
      streams.delete(stream);
      over.delete(stream);
    } else if (isUnheard(kept, linkedAtMs, nowMs)) {
      streams.set(stream, { ...kept, isUnheard: true });
      over.add(stream);
      lost.push(stream);
    }
  }
  return lost;
}

const isUnheard = ({ heardAtMs }: Kept, linkedAtMs: number | undefined, nowMs: number): boolean =>
  linkedAtMs !== undefined && nowMs - Math.max(heardAtMs, linkedAtMs) > elsewhereLimits.unheardMs;

const hasEdges = (region: RegionId, of: Region, self: RegionId, nowMs: number): boolean =>
  region !== self && of.linkedAtMs !== undefined && nowMs - of.edgesAtMs <= elsewhereLimits.edgesLastMs;
