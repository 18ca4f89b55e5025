/** Finds free ports of this machine, and who uses a port that is taken. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { firstEphemeral, inodesOfPort, type PortUser } from './ports.ts';

const host = '127.0.0.1';

/** Ports that were given out. The kernel may name a port again as soon as it is closed, and two servers would then want it. */
const given = new Set<number>();
const maxGiven = 1000;
const maxTries = 1000;
const lowest = 10_000;
/** With fewer ports than this below the kernel's range there is too little choice. */
const leastChoice = 4000;
const longestCommand = 80;

/**
 * A free port of this machine that this process has not given out lately. It lies below the range from which the kernel takes ports for
 * connections. A port in that range may be the source of a connection by the time its server starts, or starts again. It may even be the
 * source of the connection that asks whether the server is there.
 */
export async function freePort(): Promise<number> {
  const below = firstEphemeral(readText('/proc/sys/net/ipv4/ip_local_port_range')) ?? 0;
  for (let tries = 0; tries < maxTries; tries += 1) {
    const wanted = below - lowest < leastChoice ? 0 : lowest + Math.floor(Math.random() * (below - lowest));
    const port = await listen(wanted).catch(() => undefined);
    if (port === undefined || given.has(port)) continue;
    if (given.size >= maxGiven) given.clear();
    given.add(port);
    return port;
  }
  throw new Error('no free port was found');
}

/** @returns why nobody can listen on it, as Node names it (`EADDRINUSE`); undefined when somebody can */
export function whyNotFree(port: number, address = host): Promise<string | undefined> {
  return listen(port, address).then(
    () => undefined,
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
}

/** Works on Linux only, and shows only what this user may see. */
export function userOfPort(port: number): PortUser | undefined {
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => inodesOfPort(readText(file), port));
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  const pid = listFolder('/proc').find((name) => /^\d+$/.test(name) && holdsAny(name, sockets));
  if (pid === undefined) return undefined;
  const command = readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return { pid: Number(pid), command: command.slice(0, longestCommand) };
}

function holdsAny(pid: string, sockets: ReadonlySet<string>): boolean {
  return listFolder(`/proc/${pid}/fd`).some((name) => sockets.has(readLink(`/proc/${pid}/fd/${name}`)));
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readLink(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function listen(port: number, at = host): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, at, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
