/**
 * Where a segment may end (M3), on the stream clock.
 *
 * An IDR at t starts a segment iff floor((t + 250 ms) / 2 s) > floor((segmentStart + 250 ms) / 2 s). Between two cuts no
 * IDR has crossed a line of the grid, so the rule needs only the IDR before: ingests that join at different times agree
 * from their first crossing on. "The first keyframe after 2 s" remembers where it began, and never agrees.
 */
export const ticksPerSecond = 90_000;
const target90k = 2 * ticksPerSecond;
const tolerance90k = ticksPerSecond / 4;

const cell = (time90k: number): number => Math.floor((time90k + tolerance90k) / target90k);

export function isCut(segmentStart90k: number, idr90k: number): boolean {
  return cell(idr90k) > cell(segmentStart90k);
}

/** Earliest time at which a segment that starts at zero can be cut: what a period is known by before that. */
export const earliestCut90k = target90k - tolerance90k;

/**
 * The next cut of a feed without video: every frame may be one, so the frame nearest to the next line of the grid is.
 *
 * @param start of the segment, in samples on the stream clock
 * @returns the line of the grid, in samples
 */
export function nextAudioCut(start: number, sampleRate: number, samplesPerFrame: number): number {
  const grid = (target90k / ticksPerSecond) * sampleRate;
  return (Math.floor((start + samplesPerFrame / 2) / grid) + 1) * grid;
}
