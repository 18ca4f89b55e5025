/** A TCP proxy that can stand still: connections stay open, new ones are taken, and no byte passes. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface StallingProxy extends AsyncDisposable {
  readonly port: number;
  stall(): void;
  /** What stood still is cut off; new connections pass. */
  resume(): void;
}

/** @param at where it listens; by default on a free port of 127.0.0.1 */
export async function openStallingProxy(
  host: string,
  port: number,
  at = { host: '127.0.0.1', port: 0 },
): Promise<StallingProxy> {
  const pairs = new Set<readonly Socket[]>();
  let isStalled = false;
  const server = createServer((near) => {
    const far = connect({ host, port });
    const pair = [near, far];
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        pairs.delete(pair);
        for (const one of pair) one.destroy();
      });
    }
    near.on('data', (bytes) => pass(far, bytes));
    far.on('data', (bytes) => pass(near, bytes));
  });
  const pass = (to: Socket, bytes: Uint8Array): void => {
    if (!isStalled) to.write(bytes);
  };
  const cutAll = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  server.listen(at.port, at.host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    stall: () => {
      isStalled = true;
    },
    resume: () => {
      isStalled = false;
      cutAll();
    },
    [Symbol.asyncDispose]: async () => {
      cutAll();
      server.close();
      await once(server, 'close');
    },
  };
}
