/**
 * Decides where a segment may end (M3), on the stream clock.
 *
 * An IDR at t starts a segment if and only if floor((t + 250 ms) / 2 s) > floor((segmentStart + 250 ms) / 2 s). Between
 * two cuts no IDR has crossed a line of the grid, so the rule needs only the IDR before. So ingests that join at
 * different times agree from their first crossing on. (Rejected: "the first keyframe after 2 s". It remembers where it
 * began, and two ingests never agree.)
 */
export const ticksPerSecond = 90_000;
const target90k = 2 * ticksPerSecond;
const tolerance90k = ticksPerSecond / 4;

const cell = (time90k: number): number => Math.floor((time90k + tolerance90k) / target90k);

export function isCut(segmentStart90k: number, idr90k: number): boolean {
  return cell(idr90k) > cell(segmentStart90k);
}

/** The earliest time at which a segment that starts at zero can be cut. By then a period must be described. */
export const earliestCut90k = target90k - tolerance90k;

/**
 * The next cut of a feed without video. Every frame may be a cut, so it is the frame nearest to the next line of the
 * grid.
 *
 * @param start of the segment, in samples on the stream clock
 * @returns the line of the grid, in samples
 */
export function nextAudioCut(start: number, sampleRate: number, samplesPerFrame: number): number {
  const grid = (target90k / ticksPerSecond) * sampleRate;
  return (Math.floor((start + samplesPerFrame / 2) / grid) + 1) * grid;
}
