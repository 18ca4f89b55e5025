/**
 * Asks once more where an answer is late, as the node that got the call may stand still: it stays one of those that get calls until its NATS
 * server has missed its pings (R2). The first answer counts, so only calls that may be repeated come here.
 *
 * Bounds: three repeats of a call, each a quarter of its time later, and never before two round trips are over. In all there are no more
 * repeats than calls, and 20 saved ones: a region that is slow for its load gets twice that load at most.
 */
import type { Clock } from '../../time/clock.ts';

const maxRepeats = 3;
const maxSaved = 20;
/** What an answer takes beside its way. */
const marginMs = 20;

export interface RepeatOptions {
  readonly withinMs: number;
  /** Of the link, as measured last. */
  readonly roundTripMs: number;
  readonly clock: Pick<Clock, 'sleep' | 'monotonicMs'>;
  readonly onRepeat: () => void;
}

export class Repeats {
  #saved = maxSaved;

  /** @throws what the first `ask` throws that ends without an answer */
  async run<T>(ask: (leftMs: number) => Promise<T>, options: RepeatOptions): Promise<T> {
    const { withinMs, roundTripMs, clock, onRepeat } = options;
    this.#saved = Math.min(maxSaved, this.#saved + 1);
    const lateMs = Math.max(withinMs / (maxRepeats + 1), 2 * roundTripMs + marginMs);
    const untilMs = clock.monotonicMs() + withinMs;
    const asked = [answerOf(ask(withinMs))];
    for (let repeats = 0; repeats < maxRepeats && this.#saved >= 1; repeats++) {
      const first = await firstWithin(asked, clock, lateMs);
      if (first !== undefined) return first.answer;
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs <= roundTripMs || this.#saved < 1) break;
      this.#saved -= 1;
      onRepeat();
      asked.push(answerOf(ask(leftMs)));
    }
    return (await Promise.race(asked)).answer;
  }
}

interface Answered<T> {
  readonly answer: T;
}

const answerOf = async <T>(asked: Promise<T>): Promise<Answered<T>> => ({ answer: await asked });

/** @returns undefined where none has come by then */
async function firstWithin<T>(
  asked: readonly Promise<Answered<T>>[],
  clock: Pick<Clock, 'sleep'>,
  ms: number,
): Promise<Answered<T> | undefined> {
  const isOver = new AbortController();
  const late = clock.sleep(ms, isOver.signal).then(() => undefined);
  try {
    return await Promise.race([...asked, late]);
  } finally {
    isOver.abort();
  }
}
