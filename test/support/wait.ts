/**
 * Waits of tests. Each has a bound below the test's own, so that a test that waits in vain says for what, and what it saw last.
 *
 * A look that fails counts as one that does not see it yet: a server that starts again refuses until it is there.
 */
import { inspect } from 'node:util';

export interface WaitOptions {
  /** The bound. By default 45 s, of the minute that a component test has. */
  readonly withinMs?: number;
  /** Between two looks; by default 50 ms. */
  readonly everyMs?: number;
}

const defaultWithinMs = 45_000;
const defaultEveryMs = 50;
const longestSeen = 2000;

/**
 * Looks again and again until what it sees is wanted, which it returns.
 *
 * @param what is waited for, as a sentence: `the owner is n2`
 * @throws Error with `what`, the bound and what was seen last; also when a look does not end
 */
export async function waitFor<T>(
  what: string,
  look: () => T | Promise<T>,
  isWanted: (seen: T) => boolean,
  { withinMs = defaultWithinMs, everyMs = defaultEveryMs }: WaitOptions = {},
): Promise<T> {
  let last: unknown = 'nothing yet';
  const isOver = AbortSignal.timeout(withinMs);
  const looking = async (): Promise<T> => {
    for (; !isOver.aborted; await pause(everyMs)) {
      try {
        const seen = await look();
        if (isWanted(seen)) return seen;
        last = seen;
      } catch (error) {
        last = error;
      }
    }
    return never();
  };
  return within(what, looking(), { withinMs, seen: () => last });
}

/** Looks again and again until it is true. @throws Error as `waitFor` does */
export async function waitUntil(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  options: WaitOptions = {},
): Promise<void> {
  await waitFor(what, isTrue, (seen) => seen, options);
}

/** Looks after every event until it is true. @throws Error with `what` and the bound */
export async function waitForEvents(
  what: string,
  isTrue: () => boolean,
  nextEvent: () => Promise<unknown>,
): Promise<void> {
  const looking = async (): Promise<void> => {
    while (!isTrue()) await nextEvent();
  };
  await within(what, looking());
}

/** Waits for what comes by itself, an event or an answer. @throws Error with `what`, the bound and what was seen last */
export async function within<T>(
  what: string,
  coming: Promise<T>,
  {
    withinMs = defaultWithinMs,
    seen,
  }: Pick<WaitOptions, 'withinMs'> & { readonly seen?: () => unknown } = {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const told = seen === undefined ? '' : `; last seen: ${tell(seen())}`;
      reject(new Error(`waited ${withinMs / 1000} s in vain: ${what}${told}`));
    }, withinMs);
  });
  try {
    return await Promise.race([coming, late]);
  } finally {
    clearTimeout(timer);
  }
}

const tell = (seen: unknown): string => inspect(seen, { depth: 6, breakLength: 120 }).slice(0, longestSeen);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const never = <T>(): Promise<T> => new Promise(() => {});
