/** Waits until a part of a demo answers. */
import { unlessAborted } from '../../../cluster/time/within.ts';
import { UnusableError } from '../../../config/unusable.ts';
import type { Answer } from '../answers.system.ts';
import type { Site } from '../site.ts';
import { logFileOf } from '../specs.ts';

const usualReadyMs = 30_000;

export interface Awaited {
  /** The name that it must answer with; absent for one that gives none. */
  readonly as?: string;
  readonly ask: (timeoutMs: number) => Promise<Answer>;
  readonly name: string;
  /** By default as the options say. */
  readonly withinMs?: number;
}

/** What is asked of the site. */
type Waiting = Pick<Site, 'clock' | 'signal'> & {
  readonly options: Pick<Site['options'], 'dataDir' | 'readyWithinMs'>;
};

/**
 * @throws UnusableError when another program answers on its port; Error when it does not answer in time; the signal's reason as soon as it
 *   aborts, also while somebody is asked: an edge holds whoever asks for a stream that begins
 */
export async function untilReady(awaited: Awaited, { options, clock, signal }: Waiting): Promise<void> {
  const { name, as, ask } = awaited;
  const withinMs = options.readyWithinMs ?? awaited.withinMs ?? usualReadyMs;
  const deadlineMs = clock.monotonicMs() + withinMs;
  while (clock.monotonicMs() < deadlineMs) {
    const answer = await unlessAborted(ask(withinMs), signal);
    if (isOther(answer, as))
      throw new UnusableError(
        `another program answers on the port of ${name}: stop it, or choose other ports with --port-base`,
      );
    if (answer.kind === 'somebody' && answer.status === 200) return;
    await clock.sleep(100, signal).catch(() => {});
  }
  throw new Error(`${name} is not ready after ${withinMs / 1000} s: see ${logFileOf(options, name)}`);
}

/** It gives another name, or answers well without a name. */
function isOther(answer: Answer, as: string | undefined): boolean {
  if (as === undefined || answer.kind === 'nobody' || answer.as === as) return false;
  return answer.as !== undefined || answer.status === 200;
}
