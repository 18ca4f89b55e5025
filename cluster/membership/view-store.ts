/** The port of the stored membership view, and how it is changed: one value, by compare-and-set. */
import { errorCodeOf } from '../errors/tangaza-error.ts';
import type { View } from './view.ts';

export interface StoredView {
  /** Undefined when there is no view, or none that can be read. */
  readonly view: View | undefined;
  /** The revision that a change must name; 0 where nothing was written yet. */
  readonly revision: number;
}

export interface ViewStore {
  /** When the last answered read began, by the monotonic clock. What is known is as old as that (C8). */
  readonly answeredAtMs: number;
  /** @throws TangazaError `LOG_UNAVAILABLE` */
  read(): Promise<StoredView>;
  /** @throws TangazaError `CONFLICT` when another was faster; `LOG_UNAVAILABLE` */
  write(view: View, revision: number): Promise<void>;
  /**
   * Gives the present value and then each new one; some come twice. Revisions begin again with a store that was lost. Ends with the store.
   */
  watch(): AsyncIterable<StoredView>;
  close(): Promise<void>;
}

const casTries = 20;

/**
 * Changes the view by one of its transitions. It tries again while others are faster, 20 times at most.
 *
 * @param empty what a missing or unreadable view counts as
 * @param pause called before each further try
 * @throws TangazaError `LOG_UNAVAILABLE`, or `CONFLICT` when others win too often
 */
export async function changeView(
  store: ViewStore,
  { empty, pause }: { readonly empty: View; readonly pause: (attempt: number) => Promise<void> },
  transition: (view: View) => View,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { view, revision } = await store.read();
    const before = view ?? empty;
    const after = transition(before);
    if (after === before) return;
    try {
      return await store.write(after, revision);
    } catch (error) {
      if (errorCodeOf(error) !== 'CONFLICT' || attempt === casTries) throw error;
    }
    await pause(attempt);
  }
}
