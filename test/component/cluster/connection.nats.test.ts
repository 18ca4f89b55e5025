/** The node's connection to a real nats-server that says it is older than it is (C1). */
import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { connectNats } from '../../../cluster/nats/connection.nats.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { recordingLogger, type LogLine } from '../../support/ingest/rtmp-recorder.ts';
import { startNats } from '../../support/cluster/start-nats.ts';
import { waitUntil } from '../../support/wait.ts';

/** In front of a nats-server: its greeting names another version while `version` is set. */
async function openDisguise(port: number) {
  const disguise: { version: string | undefined; readonly sockets: Set<Socket> } = {
    version: undefined,
    sockets: new Set(),
  };
  const server = createServer((near) => {
    const far = connectTcp({ host: '127.0.0.1', port });
    for (const socket of [near, far]) {
      disguise.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => [near, far].forEach((one) => one.destroy()));
    }
    far.once('data', (greeting: Buffer) => {
      const { version } = disguise;
      const named =
        version === undefined
          ? greeting
          : greeting.toString().replace(/"version":"[^"]*"/, `"version":"${version}"`);
      near.write(named);
      far.pipe(near);
    });
    near.pipe(far);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : 0;
  const cut = (): void => disguise.sockets.forEach((socket) => socket.destroy());
  return {
    disguise,
    cut,
    url: `nats://127.0.0.1:${bound}`,
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

function connecting(url: string) {
  const lines: LogLine[] = [];
  const logger = recordingLogger(lines);
  return { lines, connected: connectNats({ servers: [url], name: 'n1', logger, clock, metrics: noMetrics }) };
}

test('a node does not start on a nats-server that is too old, and says what to do', async () => {
  await using nats = await startNats();
  await using front = await openDisguise(nats.port);
  front.disguise.version = '2.10.26';
  await expect(connecting(front.url).connected).rejects.toMatchObject({
    code: 'CONFLICT',
    message: 'The NATS server is nats-server 2.10.26: upgrade it to 2.10.27 or newer.',
  });
});

test('a node that comes back to a nats-server that is too old says so, and goes on', async () => {
  await using nats = await startNats();
  await using front = await openDisguise(nats.port);
  const { lines, connected } = connecting(front.url);
  const { connection, close, downMs } = await connected;
  front.disguise.version = '2.9.0';
  front.cut();
  const errors = (): readonly LogLine[] => lines.filter(({ level }) => level === 'error');
  await waitUntil('an error is logged', () => errors().length > 0);
  expect(errors()[0]?.message).toMatch(/nats-server 2.9.0: upgrade it to 2.10.27/);
  expect({ isClosed: connection.isClosed(), downMs: downMs() }).toEqual({ isClosed: false, downMs: 0 });
  await close();
});
