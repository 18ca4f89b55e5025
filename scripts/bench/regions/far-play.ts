/** When a picture moved, and when it stood still. Pure. */

/** Where the picture is, by the clock of this process. */
export interface Played {
  readonly atMs: number;
  readonly position: number;
}

/** A picture that moves less than this in a look does not play. */
const leastSeconds = 0.05;

/** Nor does one that goes further than time does: that is a jump, and what follows shows whether it plays there. */
const mostOfTime = 1.2;
const alsoSeconds = 0.2;

function plays(before: Played | undefined, { atMs, position }: Played): boolean {
  if (before === undefined) return false;
  const [moved, passed] = [position - before.position, (atMs - before.atMs) / 1000];
  return moved >= leastSeconds && moved <= passed * mostOfTime + alsoSeconds;
}

/** When the picture played again after a time. @returns ms after it; undefined where it never did */
export function movesAgainAfterMs(played: readonly Played[], sinceMs: number): number | undefined {
  const later = played.filter(({ atMs }) => atMs >= sinceMs);
  const moved = later.findIndex((one, index) => plays(later[index - 1], one));
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
