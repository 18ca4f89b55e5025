/** Counts the free slots of one puller: how many tasks it may take now. */
export class Demand {
  free: number;
  #waiter: (() => void) | undefined;

  constructor(slots: number) {
    this.free = slots;
  }

  /** @returns a function that gives the slot back; further calls of it do nothing */
  take(): () => void {
    this.free -= 1;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.free += 1;
      this.#waiter?.();
    };
  }

  async untilFree(signal: AbortSignal): Promise<void> {
    while (this.free <= 0 && !signal.aborted) {
      const wait = new Promise<void>((resolve) => {
        this.#waiter = resolve;
      });
      const wake = (): void => this.#waiter?.();
      signal.addEventListener('abort', wake, { once: true });
      await wait;
      signal.removeEventListener('abort', wake);
    }
  }
}
