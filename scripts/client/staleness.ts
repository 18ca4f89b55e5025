/** Says in words how old an answer is. */
import type { Staleness } from '../../cluster/contract/staleness.ts';

/** `as it was known 14 s ago: NATS does not answer` */
export function describeStaleness({ ageMs, reason }: Staleness): string {
  return `as it was known ${describeAge(ageMs)} ago: ${reason}`;
}

/** Seconds up to two minutes, then minutes, then hours and minutes: `14 s`, `3 min`, `2 h 5 min`. */
export function describeAge(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
