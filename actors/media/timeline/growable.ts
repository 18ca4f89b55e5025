/**
 * Gives the fold write access to the lists and maps of a timeline, which grow in place.
 *
 * A timeline shows them read-only. Only the fold comes here, because it made them and shares them with nobody
 * (fold.ts).
 */

/** @throws TypeError when the list is frozen, because then the fold did not make it */
export function growableList<T>(list: readonly T[]): T[] {
  if (isGrowableList(list)) return list;
  throw new TypeError('a frozen list is no part of a fold');
}

function isGrowableList<T>(list: readonly T[]): list is T[] {
  return Array.isArray(list) && !Object.isFrozen(list);
}

/** @throws TypeError for another implementation of a read-only map, because then the fold did not make it */
export function growableMap<K, V>(map: ReadonlyMap<K, V>): Map<K, V> {
  if (isGrowableMap(map)) return map;
  throw new TypeError('a foreign map is no part of a fold');
}

function isGrowableMap<K, V>(map: ReadonlyMap<K, V>): map is Map<K, V> {
  return map instanceof Map;
}
