/**
 * Writes a timeline as compact JSON, for a `snapshot` record and a checkpoint (C1, C7), and reads it back.
 *
 * A segment costs about 63 bytes for each rendition. Hashes are one base64 text per period. The rest is one list of
 * numbers, in which times are written as differences from what is expected, so most are 0. A window of 30 min with six
 * renditions is about 360 kB; NATS takes 1 MB.
 *
 * The row of a segment is `hole, duration90k, tag…`. `hole` is its start less the end of the segment before. There is
 * one tag for each name of the period: 0 is followed by `hole, duration, bytes, frames` in the rendition's timescale
 * and takes the next hash; 1 to 4 is a reason of absence; 5 is not listed; 6 is what this region's store lacks (R8), and is
 * followed by what follows 0. A gap of all rungs is `hole, -duration90k` without tags.
 */
import { z } from 'zod';
import { ClockRecord, isPresent, SourceRecord } from '../../../cluster/contract/index-records.ts';
import type { CommittedMedia, StoredMedia } from '../../../cluster/contract/index-records.ts';
import { InitSegment } from '../../../cluster/contract/renditions.ts';
import { BootId, Epoch, PeriodId, RegionId, RenditionName, Sha256 } from '../../../cluster/model/ids.ts';
import { elsewhereOf } from './missing.ts';
import type {
  BroadcastTimes,
  Branch as TimelineBranch,
  FoldedPeriod,
  FoldedTimeline,
  LackedMedia,
  Timeline,
  TimelinePeriod,
  TimelineSegment,
} from './timeline.ts';

const reasons = ['late', 'failed', 'dropped', 'missing'] as const;
const present = 0;
const unlisted = 5;
const lacked = 6;

const count = z.number().int().nonnegative();

const PeriodSnapshot = z.object({
  id: PeriodId,
  ordinal: count,
  clock: ClockRecord,
  inits: z.record(RenditionName, InitSegment),
  runs: z.array(z.object({ firstNumber: count, start90k: count, present: z.array(RenditionName) })),
  firstNumber: count,
  segments: count,
  names: z.array(RenditionName).max(64),
  rows: z.array(z.number().int()),
  hashes: z.string(),
});
type PeriodSnapshot = z.infer<typeof PeriodSnapshot>;

const Branch = z.object({
  shift: z.number().int().optional(),
  isJoining: z.boolean(),
  firstNumber: count,
});

const Snapshot = z.object({
  version: z.literal(1),
  lastSequence: count,
  epoch: Epoch,
  bootId: BootId.optional(),
  publishedAtMs: z.number().int(),
  availabilityStartMs: z.number().int().optional(),
  state: z.enum(['empty', 'live', 'ended']),
  /** Snapshots of earlier versions do not have it. */
  broadcast: z
    .object({ beganAtMs: count, firstNumber: count, endedAtMs: count, heardAtMs: count })
    .optional(),
  nextOrdinal: count,
  firstNumber: count,
  nextNumber: count,
  /** Absent where nothing is hidden, and where the stream has never changed its region (R6). */
  shownFrom: count.optional(),
  branch: Branch.optional(),
  changedAt: z.array(count).optional(),
  movedTo: z.object({ region: RegionId, epoch: Epoch }).optional(),
  longest90k: count,
  ignored: count,
  periods: z.array(PeriodSnapshot),
  pending: z.array(z.tuple([z.string(), SourceRecord])),
});

/**
 * The state of a fold, for `snapshot.state` or a checkpoint; it survives JSON.
 *
 * @param fromNumber leaves out segments below it, as a trim would, for a record that must stay below 1 MB while more is
 *   kept
 */
export function toSnapshot(timeline: Timeline, fromNumber = timeline.firstNumber): unknown {
  const firstNumber = Math.max(timeline.firstNumber, Math.min(fromNumber, timeline.nextNumber));
  const { periods, pending, bootId, availabilityStartMs, shownFrom, branch, changedAt, movedTo, ...plain } =
    timeline;
  return {
    ...plain,
    version: 1,
    ...(shownFrom === 0 ? {} : { shownFrom }),
    ...(branch === undefined ? {} : { branch }),
    ...(changedAt.length === 0 ? {} : { changedAt }),
    ...(movedTo === undefined ? {} : { movedTo }),
    ...(bootId === undefined ? {} : { bootId }),
    ...(availabilityStartMs === undefined ? {} : { availabilityStartMs }),
    firstNumber,
    periods: periods
      .map((period) => packPeriod(period, firstNumber))
      .filter((period) => period.segments > 0 || period.ordinal >= timeline.nextOrdinal - 1),
    pending: [...pending],
  };
}

