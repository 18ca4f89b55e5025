/** What a `snapshot` record carries: the fold of all that lies before it in the log (C1). */
import { toSnapshot } from '../media/timeline/snapshot.ts';
import type { Timeline } from '../media/timeline/timeline.ts';
import { limits } from './owner-state.ts';

/**
 * The state of a timeline, small enough for one record.
 *
 * @param fromNumber leaves out what lies below; more is left out if the record would be too large
 */
export function snapshotOf(
  timeline: Timeline,
  fromNumber: number,
): { readonly nextNumber: number; readonly state: unknown } {
  let first = Math.max(fromNumber, timeline.firstNumber);
  let state = toSnapshot(timeline, first);
  while (JSON.stringify(state).length > limits.maxSnapshotBytes && first < timeline.nextNumber) {
    first += Math.ceil((timeline.nextNumber - first) / 4);
    state = toSnapshot(timeline, first);
  }
  return { nextNumber: timeline.nextNumber, state };
}
