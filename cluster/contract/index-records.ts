/**
 * The records of the index log: the ordered truth of what is playable (C1).
 *
 * Units: `…90k` are ticks of 1/90,000 s on the period's stream clock; media of a rendition counts in that rendition's
 * own timescale. `mediaZero90k` is the presentation time of the period's first picture and is 0: a session maps its own
 * clock so that it is (M1). A manifest is a pure fold over these records (M14).
 */
import { z } from 'zod';
import { BootId, Epoch, NodeId, PeriodId, RegionId, RenditionName, SessionId, Sha256 } from '../model/ids.ts';
import { maxPicturesOfSegment } from '../model/media-limits.ts';
import { InitSegment, Rendition } from './renditions.ts';

const ticks = z.number().int().nonnegative();

const by = {
  epoch: Epoch,
  node: NodeId,
  region: RegionId,
  bootId: BootId,
  /** Unique for each append; tells a lost ack from a foreign record (C1). */
  recordId: z.string().min(1).max(64),
  /** The owner's UTC at the append, for people and `publishTime`; nothing decides by it. */
  atMs: z.number().int(),
};

/** One stored object of one rendition; its store key follows from these and the period (M5). */
export const StoredMedia = z.object({
  /** Earliest presentation time, in the rendition's timescale: the public name, `tfdt` and `S@t` (M6). */
  startTime: ticks,
  duration: z.number().int().positive(),
  sha256: Sha256,
  bytes: z.number().int().positive(),
  frames: z.number().int().positive(),
});
export type StoredMedia = z.infer<typeof StoredMedia>;

export const OpenRecord = z.object({ kind: z.literal('open'), ...by });

export const ClockRecord = z.object({
  kind: z.literal('clock'),
  ...by,
  sessionId: SessionId,
  mediaZero90k: ticks,
  /** Where the period lies on the stream's presentation timeline; 0 for the first (M10). */
  presentationZero90k: ticks,
  /** Fixed for the stream's life by its first `clock` (M10). */
  availabilityStartMs: z.number().int(),
  /** The session's unwrapped RTMP time, in ms, at media zero: what M2 continues a clock by. */
  connectionZeroMs: z.number(),
  /** SHA-256 over the codec configurations: equal headers, equal hash (M2). */
  sequenceHeaderHash: Sha256,
  /** Best first; the audio rendition, if any, last. One may be `sourceOnly`. */
  renditions: z.array(Rendition).min(1).max(16),
  /** ffmpeg build and argument version; a worker that differs refuses (C9). Empty when nothing is encoded. */
  fingerprint: z.string(),
  /** The period under whose name this one's media is stored: it goes on with that one's, encoded anew (M7). Else its own. */
  storedAs: PeriodId.optional(),
  /** The stream's last period, in a log that went back: its places from here on may have been periods before (C7). */
  above: PeriodId.optional(),
});
export type ClockRecord = z.infer<typeof ClockRecord>;

/**
 * The id of the period that a `clock` record opens (M1): its place in the log. In a log that went back it is at least the next
 * one above the stream's last period. Appending by compare-and-set keeps it from two claimants all the same: whoever comes
 * second must have read the first.
 */
export function periodOpenedBy({ above }: ClockRecord, sequence: number): PeriodId {
  return PeriodId.parse(above === undefined ? sequence : Math.max(sequence, above + 1));
}

export const SourceOffer = z.object({
  sessionId: SessionId,
  period: PeriodId,
  start90k: ticks,
  duration90k: z.number().int().positive(),
  /** SHA-256 of the VCL NAL units of the first IDR, and of the first audio frame (M2). */
  keyFrameHash: Sha256.optional(),
  audioFrameHash: Sha256.optional(),
  /** The contribution's video, stored under the passed-through or the `source` rendition. */
  video: StoredMedia.extend({ rendition: RenditionName }).optional(),
  audio: StoredMedia.extend({ rendition: RenditionName }).optional(),
  /** Sorted presentation times of the pictures, 90 kHz, counted from `start90k` (M6). */
  times90k: z.array(ticks).max(maxPicturesOfSegment),
});
export type SourceOffer = z.infer<typeof SourceOffer>;

export const SourceRecord = SourceOffer.extend({ kind: z.literal('source'), ...by });
export type SourceRecord = z.infer<typeof SourceRecord>;

const absent = z.object({ absent: z.enum(['late', 'failed', 'dropped', 'missing']) });
export const CommittedMedia = z.union([StoredMedia, absent]);
export type CommittedMedia = z.infer<typeof CommittedMedia>;

const place = {
  /** Position in the stream since its first segment; +1 for each commit or gap, across periods: the media sequence. */
  number: z.number().int().nonnegative(),
  period: PeriodId,
  start90k: ticks,
  duration90k: z.number().int().positive(),
};

export const CommitRecord = z.object({
  kind: z.literal('commit'),
  ...by,
  ...place,
  /** Every served rendition of the period, present or absent (M13). */
  renditions: z.record(RenditionName, CommittedMedia),
  /** The first committed init segment of a rendition is its reference for the whole period (M7). */
  inits: z.record(RenditionName, InitSegment).optional(),
});
export type CommitRecord = z.infer<typeof CommitRecord>;

/** All rungs are missing; final once published (M12, C9). */
export const GapRecord = z.object({ kind: z.literal('gap'), ...by, ...place, reason: z.string().max(200) });
export type GapRecord = z.infer<typeof GapRecord>;

/** A fold's state, so that what lies before may be purged (C1). */
export const SnapshotRecord = z.object({
  kind: z.literal('snapshot'),
  ...by,
  nextNumber: z.number().int(),
  state: z.unknown(),
});
/** Segments below `firstNumber` are no longer kept. */
export const TrimRecord = z.object({ kind: z.literal('trim'), ...by, firstNumber: z.number().int() });
export const MovedRecord = z.object({ kind: z.literal('moved'), ...by, to: RegionId, toEpoch: Epoch });
/** The broadcast is over; a later `open` and `clock` begin again, numbering continued. */
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
  EndRecord,
]);
export type IndexRecord = z.infer<typeof IndexRecord>;

/** A record with its place in the log. */
export interface IndexEntry {
  /** JetStream's sequence number; the `clock` record's is the period id (M1, `periodOpenedBy`). */
  readonly sequence: number;
  readonly record: IndexRecord;
}

export function isPresent(media: CommittedMedia | undefined): media is StoredMedia {
  return media !== undefined && !('absent' in media);
}