/** The timeline of a state that `toSnapshot` made; undefined for anything else. */
export function fromSnapshot(state: unknown): FoldedTimeline | undefined {
  const parsed = Snapshot.safeParse(state);
  if (!parsed.success) return undefined;
  const { version: _version, periods, pending, bootId, availabilityStartMs, ...plain } = parsed.data;
  const { shownFrom = 0, branch, changedAt = [], movedTo } = parsed.data;
  const unpacked = periods.map(unpackPeriod).filter((period) => period !== undefined);
  if (unpacked.length !== periods.length) return undefined;
  const broadcast = plain.broadcast ?? likelyTimes(parsed.data);
  return {
    ...plain,
    broadcast,
    bootId,
    availabilityStartMs,
    shownFrom,
    branch: branch === undefined ? undefined : unpackBranch(branch),
    changedAt,
    movedTo,
    periods: unpacked,
    pending: new Map(pending),
  };
}

const unpackBranch = ({ shift, ...rest }: z.infer<typeof Branch>): TimelineBranch => ({ ...rest, shift });

/** The values for a snapshot that does not name them. */
function likelyTimes(snapshot: z.infer<typeof Snapshot>): BroadcastTimes {
  const { availabilityStartMs = 0, firstNumber, publishedAtMs, state } = snapshot;
  return {
    beganAtMs: availabilityStartMs,
    firstNumber,
    endedAtMs: state === 'ended' ? publishedAtMs : 0,
    heardAtMs: publishedAtMs,
  };
}

function packPeriod(period: TimelinePeriod, firstNumber: number): PeriodSnapshot {
  const segments = period.segments.filter((segment) => segment.number >= firstNumber);
  const names = namesOf(period, segments);
  const rows: number[] = [];
  const hashes: string[] = [];
  const ends = new Ends();
  for (const segment of segments) packSegment(segment, { names, rows, hashes, ends });
  return {
    id: period.id,
    ordinal: period.ordinal,
    clock: period.clock,
    inits: period.inits,
    runs: period.runs
      .filter((_, index) => (period.runs[index + 1]?.firstNumber ?? Infinity) > firstNumber)
      .map((run) => ({ ...run, present: [...run.present] })),
    firstNumber: segments[0]?.number ?? 0,
    segments: segments.length,
    names,
    rows,
    hashes: Buffer.from(hashes.join(''), 'hex').toString('base64'),
  };
}

/** The names of the clock's renditions, and any other that a commit listed. */
function namesOf(period: TimelinePeriod, segments: readonly TimelineSegment[]): RenditionName[] {
  const names = new Set(period.clock.renditions.map((one) => one.name));
  for (const { renditions } of segments)
    for (const name of Object.keys(renditions)) names.add(RenditionName.parse(name));
  return [...names];
}

/** Where the next segment is expected to start, for each rendition and, under `undefined`, for the period's clock. */
class Ends {
  readonly #ends = new Map<RenditionName | undefined, number>();

