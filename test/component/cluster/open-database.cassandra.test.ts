/** A node that opens its database where a data centre lets nobody in, or is not there yet. The driver is real; no Cassandra is needed for it. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../cluster/cassandra/cassandra.composition.ts';
import type { CassandraSettings } from '../../../cluster/cassandra/settings.ts';
import { silentLogger as logger } from '../../../cluster/observe/logger.ts';
import { noMetrics as metrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';

const migrations = join(import.meta.dirname, '../../../config/cassandra');

/** Hosts that refuse, as they speak no TLS, and hosts that are not there. */
async function startHosts() {
  await using opened = new AsyncDisposableStack();
  const plain = opened.use(createServer((socket) => void socket.on('error', () => {}).end('no TLS here')));
  const gone = createServer();
  for (const server of [plain, gone]) await once(server.listen(0, '127.0.0.1'), 'listening');
  const [refusing, away] = [portOf(plain.address()), portOf(gone.address())];
  await gone[Symbol.asyncDispose]();
  const all = opened.move();
  return { refusing, away, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0;

/** Opens it, and stops the node when it has looked twice. @returns how it ended */
async function openAt(own: readonly number[], next: readonly number[]): Promise<string> {
  const stopping = new AbortController();
  let looks = 0;
  const sleep: typeof systemClock.sleep = (ms, signal) => {
    looks += 1;
    if (looks === 2) stopping.abort(new Error('it waited'));
    return systemClock.sleep(ms, signal);
  };
  const contactPoints = (ports: readonly number[]) => ports.map((port) => `127.0.0.1:${port}`);
  const settings: CassandraSettings = {
    dataCentres: [
      { name: 'own', contactPoints: contactPoints(own) },
      { name: 'next', contactPoints: contactPoints(next) },
    ],
    keyspace: 'tangaza',
    replication: 1,
    user: undefined,
    password: undefined,
    tls: { ca: undefined, cert: undefined, key: undefined, isNameChecked: true },
  };
  const ports = { clock: { ...systemClock, sleep }, logger, metrics };
  return openDatabase(settings, migrations, ports, stopping.signal).then(
    () => 'it was opened',
    (error: unknown) => (error instanceof Error ? error.message : 'no error'),
  );
}

test('an own data centre that lets nobody in stops the node, and is named', async () => {
  await using hosts = await startHosts();
  expect(await openAt([hosts.refusing], [hosts.away])).toMatch(
    /^Cassandra lets nobody in at data centre own: it does not speak TLS/,
  );
});

test('a data centre that lets nobody in stops no node whose own one is only starting, nor does one host of several', async () => {
  await using hosts = await startHosts();
  expect({
    next: await openAt([hosts.away], [hosts.refusing]),
    oneHost: await openAt([hosts.away, hosts.refusing], [hosts.away]),
  }).toEqual({ next: 'it waited', oneHost: 'it waited' });
});
