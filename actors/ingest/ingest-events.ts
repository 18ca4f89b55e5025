/** What an ingest session says to its shell: the words between the pure core and who stores and offers (C2). */
import type { PeriodMarks, SourceAudio, SourceVideo } from '../../cluster/contract/contribution.ts';
import type { ErrorCode } from '../../cluster/errors/catalogue.ts';
import type { Sha256 } from '../../cluster/model/ids.ts';
import type { AudioTrack, Sample, VideoTrack } from '../media/cmaf/cmaf.ts';

/** The clocks at the time of a call; the core reads none itself. */
export interface Now {
  /** Monotonic ms since an arbitrary zero, this process's standstills included: by it a feed's own clock is judged. */
  readonly monotonicMs: number;
  /** The same without standstills, from another zero: by it the publisher's silence and the owner's are judged. */
  readonly runningMs: number;
  /** UTC ms since 1970; only ever reported, nothing is decided by it. */
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

/** `track` goes to the CMAF writer; `source` is `openPeriod`'s parameter but for the init segment's hash. */
export interface PeriodVideo {
  readonly track: VideoTrack;
  readonly source: Omit<SourceVideo, 'init'>;
}

export interface PeriodAudio {
  readonly track: AudioTrack;
  readonly source: Omit<SourceAudio, 'init'>;
}

/** Becomes `OpenPeriodParams` when the shell adds stream, session, epoch and init segments. */
export interface PeriodDescription {
  readonly sequenceHeaderHash: Sha256;
  /** Unwrapped RTMP time, ms, of the period's first picture, or first audio frame where there is no video. */
  readonly connectionZeroMs: number;
  /** UTC when that arrived. */
  readonly wallZeroMs: number;
  /** At least one of the two is there. */
  readonly video?: PeriodVideo;
  readonly audio?: PeriodAudio;
}

export interface SegmentVideo {
  /** In decode order; `pts` in 90 kHz on the stream clock, unique, all in `[startTime, end)`. The first is the cut. */
  readonly samples: readonly Sample[];
  readonly startTime: number;
  /** Where the next segment starts: `writeSegment`'s `end`. */
  readonly end: number;
}

export interface SegmentAudio {
  /** Contiguous frames of `samplesPerFrame`; `pts` in samples on the stream clock. */
  readonly samples: readonly Sample[];
  readonly startTime: number;
  readonly end: number;
  /** Silent frames among them, put in for a declared gap or for drift (M9). */
  readonly silentFrames: number;
}

/** A whole source segment (M4), on the stream clock. */
export interface SourceSegment {
  readonly start90k: number;
  readonly duration90k: number;
  readonly video?: SegmentVideo;
  /** Absent for a track that is not there, or a declared gap of the whole segment. */
  readonly audio?: SegmentAudio;
  /** Sorted presentation times of the pictures counted from `start90k` (M6); empty without video. */
  readonly times90k: readonly number[];
  /** M2: of the VCL NAL units of the first picture, and of the first real audio frame. */
  readonly keyFrameHash?: Sha256;
  readonly audioFrameHash?: Sha256;
  /** Payload bytes of both tracks. */
  readonly bytes: number;
}

/**
 * In the order they must be carried out. `ordinal` counts the session's periods from 0.
 *
 * `periodReady` asks for `openPeriod`; its reply goes back through `IngestSession.onPeriodOpened`, and only then come
 * the period's segments. `tail` is what was unfinished when the connection closed: stored only when the period really
 * ends (M4). `periodEnded` follows the period's last segment or tail. After `refuse` comes nothing but what `close` gives.
 */
export type IngestEvent =
  /** Each one is counted; `isTold` says whether the log should have it, for it may have had many of its kind. */
  | { readonly kind: 'warn'; readonly code: WarningCode; readonly detail: string; readonly isTold: boolean }
  | { readonly kind: 'refuse'; readonly code: ErrorCode; readonly detail: string }
  | { readonly kind: 'periodReady'; readonly ordinal: number; readonly period: PeriodDescription }
  | { readonly kind: 'segment'; readonly ordinal: number; readonly segment: SourceSegment }
  | { readonly kind: 'tail'; readonly ordinal: number; readonly segment: SourceSegment }
  | { readonly kind: 'periodEnded'; readonly ordinal: number };

/**
 * The pure core of one publisher's connection. No function throws: what is wrong comes as `warn` or `refuse`.
 *
 * Made by `new IngestSession()` of ingest-session.ts. Call `onTick` about every 500 ms.
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
  /** The owner's reply to `periodReady`. */
  onPeriodOpened(ordinal: number, reply: PeriodPlace, now: Now): readonly IngestEvent[];
  /** By what an unopened period may be recognised (M2); undefined when there is no such period. */
  marks(ordinal: number): PeriodMarks | undefined;
  onTick(now: Now): readonly IngestEvent[];
  /** The connection is gone. A period still waiting for its reply gives its segments and tail when that comes. */
  close(now: Now): readonly IngestEvent[];
  stats(now: Now): InputStats;
}

/** Where a session's period lies on the stream clock. */
export interface PeriodPlace {
  /** Stream time of the period's first picture. */
  readonly offset90k: number;
  /** Stream time of its audio's zero, in samples; follows from `offset90k` when absent. */
  readonly audioOffset?: number | undefined;
  /** Another session feeds the period: what was joined in the middle of a segment is left to it. */
  readonly isTwin?: boolean | undefined;
}

/** Shape of `InputReport` but for the ids. */
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
