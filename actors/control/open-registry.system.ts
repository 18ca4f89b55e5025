/** Opens the registry of streams that the node is configured for. */
import { join } from 'node:path';
import type { Clock } from '../../cluster/time/clock.ts';
import { openSqliteStreamRegistry } from './stream-registry.sqlite.ts';
import type { StreamRegistry } from './stream-registry.ts';

/** @param dataDir of the region on this host */
export async function openStreamRegistry(
  dataDir: string,
  clock: Pick<Clock, 'sleep' | 'runningMs'>,
): Promise<StreamRegistry> {
  return openSqliteStreamRegistry(join(dataDir, 'tangaza.sqlite'), clock);
}
