/**
 * The records of the index log, which says in one order what is playable (C1).
 *
 * A name that ends in `90k` counts ticks of 1/90,000 s on the stream clock of the period. Media of a rendition counts in the timescale of
 * that rendition. `mediaZero90k` is the presentation time of the period's first picture. It is always 0, as each session maps its own clock
 * so (M1). A manifest follows from these records alone, by a pure fold (M14).
 */
import { z } from 'zod';
import { BootId, Epoch, NodeId, PeriodId, RegionId, RenditionName, SessionId, Sha256 } from '../model/ids.ts';
import { periodsAbove } from '../model/branch.ts';
import { maxPicturesOfSegment } from '../model/media-limits.ts';
import { InitSegment, Rendition } from './renditions.ts';

const ticks = z.number().int().nonnegative();

/** The record of the home's log that a relayed record is, or up to which a relayer's snapshot reaches (R4). */
export const HomePlace = z.object({
  region: RegionId,
  sequence: z.number().int().positive(),
  /** With another record at that place, the home's log went back meanwhile (C7). */
  recordId: z.string().min(1).max(64),
  /**
   * The number of a relayed commit or gap in this region's log. The relayer counts it, and folds take it as it is: so an edge that is ahead of
   * a log that went back counts as all others do. Absent where the log has never changed its region: the owner's number holds.
   */
  number: z.number().int().nonnegative().optional(),
});
export type HomePlace = z.infer<typeof HomePlace>;

const by = {
  epoch: Epoch,
  node: NodeId,
  region: RegionId,
  bootId: BootId,
  /** Unique for each append. By it an owner recognises its own record after an acknowledgement was lost (C1). */
  recordId: z.string().min(1).max(64),
  /** The owner's UTC at the append, for people and for `publishTime`. No decision depends on it. */
  atMs: z.number().int(),
  /**
   * Set on what a relayer wrote: it comes from the log of the stream's home region. Author and numbers are the home's; `recordId` is the
   * relayer's.
   */
  home: HomePlace.optional(),
};

/** One stored object of one rendition. Its key in the segment store follows from these fields and the period (M5). */
export const StoredMedia = z.object({
  /**
   * The earliest presentation time, in the timescale of the rendition. It is the public name of the segment, and its `tfdt` and `S@t` (M6).
   */
  startTime: ticks,
  duration: z.number().int().positive(),
  sha256: Sha256,
  bytes: z.number().int().positive(),
  frames: z.number().int().positive(),
});
export type StoredMedia = z.infer<typeof StoredMedia>;

export const OpenRecord = z.object({
  kind: z.literal('open'),
  ...by,
  /**
   * Set where the stream's home changes: the branch that this owner goes on with, and the next number of that branch, as its owners
   * numbered it (R6). No fold reads the number; it is for people who compare two logs.
   */
  from: z.object({ region: RegionId, epoch: Epoch, number: z.number().int().nonnegative() }).optional(),
});
export type OpenRecord = z.infer<typeof OpenRecord>;

export const ClockRecord = z.object({
  kind: z.literal('clock'),
  ...by,
  sessionId: SessionId,
  mediaZero90k: ticks,
  /** Where the period begins on the presentation timeline of the stream; 0 for the first period (M10). */
  presentationZero90k: ticks,
  /** The stream's first `clock` record sets this for the whole life of the stream (M10). */
  availabilityStartMs: z.number().int(),
  /** The unwrapped RTMP time of the session at media zero, in ms. M2 continues a clock by it. */
  connectionZeroMs: z.number(),
  /** The SHA-256 of the codec configurations: equal headers have equal hashes (M2). */
  sequenceHeaderHash: Sha256,
  /** Ordered from best to worst; an audio rendition comes last. One of them may be `sourceOnly`. */
  renditions: z.array(Rendition).min(1).max(16),
  /** The ffmpeg build and the version of the arguments. A worker that has others refuses the task (C9). Empty where nothing is encoded. */
  fingerprint: z.string(),
  /**
   * The period under whose name this period's media is stored, where this one continues that one but is encoded anew (M7). Absent: its own
   * name.
   */
  storedAs: PeriodId.optional(),
  /**
   * The period's id is higher than this; absent reads as 0. It keeps the ids of two regions apart. In a log that went back it names the
   * stream's last period, as the log's places may already have named earlier ones (C7).
   */
  above: ticks.optional(),
  /** The period's id at home, on a relayed record: that stands at another place in this log (R4). */
  period: PeriodId.optional(),
});
export type ClockRecord = z.infer<typeof ClockRecord>;

/**
 * The id of the period that a `clock` record opens is the record's place in the log, or one more than `above` (M1). A relayed record says
 * it. Two owners cannot open the same id: in one region records are appended by compare-and-set, so the second owner must have read the
 * first one's record; and each region of each term has ids of its own.
 */
