/**
 * What media is accepted, and every bound of counts and time that follows from it along a segment's path.
 *
 * A feed within the first group is never stopped by a bound behind it: parsers, writers, contracts and deadlines take
 * theirs from here, and what lies outside of the group is refused where it comes in, with the reason.
 */

/** The longest keyframe interval, and what a jittered clock may add to it. */
export const maxKeyframeIntervalMs = 10_000;
export const keyframeToleranceMs = 250;
/** Of video that is taken; what is faster is refused once 2 s of it were seen. */
export const maxFramesPerSecond = 120;

/** What a segment lasts where keyframes come often enough. */
export const targetSegmentMs = 2000;

/**
 * A keyframe may come up to 1.75 s into a segment and be no cut yet (the cut rule's grid of 2 s, less its tolerance of
 * 250 ms), and the next one a whole interval later.
 */
export const maxSegmentMs = maxKeyframeIntervalMs + keyframeToleranceMs + 1750;

/** A clock of whole milliseconds tells 125 pictures a second where 120 come (steps of 8 ms). */
const maxToldFramesPerSecond = 125;

/** Pictures of one segment: the longest, at the fastest. 960-sample AAC of 96 kHz has 1,200 frames in that time. */
export const maxPicturesOfSegment = Math.ceil((maxSegmentMs / 1000) * maxToldFramesPerSecond);

/** NAL units of one picture as it comes in: a slice for each row of macroblocks of 8,192 lines (512), twice. */
export const maxNalUnitsOfPicture = 1024;

/**
 * NAL units of a segment as our encoder writes it. Each picture has one slice, a delimiter, the parameter sets, and SEI
 * of which captions and the buffering period are two; doubled for what a newer encoder adds.
 */
export const maxNalUnitsOfEncodedSegment = maxPicturesOfSegment * 12;

/**
 * How many times longer than the target a segment is, at least 1: work on it takes as many times longer, and players
 * hold back three of the longest segments, so each deadline of a segment grows by this.
 */
export function lengthFactor(segmentMs: number): number {
  return Math.max(1, segmentMs / targetSegmentMs);
}
