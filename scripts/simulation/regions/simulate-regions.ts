/**
 * A seeded simulation of one stream in two or three regions, whose links fail.
 *
 * These parts are the product's own: the fold of each region's log, the relayer, epochs and the ids of periods. These are models: the log
 * (region-log.ts), the owner without tasks (region-owner.ts), and when a region takes the stream from another.
 *
 * What must hold is in region-edge.ts and region-judge.ts.
 */
import { nextEpoch } from '../../../cluster/ownership/epoch.ts';
import { branchOf } from '../../../cluster/model/branch.ts';
import { BootId, NodeId, RegionId, type Epoch } from '../../../cluster/model/ids.ts';
import type { IndexEntry, IndexRecord } from '../../../cluster/contract/index-records.ts';
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import { Agenda } from '../agenda.ts';
import { Random } from '../random.ts';
import { RegionEdge } from './region-edge.ts';
import { RegionLog } from './region-log.ts';
import { breakSomething, type Place } from './region-faults.ts';
import { RegionJudge } from './region-judge.ts';
import { segmentMs, type Session } from './region-media.ts';
import { RegionOwner } from './region-owner.ts';
import { RegionRelay } from './region-relay.ts';

/**
 * `fencing`: every log accepts every append. `shift`: edges take the numbers of another region as they are. `dates`: and its times. `above`: owners
 * name their periods by the places of their own log alone. `return`: an owner that comes back from a cut is not relayed to. `reclaim`: a region that
 * gave the stream away, and takes it back, claims no higher epoch than the one that it gave away.
 */
export const regionSabotages = ['fencing', 'shift', 'dates', 'above', 'return', 'reclaim'] as const;
export type RegionSabotage = (typeof regionSabotages)[number];

export interface RegionOptions {
  readonly seed: number;
  readonly regions: number;
  readonly breaks?: RegionSabotage;
  /** By how much a region's wall clock may be wrong, either way. By default all are right. */
  readonly skewMs?: number;
  readonly onTrace?: (line: string) => void;
}

export interface RegionResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly faults: number;
  /** How often the stream changed its region. */
  readonly changes: number;
  readonly records: number;
  readonly segments: number;
}

const stepMs = 250;
const faultsUntilMs = 150_000;
const healedByMs = 5000;
const shownByMs = 20_000;
const adoptAfterMs = 10_000;

export function simulateRegions(options: RegionOptions): RegionResult {
  return new RegionSimulation(options).run();
}

class RegionSimulation {
  readonly #options: RegionOptions;
  readonly #random: Random;
  readonly #agenda = new Agenda();
  readonly #places: readonly Place[];
  readonly #cuts = new Set<string>();
  readonly #judge: RegionJudge;
  #count = 0;
  #encoders = 1;
  #faults = 0;
  #changes = 0;
  #records = 0;

