/** The ports of a demo's Cassandra. Its nodes know each other by them, so they are chosen once and kept in the data folder. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UnusableError } from '../../../config/unusable.ts';
import { freePort, userOfPort, whyNotFree } from '../free-port.system.ts';
import type { CassandraPorts } from './place.ts';

const Ports = z.object({ native: z.number().int(), storage: z.number().int() });

/** @throws UnusableError when another program uses one of them, with its name */
export async function keptPorts(dataDir: string): Promise<CassandraPorts> {
  const file = join(dataDir, 'cassandra-ports.json');
  const kept = Ports.safeParse(readJson(file));
  if (!kept.success) {
    const ports = { native: await freePort(), storage: await freePort() };
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(file, JSON.stringify(ports));
    return ports;
  }
  for (const port of Object.values(kept.data)) {
    const why = await whyNotFree(port);
    if (why === undefined) continue;
    const user = userOfPort(port);
    const who = user === undefined ? 'another program' : `process ${user.pid} (${user.command})`;
    throw new UnusableError(
      `port ${port}, on which the Cassandra of this folder lives, is in use by ${who}: stop it, or choose another folder with --data DIR`,
    );
  }
  return kept.data;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
