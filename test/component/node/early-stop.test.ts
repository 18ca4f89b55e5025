/** A node that is told to stop while it still waits for what it needs: it closes what it has opened, and ends at once and in order. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { freePort } from '../../../scripts/demo/free-port.system.ts';
import { supervise } from '../../../scripts/demo/supervised-process.system.ts';
import { tangazaScript } from '../../support/cluster/cli.ts';
import { startNats } from '../../support/cluster/start-nats.ts';

/** Takes connections, and never says a word. */
async function openMute() {
  const server = createServer((socket) => socket.on('error', () => {}).on('data', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, somebody: once(server, 'connection'), [Symbol.dispose]: () => server.close() };
}

async function startNode(env: Readonly<Record<string, string>>) {
  const dir = await mkdtemp(join(tmpdir(), 'tangaza-early-'));
  const node = supervise(
    {
      name: 'n1',
      command: process.execPath,
      args: () => [tangazaScript, 'node'],
      env: {
        TANGAZA_NODE_ID: 'n1',
        TANGAZA_DATA_DIR: dir,
        TANGAZA_HTTP_PORT: String(await freePort()),
        TANGAZA_OPERATOR_PORT: String(await freePort()),
        TANGAZA_RTMP_PORT: String(await freePort()),
        ...env,
      },
      logFile: join(dir, 'node.log'),
      stopTimeoutMs: 60_000,
    },
    systemClock,
  );
  node.start();
  const dispose = async (): Promise<void> => {
    await node.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { node, [Symbol.asyncDispose]: dispose };
}

// Goal: nobody must kill a node to get rid of it. Method: of NATS, or of the database, there is a port that takes connections and does not
// answer; once the node has knocked there it gets SIGTERM. A process that the signal itself ended would have no exit code.
test.for(['NATS', 'Cassandra'] as const)(
  'a node that waits for %s ends with code 0 when it is told to stop',
  async (what) => {
    await using nats = await startNats({ jetstream: true });
    using mute = await openMute();
    const env =
      what === 'NATS'
        ? { TANGAZA_NATS_URL: `nats://127.0.0.1:${mute.port}` }
        : {
            TANGAZA_NATS_URL: nats.url,
            TANGAZA_DATABASE: 'cassandra',
            TANGAZA_CASSANDRA: `127.0.0.1:${mute.port}`,
          };
    await using started = await startNode(env);
    await mute.somebody;
    expect(await started.node.kill('SIGTERM')).toBe('0');
  },
);
