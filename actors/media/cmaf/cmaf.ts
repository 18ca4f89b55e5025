/** The shapes of CMAF tracks and samples that the writer, the reader and the clip maker share (M6). */
import type { Ratio } from '../../../cluster/contract/renditions.ts';

export interface VideoTrack {
  readonly kind: 'video';
  readonly codec: 'h264' | 'hevc' | 'av1';
  readonly width: number;
  readonly height: number;
  readonly sampleAspectRatio: Ratio;
  /** The body of the `avcC`, `hvcC` or `av1C` box. */
  readonly configuration: Uint8Array;
  readonly timescale: 90_000;
}

export interface AudioTrack {
  readonly kind: 'audio';
  readonly sampleRate: number;
  readonly channels: number;
  /** AudioSpecificConfig (ISO/IEC 14496-3). */
  readonly configuration: Uint8Array;
  /** Equal to the sample rate. */
  readonly timescale: number;
}

export type Track = VideoTrack | AudioTrack;

/** One coded picture (length-prefixed NAL units or OBUs) or audio frame, in decode order. */
export interface Sample {
  readonly data: Uint8Array;
  /** Presentation time, in the track's timescale. */
  readonly pts: number;
  readonly isKey: boolean;
}

/** A sample as it is read back; `dts` counts from the segment's `tfdt`. */
export interface ReadSample extends Sample {
  readonly dts: number;
  readonly duration: number;
}
