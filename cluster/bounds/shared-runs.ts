/**
 * Work of which one run goes on at a time for each key. Who asks meanwhile shares the next run, which begins after that: so it has seen
 * all that was there when somebody asked for it, and a crowd costs two runs.
 *
 * Bound: two entries for each key that somebody waits for.
 */
export class SharedRuns {
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  /** @throws what the run throws that it shares */
  run(key: string, work: () => Promise<void>): Promise<void> {
    const next = this.#next.get(key);
    if (next !== undefined) return next;
    const running = this.#running.get(key);
    if (running === undefined) return this.#begin(key, work);
    const begin = (): Promise<void> => {
      this.#next.delete(key);
      return this.#begin(key, work);
    };
    const following = running.then(begin, begin);
    this.#next.set(key, following);
    return following;
  }

  #begin(key: string, work: () => Promise<void>): Promise<void> {
    const run = work().finally(() => this.#running.delete(key));
    this.#running.set(key, run);
    return run;
  }
}
