/** Opens the registry that the node is configured for, and joins it with those of other regions where each has its own (R12). */
import type { Database } from '../../../cluster/cassandra/database.cassandra.ts';
import type { ClusterParts } from '../../../cluster/node/cluster-parts.composition.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { order } from '../../../cluster/partition/rendezvous.ts';
import { RegionClock } from '../../../cluster/region/region-clock.ts';
import { UnusableError } from '../../../config/unusable.ts';
import { openStreamRegistry } from '../open-registry.system.ts';
import { openCassandraStreamRegistry } from '../stream-registry.cassandra.ts';
import type { StreamRegistry } from '../stream-registry.ts';
import { RegistryAcross } from './registry-across.ts';
import { RegistrySync, type SyncPorts } from './registry-sync.ts';

export interface OpenedRegistry {
  readonly registry: StreamRegistry;
  /** Keeps it level with other regions, on a node that has the control actor. Absent where there is nothing to do. */
  readonly sync?: (closeSessions: SyncPorts['closeSessions']) => RegistrySync;
}

/**
 * @param database shared by all regions; undefined: the registry lies in the region's data folder
 * @throws UnusableError for a file that only an operator can mend
 */
export async function composeRegistry(
  parts: Omit<ClusterParts, 'log' | 'ownership' | 'queue' | 'loads' | 'fingerprint'>,
  dataDir: string,
  database: Database | undefined,
): Promise<OpenedRegistry> {
  const { node, region, clock, others, members } = parts;
  if (database !== undefined) return { registry: openCassandraStreamRegistry(database) };
  const registry = await openStreamRegistry(dataDir, clock).catch((error: unknown) => {
    throw error instanceof TangazaError ? new UnusableError(error.message, { cause: error }) : error;
  });
  if (others.regions.length === 0) return { registry };
  const all = { ...parts, registry, times: new RegionClock(region, others) };
  const across = new RegistryAcross(all);
  const isMine = (): boolean => {
    const serving = members
      .list()
      .members.filter(({ isAlive, roles }) => isAlive && roles.includes('control'));
    return order('registry', serving)[0]?.id === node;
  };
  const sync = (closeSessions: SyncPorts['closeSessions']) =>
    new RegistrySync({ ...all, isMine, closeSessions, onLearnt: (listener) => across.onLearnt(listener) });
  return { registry: across, sync };
}
