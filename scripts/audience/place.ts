/** The order of comments: by createdAt, then by id (A2). Pure. */

export interface Place {
  readonly createdAtMs: number;
  readonly id: string;
}

/** Less than 0 where `a` comes first. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.createdAtMs !== b.createdAtMs) return a.createdAtMs - b.createdAtMs;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

export const isBefore = (a: Place, b: Place): boolean => comparePlaces(a, b) < 0;

/** Places in order, each once. Almost all come at the end, as comments do. */
export class OrderedPlaces<T extends Place> {
  readonly #places: T[] = [];

  /** @returns false where it is there already */
  add(place: T): boolean {
    let index = this.#places.length;
    for (; index > 0; index -= 1) {
      const order = comparePlaces(this.#at(index - 1), place);
      if (order === 0) return false;
      if (order < 0) break;
    }
    this.#places.splice(index, 0, place);
    return true;
  }

  /** Those between the two, both exclusive; undefined is no bound. Oldest first. */
  between(after: Place | undefined, before: Place | undefined): readonly T[] {
    const first = after === undefined ? 0 : this.#countUntil((place) => comparePlaces(place, after) <= 0);
    const end =
      before === undefined ? this.#places.length : this.#countUntil((place) => isBefore(place, before));
    return this.#places.slice(first, Math.max(first, end));
  }

  /** How many at the beginning hold, of an order in which all that hold come first. */
  #countUntil(holds: (place: T) => boolean): number {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#at(middle))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #at(index: number): T {
    const place = this.#places[index];
    if (place === undefined) throw new Error(`no place ${index} of ${this.#places.length}`);
    return place;
  }
}
