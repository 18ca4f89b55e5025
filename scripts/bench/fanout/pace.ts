/** Does something so many times a second, in turns of the event loop that are short and many. */
import { setTimeout as delay } from 'node:timers/promises';

const tickMs = 5;

export interface Pace {
  readonly perSecond: number;
  readonly seconds: number;
}

/** @returns how many times it was done */
export async function atPace({ perSecond, seconds }: Pace, run: (index: number) => void): Promise<number> {
  const beganMs = performance.now();
  const all = Math.round(perSecond * seconds);
  let done = 0;
  while (done < all) {
    const due = Math.min(all, Math.floor(((performance.now() - beganMs) / 1000) * perSecond));
    for (; done < due; done += 1) run(done);
    await delay(tickMs);
  }
  return done;
}
