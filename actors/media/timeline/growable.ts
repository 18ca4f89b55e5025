/**
 * Lists and maps of a timeline that may grow in place.
 *
 * A timeline shows them read-only; only the fold, which made them and shares them with nobody, comes here (fold.ts).
 */

/** @throws TypeError when the list is frozen: then it was not made by the fold */
export function growableList<T>(list: readonly T[]): T[] {
  if (isGrowableList(list)) return list;
  throw new TypeError('a frozen list is no part of a fold');
}

function isGrowableList<T>(list: readonly T[]): list is T[] {
  return Array.isArray(list) && !Object.isFrozen(list);
}

/** @throws TypeError when it is another implementation of a read-only map: then it was not made by the fold */
export function growableMap<K, V>(map: ReadonlyMap<K, V>): Map<K, V> {
  if (isGrowableMap(map)) return map;
  throw new TypeError('a foreign map is no part of a fold');
}

function isGrowableMap<K, V>(map: ReadonlyMap<K, V>): map is Map<K, V> {
  return map instanceof Map;
}
