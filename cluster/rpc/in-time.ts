/** Waits for an action that somebody outside waits for, but not for ever, and turns errors of the calls themselves into ours. */
import type { ErrorCode } from '../errors/catalogue.ts';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { Clock } from '../time/clock.ts';
import { within } from '../time/within.ts';

/** The longest time that an action may take. */
const callMs = 10_000;

/** @throws TangazaError `DEADLINE_EXCEEDED`, `UNAVAILABLE`, `OVERLOADED`, and what the action throws */
export async function inTime(clock: Pick<Clock, 'sleep'>, result: Promise<unknown>): Promise<unknown> {
  const late = (): never => {
    throw new TangazaError(
      'DEADLINE_EXCEEDED',
      `The service behind this path did not answer in ${callMs / 1000} s.`,
    );
  };
  try {
    return await within(result, { clock, ms: callMs, late });
  } catch (error) {
    throw rpcError(error);
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
