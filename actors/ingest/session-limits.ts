/**
 * Names every bound of an ingest session, with what happens beyond it. The bounds of media follow from what the cluster
 * accepts.
 */
import {
  keyframeToleranceMs,
  maxKeyframeIntervalMs,
  maxPicturesOfSegment,
} from '../../cluster/model/media-limits.ts';

export interface SessionLimits {
  /**
   * Payload kept for unfinished segments: the longest segment at 44 Mbit/s. With more the publisher is refused (M11).
   */
  readonly maxBufferedBytes: number;
  /** Media time without an IDR after which the publisher is refused (M11). */
  readonly maxKeyframeIntervalMs: number;
  /** The same by the wall clock, for feeds whose clock or video stands still. */
  readonly maxKeyframeWaitMs: number;
  /** Media time between IDRs from which on health warns (M11). */
  readonly warnKeyframeIntervalMs: number;
  /** Pictures in one segment (the contract's `times90k`). With more the publisher is refused. */
  readonly maxPictures: number;
  /** Time from the first tag to the first codec configuration, after which the publisher is refused. */
  readonly announceTimeoutMs: number;
  /** How long an owner may take to open a period before the publisher is refused. */
  readonly maxOpenWaitMs: number;
  /** Periods that may begin within a minute. A feed whose clock jumps more often is refused. */
  readonly maxPeriodsPerMinute: number;
  /** Unreadable pictures or audio frames in a row, after which the publisher is refused. */
  readonly maxCorruptInRow: number;
  /** Audio frames held until their place is known. With more the oldest is dropped. */
  readonly maxHeldAudioFrames: number;
  /** A feed of audio without any sign of video becomes audio-only after this much media time … */
  readonly audioOnlyAfterMs: number;
  /** … or after this much when the metadata promised video. */
  readonly audioOnlyDespiteMetadataMs: number;
  /** What a segment gets for which no audio arrived: silence, or no audio at all (a declared gap, M9). */
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
