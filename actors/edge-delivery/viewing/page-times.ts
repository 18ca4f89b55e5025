/** How long a page waits for its next try after a failure, and when it is taken back to live. Pure. */

/** A timer that is this late shows that the machine or the tab slept. */
export const sleepMs = 10_000;
/** For this long a viewer is taken back to live. */
export const wakeMs = 20_000;
/** A jump is repeated after this time, as right after a sleep the player's manifest is as old as the sleep was long. */
export const resyncEveryMs = 3000;

const pause = { firstMs: 500, mostMs: 8000 } as const;
const most = { unplayable: 3, recording: 5, live: Infinity } as const;

/** Ms until what failed is tried again; undefined: it is not. @param failures in a row, with this one */
export const pauseAfter = (failures: number, what: keyof typeof most): number | undefined =>
  failures >= most[what] ? undefined : Math.min(pause.firstMs * 2 ** (failures - 1), pause.mostMs);