export function periodOpenedBy({ above = 0, period }: ClockRecord, sequence: number): PeriodId {
  return period ?? PeriodId.parse(Math.max(sequence, above + 1));
}

/**
 * What the `clock` of an owner says in `above`: no period of another region, and no earlier one of this stream, has a higher id (M1).
 *
 * @param last the stream's last period, @param sequence the place of the log's last record
 * @returns undefined where the record's place alone is such an id
 */
export function aboveOfClock(epoch: Epoch, last: PeriodId | undefined, sequence: number): number | undefined {
  const above = Math.max(periodsAbove(epoch), last ?? 0);
  return above > sequence ? above : undefined;
}

export const SourceOffer = z.object({
  sessionId: SessionId,
  period: PeriodId,
  start90k: ticks,
  duration90k: z.number().int().positive(),
  /** The SHA-256 of the VCL NAL units of the first IDR, and that of the first audio frame (M2). */
  keyFrameHash: Sha256.optional(),
  audioFrameHash: Sha256.optional(),
  /** The contribution's video. It is stored as the rendition that is passed through, or as `source`. */
  video: StoredMedia.extend({ rendition: RenditionName }).optional(),
  audio: StoredMedia.extend({ rendition: RenditionName }).optional(),
  /** The presentation times of the pictures, sorted, in 1/90,000 s from `start90k` on (M6). */
  times90k: z.array(ticks).max(maxPicturesOfSegment),
});
export type SourceOffer = z.infer<typeof SourceOffer>;

export const SourceRecord = SourceOffer.extend({ kind: z.literal('source'), ...by });
export type SourceRecord = z.infer<typeof SourceRecord>;

const absent = z.object({ absent: z.enum(['late', 'failed', 'dropped', 'missing']) });
export const CommittedMedia = z.union([StoredMedia, absent]);
export type CommittedMedia = z.infer<typeof CommittedMedia>;

const place = {
  /** The position in the stream since its first segment: the media sequence. Each commit or gap adds 1, across periods. */
  number: z.number().int().nonnegative(),
  period: PeriodId,
  start90k: ticks,
  duration90k: z.number().int().positive(),
};

export const CommitRecord = z.object({
  kind: z.literal('commit'),
  ...by,
  ...place,
  /** Every served rendition of the period, whether it is present or absent (M13). */
  renditions: z.record(RenditionName, CommittedMedia),
  /** The first init segment of a rendition that is committed is the reference for the whole period (M7). */
  inits: z.record(RenditionName, InitSegment).optional(),
});
export type CommitRecord = z.infer<typeof CommitRecord>;

/** A segment of which every rendition is missing. It is final once it is published (M12, C9). */
export const GapRecord = z.object({ kind: z.literal('gap'), ...by, ...place, reason: z.string().max(200) });
export type GapRecord = z.infer<typeof GapRecord>;

/** The state of a fold, so that the records before it may be purged (C1). */
export const SnapshotRecord = z.object({
  kind: z.literal('snapshot'),
  ...by,
  nextNumber: z.number().int(),
  state: z.unknown(),
});
/** Segments with a number below `firstNumber` are no longer kept. */
export const TrimRecord = z.object({ kind: z.literal('trim'), ...by, firstNumber: z.number().int() });
/** The owner gives the stream to a region, whose `open` of that epoch follows. */
export const MovedRecord = z.object({ kind: z.literal('moved'), ...by, to: RegionId, toEpoch: Epoch });
/**
 * What this region's store lacks of segments that came from another region, by the numbers of this log. It says nothing of other regions,
 * so it is never relayed (R8).
 */
export const MissingRecord = z.object({
  kind: z.literal('missing'),
  ...by,
  /** Below it the lowest rung or the audio lacks: no manifest shows these segments. */
  belowNumber: z.number().int().nonnegative(),
  /** Rungs that lack below a number of their own (M13). */
  rungs: z.record(RenditionName, z.number().int().nonnegative()).optional(),
});
export type MissingRecord = z.infer<typeof MissingRecord>;
/** The broadcast is over. A later `open` and `clock` begin again and continue the numbering. */
export const EndRecord = z.object({ kind: z.literal('end'), ...by, reason: z.string().max(200) });

export const IndexRecord = z.discriminatedUnion('kind', [
  OpenRecord,
  ClockRecord,
  SourceRecord,
  CommitRecord,
  GapRecord,
  SnapshotRecord,
  TrimRecord,
  MovedRecord,
  MissingRecord,
  EndRecord,
]);
export type IndexRecord = z.infer<typeof IndexRecord>;

/** A record together with its place in the log. */
export interface IndexEntry {
  /** JetStream's sequence number. That of a `clock` record is the id of the period, see `periodOpenedBy` (M1). */
  readonly sequence: number;
  readonly record: IndexRecord;
}

export function isPresent(media: CommittedMedia | undefined): media is StoredMedia {
  return media !== undefined && !('absent' in media);
}
