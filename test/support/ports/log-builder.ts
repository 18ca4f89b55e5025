/** Builds an index log record by record, as an owner would write it: numbers, times and inits follow by themselves. */
import { applyEntry, emptyTimeline } from '../../../actors/media/timeline/fold.ts';
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import {
  aboveOfClock,
  periodOpenedBy,
  type ClockRecord,
  type CommittedMedia,
  type IndexEntry,
  type IndexRecord,
  type OpenRecord,
  type SourceRecord,
} from '../../../cluster/contract/index-records.ts';
import type { InitSegment, Rendition } from '../../../cluster/contract/renditions.ts';
import { PeriodId, SessionId, Sha256 } from '../../../cluster/model/ids.ts';
import { by, clockRecord, type Author } from './records.ts';

export interface SegmentOptions {
  readonly duration90k?: number;
  /** Names of renditions that are not there. */
  readonly absent?: readonly string[];
  readonly bytes?: number;
}

/** A hash of 64 digits that differs for each text. */
export function hashOf(text: string): Sha256 {
  return Sha256.parse(Buffer.from(text).toString('hex').padStart(64, '0').slice(-64));
}

const audioFrame = 1024;

export class LogBuilder {
  readonly entries: IndexEntry[] = [];
  #author: Author = {};
  #clock: ClockRecord | undefined;
  #period = 1;
  #at90k = 0;
  #number = 0;
  #atMs = 1_700_000_000_000;
  #inits = new Set<string>();

  /** Appends any record; returns its sequence. */
  add(record: IndexRecord): number {
    const sequence = (this.entries.at(-1)?.sequence ?? 0) + 1;
    this.#atMs += 2000;
    this.entries.push({ sequence, record: { ...record, atMs: this.#atMs } });
    return sequence;
  }

  /** @param from the branch that an owner of another region goes on with (R6) */
  open(author: Author = {}, from?: OpenRecord['from']): this {
    this.#author = author;
    this.add({ kind: 'open', ...by(author), ...(from === undefined ? {} : { from }) });
    return this;
  }

  /** The end of what is decided, on the running period's clock. */
  get end90k(): number {
    return this.#at90k;
  }

  /** Another process takes over under the next epoch. */
  takeOver(): this {
    const epoch = (this.#author.epoch ?? 1) + 1;
    return this.open({ epoch, bootId: `b${epoch}` });
  }

  /** Opens a period; it begins `afterSeconds` behind the end of the one before (M10). */
  clock(renditions?: readonly Rendition[], afterSeconds = 0): this {
    const before = this.#clock === undefined ? 0 : this.#clock.presentationZero90k + this.#at90k;
    const sequence = this.entries.at(-1)?.sequence ?? 0;
    const last = this.#clock === undefined ? undefined : PeriodId.parse(this.#period);
    const above = aboveOfClock(by(this.#author).epoch, last, sequence);
    this.#clock = clockRecord(this.#author, {
      availabilityStartMs: 1_700_000_000_000,
      presentationZero90k: before + afterSeconds * 90_000,
      ...(above === undefined ? {} : { above }),
      ...(renditions === undefined ? {} : { renditions: [...renditions] }),
    });
    this.#period = periodOpenedBy(this.#clock, this.add(this.#clock));
    this.#at90k = 0;
    this.#inits = new Set();
    return this;
  }

  segment({ duration90k = 180_000, absent = [], bytes = 100_000 }: SegmentOptions = {}): this {
    const renditions: Record<string, CommittedMedia> = {};
    const inits: Record<string, InitSegment> = {};
    for (const rendition of this.#clock?.renditions ?? []) {
      if (rendition.kind === 'video' && rendition.origin.kind === 'sourceOnly') continue;
      const isAbsent = absent.includes(rendition.name);
      renditions[rendition.name] = isAbsent ? { absent: 'late' } : this.#media(rendition, duration90k, bytes);
      if (isAbsent || rendition.init !== undefined || this.#inits.has(rendition.name)) continue;
      this.#inits.add(rendition.name);
      inits[rendition.name] = { sha256: hashOf(`init ${this.#period} ${rendition.name}`), bytes: 800 };
    }
    this.add({ kind: 'commit', ...by(this.#author), ...this.#place(duration90k), renditions, inits });
    return this.#advance(duration90k);
  }

  segments(count: number, options: SegmentOptions = {}): this {
    for (let index = 0; index < count; index += 1) this.segment(options);
    return this;
  }

  gap(duration90k = 180_000): this {
    this.add({ kind: 'gap', ...by(this.#author), ...this.#place(duration90k), reason: 'test' });
    return this.#advance(duration90k);
  }

  /** Lets time of the period pass without a record. */
  hole(duration90k: number): this {
    this.#at90k += duration90k;
    return this;
  }

  /** Offers a source that starts `ahead90k` behind what is decided. */
  source(ahead90k = 0): this {
    this.add(this.sourceRecord(ahead90k));
    return this;
  }

  sourceRecord(ahead90k = 0): SourceRecord {
    return {
      kind: 'source',
      ...by(this.#author),
      sessionId: SessionId.parse('s1'),
      period: PeriodId.parse(this.#period),
      start90k: this.#at90k + ahead90k,
      duration90k: 180_000,
      times90k: [0, 3000],
    };
  }

  trim(firstNumber: number): this {
    this.add({ kind: 'trim', ...by(this.#author), firstNumber });
    return this;
  }

  end(): this {
    this.add({ kind: 'end', ...by(this.#author), reason: 'test' });
    return this;
  }

  fold(upTo = this.entries.length): FoldedTimeline {
    return this.entries.slice(0, upTo).reduce(applyEntry, emptyTimeline());
  }

  #place(duration90k: number) {
    return { number: this.#number, period: PeriodId.parse(this.#period), start90k: this.#at90k, duration90k };
  }

  #advance(duration90k: number): this {
    this.#number += 1;
    this.#at90k += duration90k;
    return this;
  }

  #media(rendition: Rendition, duration90k: number, bytes: number): CommittedMedia {
    const [start, end] = [this.#at90k, this.#at90k + duration90k].map((ticks) => cut(rendition, ticks));
    const [startTime, duration] = [start ?? 0, (end ?? 0) - (start ?? 0)];
    const sha256 = hashOf(`${this.#period} ${rendition.name} ${startTime}`);
    const frames = rendition.kind === 'audio' ? duration / audioFrame : Math.ceil(duration / 3000);
    return { startTime, duration, sha256, bytes, frames };
  }
}

/** Where a rendition is cut: audio at its frame nearest to the picture's cut (M9). */
function cut(rendition: Rendition, time90k: number): number {
  if (rendition.kind === 'video') return time90k;
  return Math.round((time90k * rendition.timescale) / 90_000 / audioFrame) * audioFrame;
}
