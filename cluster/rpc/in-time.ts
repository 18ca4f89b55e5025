/**
 * Waits for an action that somebody outside waits for, but not for ever, and turns errors of the calls themselves into ours.
 *
 * All calls have the same bound, so they are late in the order in which they began. One look a second finds those that are: a timer for each
 * call would cost as much as a part of the call itself.
 */
import type { ErrorCode } from '../errors/catalogue.ts';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { Clock } from '../time/clock.ts';

/** The longest time that an action may take, and how much later its end may be told. */
const callMs = 10_000;
const lookEveryMs = 1000;

type CallClock = Pick<Clock, 'sleep' | 'runningMs'>;

interface Wait {
  readonly sinceMs: number;
  readonly end: (error: TangazaError) => void;
}

/** @throws TangazaError `DEADLINE_EXCEEDED`, `UNAVAILABLE`, `OVERLOADED`, and what the action throws */
export type InTime = (result: Promise<unknown>) => Promise<unknown>;

export function makeInTime(clock: CallClock): InTime {
  const waits = new Set<Wait>();
  let isLooking = false;
  const look = async (): Promise<void> => {
    isLooking = true;
    while (waits.size > 0) {
      await clock.sleep(lookEveryMs);
      endLate(waits, clock.runningMs() - callMs);
    }
    isLooking = false;
  };
  return async (result) => {
    const late = Promise.withResolvers<never>();
    const wait = { sinceMs: clock.runningMs(), end: late.reject };
    waits.add(wait);
    if (!isLooking) void look();
    try {
      return await Promise.race([result, late.promise]);
    } catch (error) {
      throw rpcError(error);
    } finally {
      waits.delete(wait);
    }
  };
}

/** @param toMs those that began then or before are late */
function endLate(waits: ReadonlySet<Wait>, toMs: number): void {
  for (const { sinceMs, end } of waits) {
    if (sinceMs > toMs) return;
    const detail = `The service behind this path did not answer in ${callMs / 1000} s. What was asked may be done all the same: look, then try again.`;
    end(new TangazaError('DEADLINE_EXCEEDED', detail));
  }
}

/** Errors of the RPC layer itself, by their type, as Moleculer sends names and codes over the wire and no classes. */
const rpcErrors: Readonly<Record<string, ErrorCode>> = {
  SERVICE_NOT_FOUND: 'UNAVAILABLE',
  SERVICE_NOT_AVAILABLE: 'UNAVAILABLE',
  REQUEST_REJECTED: 'UNAVAILABLE',
  QUEUE_FULL: 'OVERLOADED',
  REQUEST_TIMEOUT: 'DEADLINE_EXCEEDED',
  REQUEST_SKIPPED: 'DEADLINE_EXCEEDED',
};

function rpcError(error: unknown): unknown {
  const type: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'type') : undefined;
  const code = typeof type === 'string' && Object.hasOwn(rpcErrors, type) ? rpcErrors[type] : undefined;
  return code === undefined
    ? error
    : new TangazaError(code, 'The service behind this path cannot be reached now.', { cause: error });
}
