/** The port of the membership view: one value, changed by compare-and-set. */
import { errorCodeOf } from '../errors/tangaza-error.ts';
import type { View } from './view.ts';

export interface StoredView {
  /** Undefined when there is none, or none that can be read. */
  readonly view: View | undefined;
  /** What a change must name; 0 where nothing was written yet. */
  readonly revision: number;
}

export interface ViewStore {
  /** When the last read that was answered began, by the monotonic clock: what is known is so old (C8). */
  readonly answeredAtMs: number;
  /** @throws TangazaError `LOG_UNAVAILABLE` */
  read(): Promise<StoredView>;
  /** @throws TangazaError `CONFLICT` when another was faster; `LOG_UNAVAILABLE` */
  write(view: View, revision: number): Promise<void>;
  /** Each value in turn, the present one first, some twice; revisions begin again with a store that was lost. Ends with the store. */
  watch(): AsyncIterable<StoredView>;
  close(): Promise<void>;
}

const casTries = 20;

/**
 * Changes the view by one of its transitions, again for as long as others are faster, 20 times at most.
 *
 * @param empty what a missing or unreadable view counts as
 * @param pause called before each further try
 * @throws TangazaError `LOG_UNAVAILABLE`, `CONFLICT` when others win for too long
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
