/**
 * The events that the pure ingest session emits: the words between the core and the shell that stores and offers (C2).
 */
import type { PeriodMarks, SourceAudio, SourceVideo } from '../../cluster/contract/contribution.ts';
import type { ErrorCode } from '../../cluster/errors/catalogue.ts';
import type { Sha256 } from '../../cluster/model/ids.ts';
import type { AudioTrack, Sample, VideoTrack } from '../media/cmaf/cmaf.ts';

/** The clocks at the time of a call; the core reads none itself. */
export interface Now {
  /** Monotonic ms from an arbitrary zero, this process's standstills included. A feed's own clock is judged by it. */
  readonly monotonicMs: number;
  /** The same without standstills, from another zero. The silence of the publisher and of the owner is judged by it. */
  readonly runningMs: number;
  /** UTC ms since 1970. It is only reported; nothing is decided by it. */
  readonly utcMs: number;
}

export type WarningCode =
  | 'keyframeInterval'
  | 'videoHeaderIgnored'
  | 'audioHeaderIgnored'
  | 'videoHeaderMissing'
  | 'audioHeaderMissing'
  | 'annexB'
  | 'adts'
  | 'levelChanged'
  | 'pictureCorrupt'
  | 'audioCorrupt'
  | 'timestampSnapped'
  | 'timestampOutlier'
  | 'timestampJump'
  | 'clockDrift'
  | 'presentationRepaired'
  | 'audioDrift'
  | 'audioGap'
  | 'audioOutOfRange'
  | 'beforeKeyframe'
  | 'configurationChanged'
  | 'interlaced'
  | 'scriptIgnored';

/** `track` goes to the CMAF writer. `source` is the parameter of `openPeriod`, without the init segment's hash. */
export interface PeriodVideo {
  readonly track: VideoTrack;
  readonly source: Omit<SourceVideo, 'init'>;
}

export interface PeriodAudio {
  readonly track: AudioTrack;
  readonly source: Omit<SourceAudio, 'init'>;
}

/** Becomes `OpenPeriodParams` when the shell adds the stream, the session, the epoch and the init segments. */
export interface PeriodDescription {
  readonly sequenceHeaderHash: Sha256;
  /** Unwrapped RTMP time, ms, of the period's first picture, or first audio frame where there is no video. */
  readonly connectionZeroMs: number;
  /** The UTC time when that arrived. */
  readonly wallZeroMs: number;
  /** At least one of `video` and `audio` is there. */
  readonly video?: PeriodVideo;
  readonly audio?: PeriodAudio;
}

export interface SegmentVideo {
  /**
   * Pictures in decode order. `pts` is 90 kHz on the stream clock, unique, and in `[startTime, end)`. The first is the
   * cut.
   */
  readonly samples: readonly Sample[];
  readonly startTime: number;
  /** Where the next segment starts; `writeSegment` gets it as `end`. */
  readonly end: number;
}

export interface SegmentAudio {
  /** Contiguous frames of `samplesPerFrame`; `pts` in samples on the stream clock. */
  readonly samples: readonly Sample[];
  readonly startTime: number;
  readonly end: number;
  /** How many of the frames are silent ones, put in for a declared gap or for drift (M9). */
  readonly silentFrames: number;
}

/** A whole source segment (M4), on the stream clock. */
export interface SourceSegment {
  readonly start90k: number;
  readonly duration90k: number;
  readonly video?: SegmentVideo;
  /** Absent when the track is not there, or when the whole segment is a declared gap. */
  readonly audio?: SegmentAudio;
  /** Presentation times of the pictures, sorted, counted from `start90k` (M6); empty without video. */
  readonly times90k: readonly number[];
  /** Hashes of the VCL NAL units of the first picture, and of the first real audio frame (M2). */
  readonly keyFrameHash?: Sha256;
  readonly audioFrameHash?: Sha256;
  /** Payload bytes of both tracks together. */
  readonly bytes: number;
}

/**
 * What the session asks its shell to do. The shell carries the events out in their order. `ordinal` counts the
 * session's periods from 0.
 *
 * `periodReady` asks for `openPeriod`. The reply goes back through `IngestSession.onPeriodOpened`; only then come the
 * period's segments. `tail` is what was unfinished when the connection closed; it is stored only when the period really
 * ends there (M4). `periodEnded` follows the period's last segment or tail. After `refuse` nothing comes but what
 * `close` gives.
 */
export type IngestEvent =
  /** Every warning is counted. `isTold` says whether it also goes to the log, which may have had many of its kind. */
  | { readonly kind: 'warn'; readonly code: WarningCode; readonly detail: string; readonly isTold: boolean }
  | { readonly kind: 'refuse'; readonly code: ErrorCode; readonly detail: string }
  | { readonly kind: 'periodReady'; readonly ordinal: number; readonly period: PeriodDescription }
  | { readonly kind: 'segment'; readonly ordinal: number; readonly segment: SourceSegment }
  | { readonly kind: 'tail'; readonly ordinal: number; readonly segment: SourceSegment }
  | { readonly kind: 'periodEnded'; readonly ordinal: number };

/**
 * The pure core of one publisher's connection. No function throws: a fault comes out as `warn` or `refuse`.
 *
 * `new IngestSession()` of ingest-session.ts makes one. Call `onTick` about every 500 ms.
 */
export interface IngestSessionApi {
  onTag(
    tag: {
      readonly kind: 'audio' | 'video' | 'script';
      readonly timestampMs: number;
      readonly payload: Uint8Array;
    },
    now: Now,
  ): readonly IngestEvent[];
  /** Takes the owner's reply to `periodReady`. */
  onPeriodOpened(ordinal: number, reply: PeriodPlace, now: Now): readonly IngestEvent[];
  /** What a period that is not open yet may be recognised by (M2); undefined when there is no such period. */
  marks(ordinal: number): PeriodMarks | undefined;
  onTick(now: Now): readonly IngestEvent[];
  /**
   * The connection is gone. A period that still waits for its reply gives its segments and its tail when the reply
   * comes.
   */
  close(now: Now): readonly IngestEvent[];
  stats(now: Now): InputStats;
}

/** Where a session's period lies on the stream clock. */
export interface PeriodPlace {
  /** The stream time of the period's first picture. */
  readonly offset90k: number;
  /** The stream time of the audio's zero, in samples; without it, `offset90k` decides. */
  readonly audioOffset?: number | undefined;
  /**
   * Whether another session feeds the period. Then this session leaves out the segment that it joined in the middle.
   */
  readonly isTwin?: boolean | undefined;
}

/** The fields of `InputReport` without the ids. */
export interface InputStats {
  readonly videoCodec?: string;
  readonly audioCodec?: string;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly bitrateBps: number;
  readonly keyframeIntervalSeconds?: number;
  readonly lastPacketAgeMs: number;
  readonly warnings: readonly string[];
  readonly fault?: string;
}
