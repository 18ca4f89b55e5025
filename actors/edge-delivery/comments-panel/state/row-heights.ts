/**
 * Where each row of a long list lies, so that only the rows that are seen have elements.
 *
 * A row has a guessed height until it was measured. The places are sums of the heights before, made anew from the first row that changed:
 * what is added at the end, which is the common case, costs what was added.
 */

const guessedPx = 58;

export class RowHeights {
  #keys: readonly string[] = [];
  readonly #heights = new Map<string, number>();
  #indexes = new Map<string, number>();
  /** `#tops[i]` is where row i begins; up to `#valid` they are right. */
  #tops = new Float64Array(1024);
  #valid = 0;

  get count(): number {
    return this.#keys.length;
  }

  /** Heights of rows that are gone are kept until there are twice as many as rows. */
  setKeys(keys: readonly string[]): void {
    const before = this.#keys;
    let same = 0;
    while (same < keys.length && same < before.length && keys[same] === before[same]) same += 1;
    if (same < before.length) this.#indexes = new Map(keys.slice(0, same).map((key, index) => [key, index]));
    for (let index = same; index < keys.length; index += 1) this.#indexes.set(keys[index] ?? '', index);
    this.#keys = keys;
    this.#valid = Math.min(this.#valid, same);
    if (this.#heights.size > 2 * keys.length + 1000) this.#forgetGone();
    if (this.#tops.length <= keys.length) {
      const tops = new Float64Array(2 * keys.length + 1);
      tops.set(this.#tops);
      this.#tops = tops;
    }
  }

  /** @returns whether it differs from what was known */
  measured(key: string, px: number): boolean {
    const index = this.#indexes.get(key);
    if (index === undefined || this.#heights.get(key) === px) return false;
    this.#heights.set(key, px);
    this.#valid = Math.min(this.#valid, index);
    return true;
  }

  /** All rows have another width, and with it other heights. */
  forget(): void {
    this.#heights.clear();
    this.#valid = 0;
  }

  keyAt(index: number): string | undefined {
    return this.#keys[index];
  }

  indexOf(key: string): number | undefined {
    return this.#indexes.get(key);
  }

  topOf(index: number): number {
    this.#settle(Math.min(index, this.count));
    return this.#tops[Math.min(index, this.count)] ?? 0;
  }

  get totalPx(): number {
    return this.topOf(this.count);
  }

  /** The row that lies at that height. */
  indexAt(px: number): number {
    this.#settle(this.count);
    let from = 0;
    let to = this.count;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#tops[middle + 1] ?? 0) <= px) from = middle + 1;
      else to = middle;
    }
    return Math.min(from, Math.max(0, this.count - 1));
  }

  /** The rows to show, `to` exclusive. */
  windowOf(
    topPx: number,
    heightPx: number,
    marginPx: number,
  ): { readonly from: number; readonly to: number } {
    if (this.count === 0) return { from: 0, to: 0 };
    return { from: this.indexAt(topPx - marginPx), to: this.indexAt(topPx + heightPx + marginPx) + 1 };
  }

  #settle(until: number): void {
    for (let index = this.#valid; index < until; index += 1) {
      const key = this.#keys[index] ?? '';
      this.#tops[index + 1] = (this.#tops[index] ?? 0) + (this.#heights.get(key) ?? guessedPx);
    }
    this.#valid = Math.max(this.#valid, until);
  }

  #forgetGone(): void {
    for (const key of this.#heights.keys()) if (!this.#indexes.has(key)) this.#heights.delete(key);
  }
}
