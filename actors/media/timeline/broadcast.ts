/** When a stream goes on the air and off it, for people (timeline.ts). */
import type { BroadcastTimes, Timeline } from './timeline.ts';

/** Whether a `clock`, or a segment that joins, goes on with the broadcast on air, or begins a new one. */
export function onAirAt(
  { state, broadcast, nextNumber }: Pick<Timeline, 'state' | 'broadcast' | 'nextNumber'>,
  atMs: number,
): BroadcastTimes {
  if (state === 'live') return heard(broadcast, atMs);
  return { ...heard(broadcast, atMs), beganAtMs: atMs, firstNumber: nextNumber };
}

export const heard = (broadcast: BroadcastTimes, atMs: number): BroadcastTimes => ({
  ...broadcast,
  heardAtMs: Math.max(broadcast.heardAtMs, atMs),
});
