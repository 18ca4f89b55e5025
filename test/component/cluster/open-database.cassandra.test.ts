/** A node that opens its database where a data centre lets nobody in, or is not there yet. The driver is real; no Cassandra is needed for it. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../cluster/cassandra/cassandra.composition.ts';
import type { CassandraSettings } from '../../../cluster/cassandra/settings.ts';
import { noMetrics as metrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { recordingLogger, type LogLine } from '../../support/ingest/rtmp-recorder.ts';

const migrations = join(import.meta.dirname, '../../../config/cassandra');

/** Hosts that refuse, as they speak no TLS, and hosts that are not there. */
async function startHosts() {
  await using opened = new AsyncDisposableStack();
  const plain = opened.use(
    createServer((socket) => {
      // The driver closes no connection whose handshake failed.
      socket.on('error', () => {}).end('no TLS here', () => socket.destroy());
    }),
  );
  const gone = createServer();
  for (const server of [plain, gone]) await once(server.listen(0, '127.0.0.1'), 'listening');
  const [refusing, away] = [portOf(plain.address()), portOf(gone.address())];
  await gone[Symbol.asyncDispose]();
  const all = opened.move();
  return { refusing, away, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0;

/** Opens it, and stops the node when it has looked twice. @returns how it ended, and what was logged of each data centre */
async function openAt(own: readonly number[], next: readonly number[]) {
  const lines: LogLine[] = [];
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
  const ports = { clock: { ...systemClock, sleep }, logger: recordingLogger(lines), metrics };
  const end = await openDatabase(settings, migrations, ports, stopping.signal).then(
    () => 'it was opened',
    (error: unknown) => (error instanceof Error ? error.message : 'no error'),
  );
  return { end, logged: new Map(lines.map(({ fields }) => [fields['dataCentre'], fields['why']])) };
}

test('an own data centre that lets nobody in stops the node, and is named', async () => {
  await using hosts = await startHosts();
  const { end } = await openAt([hosts.refusing], [hosts.away]);
  expect(end).toMatch(/^Cassandra lets nobody in at data centre own: it does not speak TLS/);
});

test('a data centre that lets nobody in stops no node whose own one is only starting, nor does one host of several', async () => {
  await using hosts = await startHosts();
  const next = await openAt([hosts.away], [hosts.refusing]);
  const oneHost = await openAt([hosts.away, hosts.refusing], [hosts.away]);
  expect({ next: next.end, oneHost: oneHost.end }).toEqual({ next: 'it waited', oneHost: 'it waited' });
  expect(next.logged.get('next')).toMatch(/^it does not speak TLS/);
});
