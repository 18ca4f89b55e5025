/**
 * The owner of the stream in one region, as a model: which records the product's owner writes, without sessions, tasks and deadlines.
 *
 * It appends by compare-and-set on its own last record (C1), puts its fold back where the log went back (C7), goes on with a period whose
 * encoder it has, and opens one for another. It leaves the stream when the log refuses it.
 */
import { aboveOfClock, type IndexRecord } from '../../../cluster/contract/index-records.ts';
import type { BootId, Epoch, NodeId } from '../../../cluster/model/ids.ts';
import { branchedHere } from '../../../actors/media/timeline/branch.ts';
import { applyEntry, emptyTimeline } from '../../../actors/media/timeline/fold.ts';
import {
  endOfSegments90k,
  liveEnd90k,
  presentationTime90k,
  storePeriodOf,
} from '../../../actors/media/timeline/query.ts';
import { toSnapshot } from '../../../actors/media/timeline/snapshot.ts';
import type { FoldedTimeline, TimelinePeriod } from '../../../actors/media/timeline/timeline.ts';
import { firstNeeded } from '../../../actors/media/timeline/window.ts';
import type { RegionLog } from './region-log.ts';
import { segmentMs, sessionId, type Session } from './region-media.ts';
import { hashOf, init, rendition, segment90k, video } from '../simulated-media.ts';

export interface OwnerSelf {
  readonly epoch: Epoch;
  readonly node: NodeId;
  readonly bootId: BootId;
}

export interface OwnerGiven {
  /** Of its `open`, which is the log's last record. */
  readonly openSequence: number;
  /** How far the wall clock of its region is ahead. */
  readonly skewMs: number;
  /** Sabotage: its periods are named by the places of its own log alone. */
  readonly isAboveBroken: boolean;
}

type Body<R> = R extends unknown ? Omit<R, keyof OwnerSelf | 'region' | 'recordId' | 'atMs'> : never;

export class RegionOwner {
  readonly self: OwnerSelf;
  readonly #log: RegionLog;
  readonly #given: OwnerGiven;
  #timeline: FoldedTimeline;
  #sequence: number;
  #records = 0;
  life: 'active' | 'moved' | 'gone' = 'active';
  movedAtMs = 0;

  constructor(self: OwnerSelf, log: RegionLog, given: OwnerGiven, beyond: FoldedTimeline | undefined) {
    this.self = self;
    this.#log = log;
    this.#given = given;
    this.#sequence = given.openSequence;
    const folded = log.entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
    const { lastSequence, epoch, bootId } = folded;
    this.#timeline =
      beyond === undefined ? folded : { ...branchedHere(beyond, epoch), lastSequence, epoch, bootId };
    if (beyond !== undefined) this.#snapshot(0);
  }

  get timeline(): FoldedTimeline {
    return this.#timeline;
  }

  /** Writes the segment of the wall time that has just ended, with what belongs in front of it. */
  write(session: Session, nowMs: number): void {
    const running = this.#running();
    const isSame = running?.clock.sessionId === sessionId(session);
    const lost = isSame ? this.#hole(running, session, nowMs) : 0;
    const period = isSame && lost >= 0 && lost <= 30 * segment90k ? running : this.#open(session, nowMs);
    if (period === undefined) return;
    const start90k = startOf(period, session, nowMs);
    const end90k = endOfSegments90k(period);
    if (period.segments.length > 0 && start90k - end90k > 180) this.#gap(period, start90k - end90k, nowMs);
    this.#segment(period, session, nowMs);
  }

