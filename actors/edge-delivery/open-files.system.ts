/** Reads how many files this process may have open, sockets included. */
import { readFileSync } from 'node:fs';

/** @returns undefined where the system does not show it under `/proc` */
export function openFileLimit(): number | undefined {
  try {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
    return Number.isSafeInteger(limit) ? limit : undefined;
  } catch {
    return undefined;
  }
}
