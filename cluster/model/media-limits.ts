/**
 * Which media is accepted, and every bound of counts and time that follows from that along the path of a segment.
 *
 * A feed within the first group is never stopped by a later bound, as parsers, writers, contracts and deadlines all take their bounds from
 * here. A feed outside of the first group is refused where it comes in, with the reason.
 */

/** The longest keyframe interval, and what a jittering clock may add to it. */
export const maxKeyframeIntervalMs = 10_000;
export const keyframeToleranceMs = 250;
/** The highest frame rate that is accepted. A faster feed is refused after 2 s. */
export const maxFramesPerSecond = 120;

/** How long a segment lasts where keyframes come often enough. */
export const targetSegmentMs = 2000;

/**
 * A keyframe up to 1.75 s into a segment may be no cut yet (the cut rule's grid of 2 s, less its tolerance of 250 ms), and the next one may
 * come a whole interval later.
 */
export const maxSegmentMs = maxKeyframeIntervalMs + keyframeToleranceMs + 1750;

/** A clock of whole milliseconds shows 125 pictures a second where 120 come, in steps of 8 ms. */
const maxToldFramesPerSecond = 125;

/** The most pictures in one segment: the longest segment at the highest rate. 960-sample AAC of 96 kHz has 1,200 frames in that time. */
export const maxPicturesOfSegment = Math.ceil((maxSegmentMs / 1000) * maxToldFramesPerSecond);

/** The most NAL units of one incoming picture: a slice for each row of macroblocks of 8,192 lines (512), doubled. */
export const maxNalUnitsOfPicture = 1024;

/**
 * The most NAL units of a segment that our encoder writes. Each picture has one slice, a delimiter, the parameter sets, and SEI for
 * captions and for the buffering period. The number is doubled for what a newer encoder may add.
 */
export const maxNalUnitsOfEncodedSegment = maxPicturesOfSegment * 12;

/**
 * How many times longer than the target a segment is, at least 1. Work on it takes as many times longer, and players hold back three of the
 * longest segments, so each deadline of a segment grows by this factor.
 */
export function lengthFactor(segmentMs: number): number {
  return Math.max(1, segmentMs / targetSegmentMs);
}
