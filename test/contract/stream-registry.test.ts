/** The contract of the stream-registry port, held by the SQLite file and by the registry in memory that tests use. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStreamRegistry } from '../../actors/control/stream-registry.sqlite.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { streamRegistryContract, type Subject } from '../support/ports/stores/stream-registry-contract.ts';
import { MemoryStreamRegistry, TroubledRegistry } from '../support/ports/stores/memory-stream-registry.ts';

async function sqliteSubject(): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-registry-'));
  const open = () => openSqliteStreamRegistry(join(folder, 'tangaza.sqlite'), systemClock);
  const registries = [open(), open()] as const;
  return {
    registries,
    [Symbol.asyncDispose]: async () => {
      for (const registry of registries) await registry.close();
      await rm(folder, { recursive: true });
    },
  };
}

const memorySubject = async (): Promise<Subject> => {
  const registry = new MemoryStreamRegistry();
  return { registries: [registry, registry], [Symbol.asyncDispose]: async () => {} };
};

/** What tests wrap it in changes nothing while it has no trouble. */
const troubledSubject = async (): Promise<Subject> => {
  const registry = new MemoryStreamRegistry();
  return {
    registries: [new TroubledRegistry(registry), new TroubledRegistry(registry)],
    [Symbol.asyncDispose]: async () => {},
  };
};

streamRegistryContract('SQLite', sqliteSubject);
streamRegistryContract('memory', memorySubject);
streamRegistryContract('memory, wrapped', troubledSubject);
