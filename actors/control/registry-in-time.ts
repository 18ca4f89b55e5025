/**
 * How long those who ask the stream registry wait for it, and how many of them there may be: it may be slow, or gone.
 *
 * What was asked for goes on when nobody waits for it any more, and counts until it is over. So a change that comes late is
 * followed by all that belongs to it, and a registry that never answers costs a bounded number of questions.
 */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { within } from '../../cluster/time/within.ts';
import { standingOf, type StreamRegistry } from './stream-registry.ts';

export const registryLimits = {
  /** Less than a call between nodes may take, so that the caller hears why. */
  waitMs: 3000,
  maxUnderWay: 256,
} as const;

/** @throws TangazaError what `work` throws; `UNAVAILABLE` when it takes too long; `OVERLOADED` when too many are waited for */
export type RegistryInTime = <T>(work: () => Promise<T>) => Promise<T>;

export function registryInTime(clock: Pick<Clock, 'sleep'>): RegistryInTime {
  let underWay = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (underWay >= registryLimits.maxUnderWay)
      throw new TangazaError('OVERLOADED', 'Too many wait for the registry of streams: try again.');
    underWay += 1;
    const answer = work().finally(() => {
      underWay -= 1;
    });
    return within(answer, { clock, ms: registryLimits.waitMs, late: refuseLate });
  };
}

/** What an edge asks the registry. Each rejects as `RegistryInTime` says. */
export function toldByRegistry(registry: StreamRegistry, clock: Pick<Clock, 'sleep' | 'utcMs'>) {
  const inTime = registryInTime(clock);
  return {
    lookUpStream: (id: StreamId) => inTime(() => standingOf(registry, id, clock.utcMs())),
    removedSince: (utcMs: number) =>
      inTime(async () => (await registry.removedSince(utcMs)).map(({ id }) => id)),
  };
}

function refuseLate(): never {
  const seconds = registryLimits.waitMs / 1000;
  throw new TangazaError(
    'UNAVAILABLE',
    `The registry of streams has not answered within ${seconds} s: try again. A change may have been made all the same.`,
  );
}
