/** When a picture moved, and when it stood still. Pure. */

/** Where the picture is, by the clock of this process. */
export interface Played {
  readonly atMs: number;
  readonly position: number;
}

/** A picture that moves less than this in a look does not play. */
const leastSeconds = 0.05;

/** When the picture moved again after a time. @returns ms after it; undefined where it never did */
export function movesAgainAfterMs(played: readonly Played[], sinceMs: number): number | undefined {
  const later = played.filter(({ atMs }) => atMs >= sinceMs);
  const moved = later.findIndex(({ position }, index) => {
    const before = later[index - 1];
    return before !== undefined && Math.abs(position - before.position) >= leastSeconds;
  });
  const at = later[moved];
  return at === undefined ? undefined : at.atMs - sinceMs;
}

/** For how long in all the picture stood still in a span. */
export function stoodStillMs(played: readonly Played[], fromMs: number, toMs: number): number {
  const inside = played.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  return inside.slice(1).reduce((sum, { atMs, position }, index) => {
    const before = inside[index];
    const isStill = before !== undefined && Math.abs(position - before.position) < leastSeconds;
    return isStill ? sum + (atMs - before.atMs) : sum;
  }, 0);
}
