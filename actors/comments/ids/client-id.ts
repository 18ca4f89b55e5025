/** The id that a writer gives a comment: a UUID of version 7 (RFC 9562, 5.7), whose first 48 bits are the time of writing in ms (A2). */
import type { ClientId } from '../../../cluster/model/ids.ts';

/** When the comment was written, in ms since 1970, by its writer's clock. */
export function createdAtOf(clientId: ClientId): number {
  return Number.parseInt(clientId.slice(0, 8) + clientId.slice(9, 13), 16);
}

/** How far a writer's clock may be off, and how late a comment may come (A2). */
export const clockWindow = { beforeMs: 120_000, afterMs: 1000, withReceiptMs: 86_400_000 } as const;

/** Says whether a comment of that time may still be taken now. With a receipt, it was taken before (A6). */
export function isTimely(createdAtMs: number, nowMs: number, hasReceipt: boolean): boolean {
  const before = hasReceipt ? clockWindow.withReceiptMs : clockWindow.beforeMs;
  return createdAtMs >= nowMs - before && createdAtMs <= nowMs + clockWindow.afterMs;
}
