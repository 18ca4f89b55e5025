/**
 * For how long a page waits for a picture that should move, before it loads the player again. Pure.
 *
 * A slow viewer only needs time: what comes is lost with each load. So the page waits longer after each standstill, also where a few pictures
 * came in between.
 */
const patience = { firstMs: 15_000, mostMs: 60_000 } as const;
/** What stood still before that is forgotten. Longer than the longest wait. */
const rememberedMs = 120_000;

/** Of a page, since it was opened. */
export interface Standstills {
  /** How many times a player that stood still was given up. */
  readonly count: number;
  /** Of them, those that followed one another soon. */
  readonly inRow: number;
  readonly lastMs: number;
}

export const noStandstills: Standstills = { count: 0, inRow: 0, lastMs: -Infinity };

interface Standing {
  /** Since when the picture should have moved and has not. */
  readonly stoodSinceMs: number;
  readonly standstills: Standstills;
  /** In a row, of any kind. */
  readonly failures: number;
}

const inRowAt = ({ inRow, lastMs }: Standstills, nowMs: number): number =>
  nowMs - lastMs < rememberedMs ? inRow : 0;

export function mustGiveUp({ stoodSinceMs, standstills, failures }: Standing, nowMs: number): boolean {
  const before = Math.max(failures, inRowAt(standstills, nowMs));
  return nowMs - stoodSinceMs >= Math.min(patience.firstMs * (1 + before), patience.mostMs);
}

export const stoodAgain = (before: Standstills, nowMs: number): Standstills => ({
  count: before.count + 1,
  inRow: inRowAt(before, nowMs) + 1,
  lastMs: nowMs,
});
