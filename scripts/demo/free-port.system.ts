/** Ports of this machine: a free one, and a clear error for one that is taken. */
import { createServer } from 'node:net';

const host = '127.0.0.1';

/** Given out before: the kernel may name a port again as soon as it is closed, and two servers would want it. */
const given = new Set<number>();
const maxGiven = 1000;
const maxTries = 100;

/** A free port of this machine, never one that this process was given lately. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const port = await listen(0);
    if (given.has(port)) continue;
    if (given.size >= maxGiven) given.clear();
    given.add(port);
    return port;
  }
  throw new Error('no free port was found');
}

/** @param option the flag that moves it, for the message */
export async function assertPortIsFree(port: number, option: string): Promise<void> {
  await listen(port).catch((error: unknown) => {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Error(
      `port ${port} cannot be used (${why}): stop what uses it, or choose another base with ${option}`,
      { cause: error },
    );
  });
}

function listen(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