  constructor(options: RegionOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#judge = new RegionJudge(
      () => this.#nowMs,
      (line) => this.#trace(line),
    );
    this.#places = Array.from({ length: options.regions }, (_, ordinal) => this.#newPlace(ordinal));
  }

  #newPlace(ordinal: number): Place {
    const id = RegionId.parse(`r${ordinal}`);
    const log = new RegionLog(id, this.#options.breaks === 'fencing', (entry) => this.#appended(id, entry));
    const isTwin = ordinal === 0 || this.#random.chance(0.6);
    const encoder = isTwin ? 1 : (this.#encoders += 1);
    const session = ordinal === 0 || this.#random.chance(0.8) ? this.#newSession(encoder) : undefined;
    const published = new Map<number, string>();
    const { skewMs = 0 } = this.#options;
    const place: Place = {
      skewMs: skewMs === 0 ? 0 : Math.round(this.#random.between(-skewMs, skewMs)),
      id,
      ordinal,
      log,
      published,
      edges: [],
      owner: undefined,
      relay: undefined,
      session,
      epoch: undefined,
      heardAtMs: 0,
      successorDueAtMs: undefined,
    };
    for (const index of [0, 1]) place.edges.push(this.#newEdge(place, index));
    return place;
  }

  #newEdge({ id, log, published }: Pick<Place, 'id' | 'log' | 'published'>, index: number): RegionEdge {
    return new RegionEdge(`edge ${index} of ${id}`, log, {
      published,
      violate: (what) => this.#judge.violate(what),
      wallMsOf: (sha256) => this.#judge.wallMs.get(sha256),
      breaks: this.#options.breaks,
      skewMs: 2 * (this.#options.skewMs ?? 0),
    });
  }

  #newSession(encoder: number): Session {
    return { encoder, jitter90k: this.#random.below(91) };
  }

  run(): RegionResult {
    const [first] = this.#places;
    if (first !== undefined) this.#claim(first);
    if (this.#random.chance(0.4)) this.#planRivals();
    this.#planFault();
    const endMs = faultsUntilMs + healedByMs + shownByMs;
    for (let atMs = stepMs; atMs <= endMs; atMs += stepMs) this.#agenda.after(atMs, () => this.#step());
    this.#agenda.after(faultsUntilMs, () => this.#heal());
    this.#agenda.after(faultsUntilMs + healedByMs, () => this.#judge.epochs(this.#places));
    this.#agenda.after(endMs, () => this.#judge.shown(this.#places));
    while (this.#agenda.nextMs <= endMs && !this.#judge.isFull) this.#agenda.step();
    return {
      seed: this.#options.seed,
      violations: this.#judge.violations,
      faults: this.#faults,
      changes: this.#changes,
      records: this.#records,
      segments: Math.max(...this.#places.map(({ published }) => published.size)),
    };
  }

  /** During a cut other regions begin the stream as well, under one id, each with a timeline of its own. */
  #planRivals(): void {
    for (const place of this.#places.slice(1)) {
      if (place.session === undefined) continue;
      for (const { id } of this.#places)
        if (id !== place.id)
          for (const pair of [`${id}>${place.id}`, `${place.id}>${id}`]) this.#cuts.add(pair);
      this.#agenda.after(this.#random.between(500, 40_000), () => {
        if (place.log.tail === undefined) this.#claim(place);
      });
    }
  }

  get #nowMs(): number {
    return this.#agenda.nowMs;
  }

  #isLinked(from: RegionId, to: RegionId): boolean {
    return !this.#cuts.has(`${from}>${to}`);
  }

  /** What every region does four times a second. */
  #step(): void {
    for (const place of this.#places) {
      this.#succeed(place);
      this.#follow(place);
      this.#adopt(place);
      if (this.#nowMs % segmentMs === 0) this.#write(place);
      if (this.#nowMs % 500 === 0) this.#tellHead(place);
      place.relay?.tick();
      for (const edge of place.edges) if (this.#random.chance(0.8)) edge.read();
    }
    this.#judge.windows(this.#places);
  }

  #write({ owner, session, log }: Place): void {
    if (owner === undefined) return;
    if (owner.life === 'moved' && this.#nowMs - owner.movedAtMs >= 5000) owner.life = 'gone';
    if (owner.life !== 'active' || session === undefined) return;
    const before = log.tail?.sequence ?? 0;
    this.#reopen(owner);
    owner.write(session, this.#nowMs);
    for (const { record } of log.from(before + 1))
      if (record.kind === 'commit' && record.home === undefined) this.#note(record);
  }

  #note({ renditions }: Extract<IndexRecord, { kind: 'commit' }>): void {
    for (const media of Object.values(renditions))
      if (!('absent' in media)) this.#judge.wallMs.set(media.sha256, this.#nowMs - segmentMs);
  }

  /** Opens the running period anew where another region's log has later ones, as far as this region hears of it (R6). */
  #reopen(owner: RegionOwner): void {
    const known = owner.timeline.periods.at(-1)?.id ?? 0;
    const isPassed = this.#places.some(({ id, edges, owner: other }) => {
      const last = edges[0]?.timeline.periods.findLast(({ segments }) => segments.length > 0);
      const home = this.#places.find((one) => one.owner === owner)?.id ?? id;
      return other !== owner && this.#isLinked(id, home) && (last?.id ?? 0) > known;
    });
    if (isPassed) owner.reopen(this.#nowMs);
  }

  #tellHead({ id, log, owner }: Place): void {
    const { tail } = log;
    if (tail === undefined || tail.record.home !== undefined || owner === undefined) return;
    for (const other of this.#places) {
      if (other.id === id || !this.#isLinked(id, other.id)) continue;
      if (tail.record.epoch >= (other.log.tail?.record.epoch ?? 0)) other.heardAtMs = this.#nowMs;
      if (other.relay?.home === id) other.relay.hearHead(tail);
    }
  }

  /** The region whose owner has the highest epoch, as far as this region knows. */
  #homeOf(place: Place): Place {
    const heads = this.#places
      .filter(({ id }) => id === place.id || this.#isLinked(id, place.id))
      .filter(({ log: { tail } }) => tail !== undefined && tail.record.home === undefined);
    const epochOf = ({ log }: Place): number => log.tail?.record.epoch ?? 0;
    return heads.toSorted((a, b) => epochOf(b) - epochOf(a))[0] ?? place;
  }

  #follow(place: Place): void {
    const home = this.#homeOf(place);
    const { owner, relay, log } = place;
    if (home.id === place.id || relay?.home === home.id) return;
    if ((log.tail?.record.epoch ?? 0) > (home.log.tail?.record.epoch ?? 0)) return;
    if (owner?.life === 'active' && !this.#isAbove(home, owner)) return;
    relay?.kill();
    this.#count += 1;
    this.#trace(`${place.id} relays from ${home.id}`);
    const parts = {
      agenda: this.#agenda,
      random: this.#random,
      name: `relay-${place.id}-${this.#count}`,
      own: log,
      home: home.log,
      isLinked: () => this.#isLinked(place.id, home.id) && this.#isLinked(home.id, place.id),
      onGone: () => {
        if (place.relay === made) place.relay = undefined;
      },
    };
    const made = new RegionRelay(parts, this.#beyond(place));
    place.relay = made;
  }

  /** Whether the home has a higher epoch than an owner here, who is then relayed to. */
  #isAbove({ log: { tail } }: Place, { self }: RegionOwner): boolean {
    return this.#options.breaks !== 'return' && (tail?.record.epoch ?? 0) > self.epoch;
  }

  /** The fold of an edge that knows more than the log (C7). */
  #beyond({ edges, log }: Place): FoldedTimeline | undefined {
    const probe = new RegionEdge('', log, {
      published: new Map(),
      violate: () => {},
      wallMsOf: () => undefined,
      breaks: undefined,
      skewMs: 0,
    });
    probe.read();
    const furthest = edges.toSorted((a, b) => b.timeline.nextNumber - a.timeline.nextNumber)[0]?.timeline;
    const has = probe.timeline;
    if (furthest === undefined || furthest.epoch === 0) return undefined;
    const isFurther =
      furthest.nextNumber > has.nextNumber ||
      (furthest.nextNumber === has.nextNumber &&
        (furthest.periods.at(-1)?.id ?? 0) > (has.periods.at(-1)?.id ?? 0));
    return isFurther ? structuredClone(furthest) : undefined;
  }

  /** Takes the stream without consent: this region has the encoder, and hears of no home. */
  #adopt(place: Place): void {
    const { session, owner, log, heardAtMs } = place;
    if (session === undefined || (owner !== undefined && owner.life !== 'gone')) return;
    const movedTo = place.edges[0]?.timeline.movedTo;
    const isGiven = movedTo?.region === place.id && log.tail?.record.kind === 'moved';
    const isSilent = this.#nowMs - heardAtMs > adoptAfterMs && log.tail?.record.home !== undefined;
    const hasEnded = log.tail?.record.kind === 'end' && this.#random.chance(this.#beginShare);
    if (isGiven || isSilent || hasEnded) this.#claim(place);
  }

  /**
   * How likely an ended stream begins again: rarely, so that another region may adopt it before; not just before it is judged, as that takes
   * a while to be heard everywhere; and in any case before the end, as all regions show the same only of a stream that goes on.
   */
  get #beginShare(): number {
    const sinceHealedMs = this.#nowMs - faultsUntilMs;
    if (sinceHealedMs < 0) return 0.01;
    return sinceHealedMs > healedByMs && sinceHealedMs < 2 * healedByMs ? 0.3 : 0;
  }

  /** Another node of the region takes the stream over, when its owner is gone and no other region has it. */
  #succeed(place: Place): void {
    const { owner, log, successorDueAtMs } = place;
    const isOurs = log.tail?.record.home === undefined && log.tail?.record.kind !== 'end';
    if (owner === undefined || owner.life !== 'gone' || !isOurs) {
      place.successorDueAtMs = undefined;
      return;
    }
    place.successorDueAtMs ??= this.#nowMs + this.#random.between(500, 2500);
    if (successorDueAtMs !== undefined && this.#nowMs >= successorDueAtMs) this.#claim(place);
  }

  #claim(place: Place): void {
    const { log, ordinal, edges } = place;
    const { tail } = log;
    const beyond = this.#beyond(place);
    const seen = [place.epoch, tail?.record.epoch, ...edges.map(({ timeline }) => timeline.epoch)];
    const epoch = nextEpoch([...seen, this.#givenAway(place)], ordinal);
    this.#count += 1;
    const self = { epoch, node: NodeId.parse(`n-${place.id}`), bootId: BootId.parse(`b${this.#count}`) };
    const from = this.#from(place, epoch);
    const by = { ...self, region: place.id, recordId: `open-${this.#count}`, atMs: Math.round(this.#nowMs) };
    const open: IndexRecord = { kind: 'open', ...by, ...(from === undefined ? {} : { from }) };
    const sequence = log.append(open, tail?.sequence ?? 0);
    if (sequence === undefined) return;
    if (from !== undefined) this.#changes += 1;
    this.#trace(`${place.id} claims epoch ${epoch}${from === undefined ? '' : ` from ${from.region}`}`);
    place.epoch = epoch;
    const isAboveBroken = this.#options.breaks === 'above';
    place.owner = new RegionOwner(
      self,
      log,
      { openSequence: sequence, skewMs: place.skewMs, isAboveBroken },
      beyond,
    );
    if (from !== undefined) place.owner.lack(this.#random.below(10), this.#nowMs);
  }

  /**
   * The epoch that this region gave to another one, which has not opened the stream with it. What takes the stream back lies above it, so that an
   * `open` which comes late is fenced (R7).
   */
  #givenAway({ id, log, edges }: Place): Epoch | undefined {
    if (this.#options.breaks === 'reclaim') return undefined;
    const record = log.tail?.record;
    if (record?.kind === 'moved') return record.to === id ? undefined : record.toEpoch;
    const movedTo = edges[0]?.timeline.movedTo;
    return movedTo?.region === id ? undefined : movedTo?.epoch;
  }

  #from({ edges, log }: Place, epoch: Epoch) {
    const fold = edges[0]?.timeline;
    const tail = log.tail?.record;
    if (fold === undefined || tail === undefined || branchOf(tail.epoch) === branchOf(epoch))
      return undefined;
    const number = Math.max(0, fold.nextNumber - (fold.branch?.shift ?? 0));
    return { region: tail.region, epoch: tail.epoch, number };
  }

  #appended(region: RegionId, entry: IndexEntry): void {
    const { record, sequence } = entry;
    const place = this.#places.find(({ id }) => id === region);
    if (place === undefined) return;
    this.#records += 1;
    this.#judge.appended(place, entry);
    if (record.home !== undefined) return;
    const previous = place.log.before(sequence);
    for (const other of this.#places)
      if (other.relay?.home === region && this.#isLinked(region, other.id)) other.relay.hear(entry, previous);
  }

  #planFault(): void {
    this.#agenda.after(this.#random.between(500, 12_000), () => {
      if (this.#nowMs >= faultsUntilMs - 1000) return;
      this.#faults += 1;
      this.#fault();
      this.#planFault();
    });
  }

  #fault(): void {
    const place = this.#random.pick(this.#places);
    if (place === undefined) return;
    const what = breakSomething(place, {
      places: this.#places,
      cuts: this.#cuts,
      random: this.#random,
      nowMs: this.#nowMs,
      newSession: () => this.#newSession((this.#encoders += 1)),
      newEdge: (one, index) => this.#newEdge(one, index),
    });
    this.#trace(`fault: ${place.id} ${what}`);
  }

  #heal(): void {
    this.#cuts.clear();
    for (const place of this.#places) place.session ??= this.#newSession(1);
    this.#trace('all links are up');
  }

  #trace(line: string): void {
    this.#options.onTrace?.(`${(this.#nowMs / 1000).toFixed(2)} ${line}`);
  }
}
