/** How a guard refuses: which one it was, and when to try again (A11). */
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';

/** @param waitMs until the same would be taken; undefined where waiting changes nothing */
export function refusal(code: ErrorCode, detail?: string, waitMs?: number): TangazaError {
  if (waitMs === undefined) return new TangazaError(code, detail);
  return new TangazaError(code, detail, {
    data: { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) },
  });
}
