/**
 * Lets a number of tasks in at once, or one alone. Order of arrival decides, so that one alone is not passed by for
 * ever.
 */
export class Gate {
  readonly #slots: number;
  #inside = 0;
  #isTakenAlone = false;
  readonly #waiting: { readonly isAlone: boolean; readonly enter: () => void }[] = [];

  constructor(slots: number) {
    this.#slots = slots;
  }

  get inside(): number {
    return this.#inside;
  }

  /** Enters. @returns the function that leaves again; call it once */
  async enter(isAlone: boolean): Promise<() => void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push({ isAlone, enter: resolve });
      this.#admitNext();
    });
    return () => {
      this.#inside -= 1;
      if (isAlone) this.#isTakenAlone = false;
      this.#admitNext();
    };
  }

  #admitNext(): void {
    for (
      let [next] = this.#waiting;
      next !== undefined && this.#mayEnter(next.isAlone);
      [next] = this.#waiting
    ) {
      this.#waiting.shift();
      this.#inside += 1;
      if (next.isAlone) this.#isTakenAlone = true;
      next.enter();
    }
  }

  #mayEnter(isAlone: boolean): boolean {
    return isAlone ? this.#inside === 0 : this.#inside < this.#slots && !this.#isTakenAlone;
  }
}
