/** The ports of a demo's Cassandra. Its nodes know each other by them, so they are chosen once and kept in the data folder. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UnusableError } from '../../../config/unusable.ts';
import { freePort, userOfPort, whyNotFree } from '../free-port.system.ts';
import type { CassandraPorts } from './place.ts';

const Ports = z.object({ native: z.number().int(), storage: z.number().int() });
const mostTries = 100;

/**
 * @param folder they are kept in
 * @param addresses of its nodes, which have the same ports each
 * @throws UnusableError when another program uses one of them, with its name, or when this machine lacks an address
 */
export async function keptPorts(folder: string, addresses: readonly string[]): Promise<CassandraPorts> {
  const file = join(folder, 'cassandra-ports.json');
  const kept = Ports.safeParse(readJson(file));
  if (!kept.success) {
    const ports = { native: await portFreeAtAll(addresses), storage: await portFreeAtAll(addresses) };
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, JSON.stringify(ports));
    return ports;
  }
  for (const address of addresses)
    for (const port of Object.values(kept.data)) await mustBeFree(port, address);
  return kept.data;
}

async function portFreeAtAll(addresses: readonly string[]): Promise<number> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const port = await freePort();
    const faults = await Promise.all(addresses.map((address) => whyNotFree(port, address)));
    const lacking = addresses.find((_, index) => faults[index] === 'EADDRNOTAVAIL');
    if (lacking !== undefined) throw lacksAddress(lacking);
    if (faults.every((fault) => fault === undefined)) return port;
  }
  throw new Error('no port is free at all addresses of Cassandra');
}

async function mustBeFree(port: number, address: string): Promise<void> {
  const why = await whyNotFree(port, address);
  if (why === undefined) return;
  if (why === 'EADDRNOTAVAIL') throw lacksAddress(address);
  const user = userOfPort(port);
  const who = user === undefined ? 'another program' : `process ${user.pid} (${user.command})`;
  throw new UnusableError(
    `port ${port} of ${address}, on which the Cassandra of this folder lives, is in use by ${who}: stop it, or choose another folder with --data DIR`,
  );
}

const lacksAddress = (address: string): UnusableError =>
  new UnusableError(
    `this machine has no address ${address}, on which a data centre of Cassandra would listen: add it to the loopback interface (sudo ifconfig lo0 alias ${address}), or take --regions 1`,
  );

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
