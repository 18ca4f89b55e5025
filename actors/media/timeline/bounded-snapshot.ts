/**
 * Makes a fold's state small enough for one message: a `snapshot` record (C1), or an edge's answer to a new owner (C7).
 */
import { toSnapshot } from './snapshot.ts';
import type { Timeline } from './timeline.ts';

/** NATS takes 1 MB. Some of it is left for what surrounds the state. */
const maxSnapshotBytes = 900_000;

/**
 * The state of a timeline, small enough for one message.
 *
 * @param fromNumber leaves out segments below it; more are left out when the state would be too large
 */
export function snapshotOf(
  timeline: Timeline,
  fromNumber: number,
): { readonly nextNumber: number; readonly state: unknown } {
  let first = Math.max(fromNumber, timeline.firstNumber);
  let state = toSnapshot(timeline, first);
  while (JSON.stringify(state).length > maxSnapshotBytes && first < timeline.nextNumber) {
    first += Math.ceil((timeline.nextNumber - first) / 4);
    state = toSnapshot(timeline, first);
  }
  return { nextNumber: timeline.nextNumber, state };
}