  holeBefore(start: number, name?: RenditionName): number {
    return start - (this.#ends.get(name) ?? 0);
  }

  startAfter(hole: number, name?: RenditionName): number {
    return hole + (this.#ends.get(name) ?? 0);
  }

  endAt(end: number, name?: RenditionName): void {
    this.#ends.set(name, end);
  }
}

interface Packing {
  readonly names: readonly RenditionName[];
  readonly rows: number[];
  readonly hashes: string[];
  readonly ends: Ends;
}

function packSegment(segment: TimelineSegment, { names, rows, hashes, ends }: Packing): void {
  rows.push(ends.holeBefore(segment.start90k), segment.isGap ? -segment.duration90k : segment.duration90k);
  ends.endAt(segment.start90k + segment.duration90k);
  if (segment.isGap) return;
  for (const name of names) {
    const media = Object.hasOwn(segment.renditions, name) ? segment.renditions[name] : undefined;
    const stored = isPresent(media) ? media : media && elsewhereOf(media);
    if (stored === undefined) {
      rows.push(media === undefined || isPresent(media) ? unlisted : reasons.indexOf(media.absent) + 1);
      continue;
    }
    const { startTime, duration, bytes, frames, sha256 } = stored;
    rows.push(isPresent(media) ? present : lacked, ends.holeBefore(startTime, name), duration, bytes, frames);
    ends.endAt(startTime + duration, name);
    hashes.push(sha256);
  }
}

/** Reads a row list and a hash list from the front; `undefined` when they end too early or hold impossible values. */
class Reader {
  readonly #rows: readonly number[];
  readonly #hashes: string;
  #row = 0;
  #hash = 0;

  constructor({ rows, hashes }: PeriodSnapshot) {
    this.#rows = rows;
    this.#hashes = Buffer.from(hashes, 'base64').toString('hex');
  }

  number(): number {
    const value = this.#rows[this.#row];
    this.#row += 1;
    return value ?? Number.NaN;
  }

  hash(): Sha256 | undefined {
    const end = this.#hash + 64;
    const parsed = Sha256.safeParse(this.#hashes.slice(this.#hash, end));
    this.#hash = end;
    return parsed.data;
  }

  isAtEnd(): boolean {
    return this.#row === this.#rows.length && this.#hash === this.#hashes.length;
  }
}

function unpackPeriod(packed: PeriodSnapshot): FoldedPeriod | undefined {
  const { id, ordinal, clock, inits, runs, firstNumber, names } = packed;
  const reader = new Reader(packed);
  const ends = new Ends();
  const segments: TimelineSegment[] = [];
  if (packed.segments * 2 > packed.rows.length) return undefined;
  for (let index = 0; index < packed.segments; index += 1) {
    const segment = unpackSegment(firstNumber + index, { names, reader, ends });
    if (segment === undefined) return undefined;
    segments.push(segment);
  }
  return reader.isAtEnd() ? { id, ordinal, clock, inits, runs, segments } : undefined;
}

interface Unpacking {
  readonly names: readonly RenditionName[];
  readonly reader: Reader;
  readonly ends: Ends;
}

function unpackSegment(number: number, unpacking: Unpacking): TimelineSegment | undefined {
  const { names, reader, ends } = unpacking;
  const start90k = ends.startAfter(reader.number());
  const duration = reader.number();
  const duration90k = Math.abs(duration);
  if (!(start90k >= 0) || !(duration90k > 0)) return undefined;
  ends.endAt(start90k + duration90k);
  if (duration < 0) return { number, start90k, duration90k, isGap: true, renditions: {} };
  const renditions: Record<RenditionName, CommittedMedia | LackedMedia> = {};
  for (const name of names) {
    const tag = reader.number();
    if (tag === unlisted) continue;
    const media = unpackTagged(tag, name, unpacking);
    if (media === undefined) return undefined;
    renditions[name] = media;
  }
  return { number, start90k, duration90k, isGap: false, renditions };
}

function unpackTagged(
  tag: number,
  name: RenditionName,
  unpacking: Unpacking,
): CommittedMedia | LackedMedia | undefined {
  if (tag !== present && tag !== lacked) return absence(tag);
  const media = unpackMedia(name, unpacking);
  return media === undefined || tag === present ? media : { absent: 'missing', elsewhere: media };
}

function absence(tag: number): CommittedMedia | undefined {
  const absent = reasons[tag - 1];
  return absent === undefined ? undefined : { absent };
}

function unpackMedia(name: RenditionName, { reader, ends }: Unpacking): StoredMedia | undefined {
  const startTime = ends.startAfter(reader.number(), name);
  const [duration, bytes, frames] = [reader.number(), reader.number(), reader.number()];
  const sha256 = reader.hash();
  if (!(startTime >= 0 && duration > 0 && bytes > 0 && frames > 0) || sha256 === undefined) return undefined;
  ends.endAt(startTime + duration, name);
  return { startTime, duration, sha256, bytes, frames };
}
