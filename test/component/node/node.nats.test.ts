/** A whole node in this process, on a real nats-server: what holds of all its actions, and what it says of itself (C4, C6). */
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, hostname, networkInterfaces, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ServiceBroker } from 'moleculer';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { probeByHttp } from '../../../cluster/membership/probe.http.ts';
import { RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { rememberOrdinals } from '../../../cluster/region/topology/ordinals.nats.ts';
import type { Topology } from '../../../cluster/region/topology/topology.ts';
import { View } from '../../../cluster/membership/view.ts';
import { loadConfig } from '../../../config/config.ts';
import { loadSecrets, secretsFileIn } from '../../../config/secrets.disk.ts';
import { ensureTokenKeys } from '../../../config/token-keys.disk.ts';
import { composeNode } from '../../../moleculer.config.ts';
import { freePort } from '../../../scripts/demo/free-port.system.ts';
import { lintMetrics, readSeries } from '../../support/metric-lint.ts';
import { startNats, type TestNats } from '../../support/cluster/start-nats.ts';
import { UnusableError } from '../../../config/unusable.ts';
import { codeOf } from '../../support/ingest/stream-feed.ts';

/** Of `n1`, with all roles. */
async function configOf(nats: TestNats, dataDir: string, env: Readonly<Record<string, string>> = {}) {
  const place = { TANGAZA_NODE_ID: 'n1', TANGAZA_NATS_URL: nats.url, TANGAZA_DATA_DIR: dataDir };
  const [http, rtmp] = [await freePort(), await freePort()];
  const ports = {
    TANGAZA_HTTP_PORT: String(http),
    TANGAZA_RTMP_PORT: String(rtmp),
    TANGAZA_LOG_LEVEL: 'error',
  };
  return loadConfig({ ...place, ...ports, ...env }, availableParallelism());
}

const gateway = { natsUrls: ['nats://127.0.0.1:1'], tls: undefined, credentialsFile: undefined };
const topologyOf = (...ids: readonly RegionId[]): Topology => ({
  version: 1,
  regions: ids.map((id, ordinal) => ({ id, ordinal, gateway, position: undefined, weight: 1 })),
});
const fileOf = ({ version, regions }: Topology) => ({
  version,
  regions: regions.map(({ id, ordinal }) => ({ id, ordinal, gateway: { nats: gateway.natsUrls } })),
});

async function makeFolder() {
  const path = await mkdtemp(join(tmpdir(), 'tangaza-node-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

async function startWholeNode(nats: TestNats, env: Readonly<Record<string, string>> = {}) {
  await using cleaning = new AsyncDisposableStack();
  const { path } = cleaning.use(await makeFolder());
  const config = await configOf(nats, path, env);
  const broker = new ServiceBroker(await composeNode(config));
  cleaning.defer(() => broker.stop());
  await broker.start();
  const all = cleaning.move();
  return {
    broker,
    url: `http://127.0.0.1:${config.http.port}`,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

// Goal: a process that was frozen carries out no call that its caller has given up, of whatever kind. Method: every action that a node
// of all roles has is called with a deadline that has passed.
test('every action of a node refuses a call that is late', async () => {
  await using nats = await startNats({ jetstream: true });
  await using node = await startWholeNode(nats);
  const { broker } = node;
  const actions = broker.registry.actions
    .list({ onlyLocal: true, skipInternal: true })
    .map(({ name }) => name);
  const services = new Set(actions.map((name: string) => name.split('.')[0]));
  expect(services).toEqual(new Set(['comments', 'control', 'drain', 'edge-delivery', 'ingest', 'stream']));
  const meta = { from: 'n1', deadlineMs: 0 };
  const outcomes = await Promise.all(
    actions.map(async (name: string) => [name, await codeOf(broker.call(name, {}, { meta }))]),
  );
  expect(outcomes).toEqual(actions.map((name: string) => [name, 'DEADLINE_EXCEEDED']));
});

test('a node tells its weight to the others', async () => {
  await using nats = await startNats({ jetstream: true });
  await using _node = await startWholeNode(nats, { TANGAZA_WEIGHT: '2.5' });
  await using connection = await connect({ servers: nats.url });
  const entry = await (await new Kvm(connection).open('members-local')).get('view');
  expect(View.parse(entry?.json()).members.map(({ id, weight }) => `${id} ${weight}`)).toEqual(['n1 2.5']);
});

// As it once was: nobody listened there, each probe was refused, and so a monitor's word over NATS alone condemned it.
test('a node without the edge role answers the probe over HTTP, and serves no viewers', async () => {
  await using nats = await startNats({ jetstream: true });
  await using node = await startWholeNode(nats, { TANGAZA_ROLES: 'transcode-worker' });
  expect(await probeByHttp(node.url, 500)).toBe('ok');
  const statusOf = async (path: string) => (await fetch(node.url + path)).status;
  expect({
    alive: await statusOf('/healthz'),
    ready: await statusOf('/readyz'),
    metrics: await statusOf('/metrics'),
    page: await statusOf('/watch/demo'),
  }).toEqual({ alive: 200, ready: 200, metrics: 401, page: 404 });
});

// As it once was: no node started while Cassandra was away, media nodes included.
test('a node that asks no database starts while Cassandra is away', async () => {
  await using nats = await startNats({ jetstream: true });
  await using node = await startWholeNode(nats, {
    TANGAZA_ROLES: 'transcode-worker',
    TANGAZA_DATABASE: 'cassandra',
    TANGAZA_CASSANDRA: `home/127.0.0.1:${await freePort()}`,
    TANGAZA_CASSANDRA_DATA_CENTRE: 'home',
  });
  expect(await probeByHttp(node.url, 500)).toBe('ok');
});

// As it once was, through Moleculer's own metrics: the host's name, its user, its addresses and the arguments of the process.
test('what a whole node measures is named as Prometheus wants it, and tells nothing of the machine and its user', async () => {
  const port = await freePort();
  await using nats = await startNats({ jetstream: true });
  await using _node = await startWholeNode(nats, { TANGAZA_OPERATOR_PORT: String(port) });
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(lintMetrics(text)).toEqual([]);
  const series = readSeries(text);
  const foreign = series.filter(({ name }) => !/^(?:tangaza|process|nodejs)_/.test(name));
  expect(foreign).toEqual([]);
  expect(series.length).toBeGreaterThan(50);
  const texts = new Set(series.flatMap(({ labels }) => Object.values(labels)));
  const addresses = Object.values(networkInterfaces()).flatMap(
    (all) => all?.flatMap(({ mac, address }) => [mac, address]) ?? [],
  );
  for (const secret of [hostname(), userInfo().username, process.execPath, process.cwd(), ...addresses])
    expect([...texts].filter((label) => label.includes(secret))).toEqual([]);
});

/** Everybody who is connected to the server, by the names that they gave, but for this asker. */
async function connectedTo(monitorPort: number): Promise<readonly string[]> {
  const answer = await fetch(`http://127.0.0.1:${monitorPort}/connz`);
  const { connections } = z
    .object({ connections: z.array(z.object({ name: z.string().default('unnamed') })) })
    .parse(await answer.json());
  return connections.map(({ name }) => name);
}

/** The server notices a closed connection a little later than who closed it. */
const nobodyIsConnectedTo = (monitorPort: number): Promise<void> =>
  expect.poll(() => connectedTo(monitorPort)).toEqual([]);

async function statesOfMembers(nats: TestNats): Promise<readonly string[]> {
  await using connection = await connect({ servers: nats.url });
  const entry = await (await new Kvm(connection).open('members-local')).get('view');
  return View.parse(entry?.json()).members.map(({ id, state }) => `${id} ${state}`);
}

/** Rejects when somebody listens there. */
async function listenOnce(port: number): Promise<void> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

// Goal: a node that cannot be opened leaves nothing open. Method: the encoder is the last part that opens, and a file lies where its
// folder should be; then the server says who is connected to it, and the members' view who is in it: who leaves is taken out.
test('when the last part of a node fails to open, the parts before it are closed', async () => {
  const monitorPort = await freePort();
  await using nats = await startNats({ jetstream: true, args: ['-m', String(monitorPort)] });
  await using folder = await makeFolder();
  await writeFile(join(folder.path, 'tmp'), 'no folder');
  await expect(composeNode(await configOf(nats, folder.path))).rejects.toThrow(/EEXIST|ENOTDIR/);
  await nobodyIsConnectedTo(monitorPort);
  expect(await statesOfMembers(nats)).toEqual([]);
});

// As it once was: the node started, and each stream that was made without a ladder was refused as a bad request.
test('a ladder of streams that name none stops the start where there is none of that name, and says which there are', async () => {
  await using nats = await startNats({ jetstream: true });
  await using folder = await makeFolder();
  const config = await configOf(nats, folder.path, { TANGAZA_LADDER: 'nine' });
  const refused = await composeNode(config).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(UnusableError);
  expect(String(refused)).toMatch(/TANGAZA_LADDER: there is no ladder nine; there are: .*\bdefault\b/);
});

// As it once was with the streams: "file is not a database", and no word of which file.
test.each(['comments.sqlite', 'tangaza.sqlite'])(
  'a database that only an operator can mend, %s, stops the start, and says what to do',
  async (name) => {
    await using nats = await startNats({ jetstream: true });
    await using folder = await makeFolder();
    await writeFile(join(folder.path, name), 'no database, but a page of text'.repeat(1000));
    const refused = await composeNode(await configOf(nats, folder.path)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UnusableError);
    expect(String(refused)).toContain(`${name}, is damaged (`);
    expect(String(refused)).toContain('): put back a copy of it, or move it away');
  },
);

// Goal: an ordinal is part of epochs that lie in logs, so a file that gives it to another region starts no node, and the region remembers what it
// did. Method: a region that knows of eu and us; a node whose file gives the ordinal of us to ap.
test('a file of regions with an ordinal that was another region’s stops the start, and says which one to give', async () => {
  const monitorPort = await freePort();
  await using nats = await startNats({ jetstream: true, args: ['-m', String(monitorPort)] });
  await using folder = await makeFolder();
  const [eu, us, ap] = ['eu', 'us', 'ap'].map((id) => RegionId.parse(id));
  if (eu === undefined || us === undefined || ap === undefined) throw new Error('there are three');
  const connection = await connect({ servers: nats.url });
  const of = (other: RegionId) =>
    rememberOrdinals(topologyOf(eu, other), { connection, region: eu, logger: silentLogger });
  expect(await of(us)).toEqual([]);
  const files = { regions: join(folder.path, 'r.json'), keys: join(folder.path, 'k.json') };
  await writeFile(files.regions, JSON.stringify(fileOf(topologyOf(eu, ap))));
  ensureTokenKeys(files.keys, [eu, ap]);
  loadSecrets(folder.path);
  const settings = {
    TANGAZA_REGION: eu,
    TANGAZA_REGIONS: files.regions,
    TANGAZA_SECRETS: secretsFileIn(folder.path),
    TANGAZA_TOKEN_KEYS: files.keys,
  };
  const refused = await composeNode(await configOf(nats, folder.path, settings)).catch(
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(UnusableError);
  expect(String(refused)).toMatch(
    /TANGAZA_REGIONS: ordinal 1 was that of region us, and is never given to another one: give region ap one that no region ever had, 2/,
  );
  expect(await of(us)).toEqual([]);
  await connection.close();
  await nobodyIsConnectedTo(monitorPort);
});

// Goal and method as above, of what opens last of all when the node starts: its operator port is taken.
test('when a port of a node cannot be opened, a stop frees its other ports and its connections', async () => {
  const [monitorPort, httpPort, rtmpPort] = [await freePort(), await freePort(), await freePort()];
  await using nats = await startNats({ jetstream: true, args: ['-m', String(monitorPort)] });
  await using folder = await makeFolder();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const ports = {
    TANGAZA_HTTP_PORT: String(httpPort),
    TANGAZA_RTMP_PORT: String(rtmpPort),
    TANGAZA_OPERATOR_PORT: String(typeof address === 'object' ? address?.port : address),
  };
  const broker = new ServiceBroker(await composeNode(await configOf(nats, folder.path, ports)));
  await expect(broker.start()).rejects.toThrow();
  await expect(listenOnce(httpPort)).rejects.toThrow(/EADDRINUSE/);
  await broker.stop();
  await listenOnce(httpPort);
  await listenOnce(rtmpPort);
  await nobodyIsConnectedTo(monitorPort);
  expect(await statesOfMembers(nats)).toEqual([]);
  taken.close();
});
