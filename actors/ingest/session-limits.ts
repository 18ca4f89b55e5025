/** Every bound of an ingest session, named once, with what happens beyond it; those of media follow from what is accepted. */
import {
  keyframeToleranceMs,
  maxKeyframeIntervalMs,
  maxPicturesOfSegment,
} from '../../cluster/model/media-limits.ts';

export interface SessionLimits {
  /** Payload kept for unfinished segments: the longest one of 44 Mbit/s; beyond it the publisher is refused (M11). */
  readonly maxBufferedBytes: number;
  /** Media time without an IDR; at it the publisher is refused (M11). */
  readonly maxKeyframeIntervalMs: number;
  /** The same by wall clock, for feeds whose clock or video stands still. */
  readonly maxKeyframeWaitMs: number;
  /** Media time between IDRs above which health warns (M11). */
  readonly warnKeyframeIntervalMs: number;
  /** Pictures in one segment (the contract's `times90k`); beyond it the publisher is refused. */
  readonly maxPictures: number;
  /** From the first tag to the first codec configuration; then the publisher is refused. */
  readonly announceTimeoutMs: number;
  /** How long an owner may take to open a period; then the publisher is refused. */
  readonly maxOpenWaitMs: number;
  /** Periods begun in a minute; a feed whose clock jumps more often is refused. */
  readonly maxPeriodsPerMinute: number;
  /** Unreadable pictures or audio frames in a row; then the publisher is refused. */
  readonly maxCorruptInRow: number;
  /** Audio frames held until it is known where they belong; beyond it the oldest is dropped. */
  readonly maxHeldAudioFrames: number;
  /** Audio without a word of video becomes an audio-only feed after this much media time … */
  readonly audioOnlyAfterMs: number;
  /** … or after this much when the metadata promised video. */
  readonly audioOnlyDespiteMetadataMs: number;
  /** What a segment of which no audio arrived gets: silence, or no audio at all (M9's gap). */
  readonly audioGaps: 'bridge' | 'absent';
}

const mebibyte = 1024 * 1024;

export const defaultLimits: SessionLimits = {
  maxBufferedBytes: 64 * mebibyte,
  maxKeyframeIntervalMs: maxKeyframeIntervalMs + keyframeToleranceMs,
  maxKeyframeWaitMs: 15_000,
  warnKeyframeIntervalMs: 4000,
  maxPictures: maxPicturesOfSegment,
  announceTimeoutMs: 10_000,
  maxOpenWaitMs: 120_000,
  maxPeriodsPerMinute: 6,
  maxCorruptInRow: 50,
  maxHeldAudioFrames: 1024,
  audioOnlyAfterMs: 3000,
  audioOnlyDespiteMetadataMs: 10_000,
  audioGaps: 'bridge',
};
