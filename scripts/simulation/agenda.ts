/** The agenda of the simulation, by virtual time: a binary heap. Entries for the same time run in the order in which they were added. */
interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class Agenda {
  readonly #heap: Entry[] = [];
  #asked = 0;
  nowMs = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The time of the next entry; Infinity when there is none. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Infinity;
  }

  after(ms: number, run: () => void): void {
    this.#asked += 1;
    this.#push({ atMs: this.nowMs + Math.max(0, ms), order: this.#asked, run });
  }

  /** Moves the clock to the next entry and runs it. @returns false when there is none */
  step(): boolean {
    const next = this.#pop();
    if (next === undefined) return false;
    this.nowMs = next.atMs;
    next.run();
    return true;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child = isBefore(heap[right], heap[left]) ? right : left;
      const below = heap[child];
      if (below === undefined || !isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined) return false;
  if (b === undefined) return true;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
