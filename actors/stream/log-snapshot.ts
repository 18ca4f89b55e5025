/** What a `snapshot` record carries: the fold of all that lies before it in the log (C1). */
import { toSnapshot } from '../media/timeline/snapshot.ts';
import type { Timeline } from '../media/timeline/timeline.ts';
import { limits } from './owner-state.ts';

/** The state of a timeline, small enough for one record: it begins at a later segment if it must. */
export function snapshotOf(timeline: Timeline): { readonly nextNumber: number; readonly state: unknown } {
  let { firstNumber } = timeline;
  let state = toSnapshot(timeline, firstNumber);
  while (JSON.stringify(state).length > limits.maxSnapshotBytes && firstNumber < timeline.nextNumber) {
    firstNumber += Math.ceil((timeline.nextNumber - firstNumber) / 4);
    state = toSnapshot(timeline, firstNumber);
  }
  return { nextNumber: timeline.nextNumber, state };
}