  /** How much of a period was not received; below 0 where the media lies behind its end. */
  #hole(period: TimelinePeriod, session: Session, nowMs: number): number {
    const hole = startOf(period, session, nowMs) - endOfSegments90k(period);
    return Math.abs(hole) <= 180 ? 0 : hole;
  }

  #running(): TimelinePeriod | undefined {
    return this.#timeline.state === 'live' ? this.#timeline.periods.at(-1) : undefined;
  }

  /** Goes on with the running period in a new one, for a region whose log has a later one (R6). */
  reopen(nowMs: number): void {
    const running = this.#running();
    if (running === undefined) return;
    const end90k = endOfSegments90k(running);
    // A period without a segment may begin before the end of this log.
    const late90k = Math.max(0, liveEnd90k(this.#timeline) - presentationTime90k(running, end90k));
    const mediaZero90k = end90k + late90k;
    this.#write(
      {
        ...running.clock,
        kind: 'clock',
        mediaZero90k,
        presentationZero90k: presentationTime90k(running, mediaZero90k),
        storedAs: storePeriodOf(running),
        period: undefined,
        home: undefined,
      },
      nowMs,
    );
  }

  #open(session: Session, nowMs: number): TimelinePeriod | undefined {
    const begunMs = nowMs - segmentMs;
    const wallMs = begunMs + this.#given.skewMs;
    const { availabilityStartMs = wallMs } = this.#timeline;
    this.#write(
      {
        kind: 'clock',
        sessionId: sessionId(session),
        mediaZero90k: 0,
        presentationZero90k: Math.max(liveEnd90k(this.#timeline), (wallMs - availabilityStartMs) * 90),
        availabilityStartMs,
        connectionZeroMs: begunMs + session.jitter90k / 90,
        sequenceHeaderHash: init.sha256,
        renditions: [video],
        fingerprint: '',
      },
      nowMs,
    );
    return this.#running();
  }

  #gap(period: TimelinePeriod, hole90k: number, nowMs: number): void {
    const number = this.#timeline.nextNumber;
    const place = { period: period.id, start90k: endOfSegments90k(period), duration90k: hole90k };
    this.#write({ kind: 'gap', number, ...place, reason: 'nothing was received' }, nowMs);
  }

  #segment(period: TimelinePeriod, session: Session, nowMs: number): void {
    const end90k = endOfSegments90k(period);
    const given90k = startOf(period, session, nowMs);
    const isSnapped = Math.abs(given90k - end90k) <= 180 && period.segments.length > 0;
    const start90k = isSnapped ? end90k : given90k;
    const place = { period: period.id, start90k, duration90k: given90k + segment90k - start90k };
    this.#write({ kind: 'source', sessionId: sessionId(session), ...place, times90k: [0] }, nowMs);
    const sha256 = hashOf(`${session.encoder} ${Math.round(nowMs / segmentMs)} ${start90k}`);
    const media = { startTime: start90k, duration: place.duration90k, sha256, bytes: 1, frames: 50 };
    const number = this.#timeline.nextNumber;
    this.#write({ kind: 'commit', number, ...place, renditions: { [rendition]: media } }, nowMs);
  }

  /** Gives the stream to another region. */
  move(to: RegionLog['region'], toEpoch: Epoch, nowMs: number): void {
    if (!this.#write({ kind: 'moved', to, toEpoch }, nowMs)) return;
    this.life = 'moved';
    this.movedAtMs = nowMs;
  }

  end(nowMs: number): void {
    if (this.#write({ kind: 'end', reason: 'test' }, nowMs)) this.life = 'gone';
  }

  /** Says that this region's store lacks the media of some of the newest segments (R8). */
  lack(segments: number, nowMs: number): void {
    this.#write({ kind: 'missing', belowNumber: Math.max(0, this.#timeline.nextNumber - segments) }, nowMs);
  }

  /** Shortens the log. */
  shorten(firstNumber: number, nowMs: number, windowSeconds: number): void {
    this.#write({ kind: 'trim', firstNumber }, nowMs);
    const sequence = this.#snapshot(nowMs, firstNeeded(this.#timeline, windowSeconds));
    if (sequence !== undefined) this.#log.purgeBelow(sequence);
  }

  #snapshot(nowMs: number, fromNumber = this.#timeline.firstNumber): number | undefined {
    const { nextNumber } = this.#timeline;
    const state = toSnapshot(this.#timeline, fromNumber);
    return this.#write({ kind: 'snapshot', nextNumber, state }, nowMs) ? this.#sequence : undefined;
  }

  #write(body: Body<IndexRecord>, nowMs: number): boolean {
    if (this.life === 'gone') return false;
    this.#repair(nowMs);
    const { self } = this;
    this.#records += 1;
    const recordId = `${self.epoch}-${self.bootId}-${this.#records}`;
    const record: IndexRecord = {
      ...body,
      ...self,
      region: this.#log.region,
      recordId,
      atMs: Math.round(nowMs),
    };
    const above = aboveOfClock(self.epoch, this.#timeline.periods.at(-1)?.id, this.#sequence);
    const isNamed = record.kind === 'clock' && above !== undefined && !this.#given.isAboveBroken;
    const sent = isNamed ? { ...record, above } : record;
    const sequence = this.#log.append(sent, this.#sequence);
    if (sequence === undefined) {
      this.life = 'gone';
      return false;
    }
    this.#sequence = sequence;
    this.#timeline = applyEntry(this.#timeline, { sequence, record: sent });
    return true;
  }

  /** The log lost its end, and nobody of a higher epoch wrote: the owner goes on behind its last record (C7). */
  #repair(nowMs: number): void {
    const { tail } = this.#log;
    const sequence = tail?.sequence ?? 0;
    const isBehind =
      sequence < this.#sequence && (tail === undefined || tail.record.epoch <= this.self.epoch);
    if (!isBehind) return;
    this.#sequence = sequence;
    this.#timeline = { ...this.#timeline, lastSequence: sequence };
    this.#snapshot(nowMs);
  }
}

/** Where the segment that has just ended lies on a period's clock. */
function startOf({ clock }: TimelinePeriod, { jitter90k }: Session, nowMs: number): number {
  return Math.round((nowMs - segmentMs - clock.connectionZeroMs) * 90 + jitter90k);
}
