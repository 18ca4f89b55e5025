/** Opens the registry of streams that the node is configured for. */
import { join } from 'node:path';
import type { Clock } from '../../cluster/time/clock.ts';
import { openSqliteStreamRegistry } from './stream-registry.sqlite.ts';
import type { RegionalRegistry } from './regions/registry-feed.ts';

/** @param dataDir of the region on this host @throws as `RegistryFile` */
export async function openStreamRegistry(
  dataDir: string,
  clock: Pick<Clock, 'sleep' | 'runningMs'>,
): Promise<RegionalRegistry> {
  return openSqliteStreamRegistry(join(dataDir, 'tangaza.sqlite'), clock);
}
