/**
 * How long messages are gathered before a frame goes out: 50 ms, and up to 200 ms under load (A8).
 *
 * Fan-out is paid for each frame and socket, hardly for each message. So the busier the event loop is, the longer messages are gathered.
 * The share is smoothed, so that one long turn does not slow every stream down.
 */
export interface FrameRhythm {
  /** Smoothed share of time in which the event loop was busy: 0 to 1. */
  readonly busy: number;
  /** For how long messages are gathered now. */
  readonly gatherMs: number;
}

export const leastGatherMs = 50;
export const mostGatherMs = 200;
/** Up to this share nothing changes; from the second on, frames are as rare as they become. */
const calm = 0.5;
const full = 0.9;
const weight = 0.3;

export const calmRhythm: FrameRhythm = { busy: 0, gatherMs: leastGatherMs };

/** @param busy the share since the last call */
export function nextRhythm(before: FrameRhythm, busy: number): FrameRhythm {
  const smooth = before.busy + weight * (Math.min(1, Math.max(0, busy)) - before.busy);
  const over = Math.min(1, Math.max(0, (smooth - calm) / (full - calm)));
  return { busy: smooth, gatherMs: Math.round(leastGatherMs + over * (mostGatherMs - leastGatherMs)) };
}
