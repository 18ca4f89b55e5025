/** The files of `config/nats/`, as they are: whom they let in, what each may do, and what is said of who is refused (R2). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { ServiceBroker } from 'moleculer';
import { expect, test } from 'vitest';
import { BootId, Epoch, NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { accessOptions, type NatsAccess } from '../../../cluster/nats/access.nats.ts';
import { connectNats } from '../../../cluster/nats/connection.nats.ts';
import { openClusterParts } from '../../../cluster/node/cluster-parts.composition.ts';
import { baseBrokerOptions } from '../../../cluster/observe/broker-options.moleculer.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics as metrics } from '../../../cluster/observe/metrics.ts';
import { isUnserved } from '../../../cluster/region/gateways/connect.nats.ts';
import { Prover } from '../../../cluster/region/gateways/proof.ts';
import { topologyOfOne } from '../../../cluster/region/topology/topology.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { openStallingProxy } from '../../support/cluster/stalling-proxy.ts';
import { startNats } from '../../support/cluster/start-nats.ts';
import { testMember } from '../../support/cluster/members.ts';
import { makeCertificates, startOne, type Certificates } from '../../support/regions/nats-files.ts';
import { recordingLogger, type LogLine } from '../../support/ingest/rtmp-recorder.ts';
import { openRecord, stream } from '../../support/ports/records.ts';
import { echo, greeting, testAllowList } from '../../support/regions/crossings.ts';
import { joinRegions } from '../../support/regions/joined-regions.ts';
import { waitFor, waitUntil } from '../../support/wait.ts';

const eu = RegionId.parse('eu');
const now = '2026-11-24T12:00:00.000Z';
const secured = (url: string): string => url.replace('nats://', 'tls://');
const saidOf = (lines: readonly LogLine[]): readonly string[] =>
  lines.flatMap(({ level, fields }) => (level === 'warn' ? [String(fields['why'])] : []));

/** What the server refused to a client. */
function refusals(connection: NatsConnection): readonly string[] {
  const refused: string[] = [];
  void (async () => {
    for await (const status of connection.status())
      if (status.type === 'error') refused.push(status.error.message);
  })();
  return refused;
}

// Goal: the permissions of `node` are enough for everything that a node does with NATS, and that is all encrypted. Method: a node's parts are
// opened on the server, its log is written and read, and two of its brokers call each other.
test('a node works with the certificate of nodes, and nothing is refused to it', async () => {
  await using certificates = await makeCertificates();
  await using nats = await startOne(certificates);
  const access = { servers: [secured(nats.url)], tls: certificates.of('node') };
  await using closing = new AsyncDisposableStack();
  const node = NodeId.parse('n1');
  const bootId = BootId.parse('boot-n1');
  const self = { node, region: eu, bootId, clock, logger: silentLogger, metrics };
  const connected = await connectNats({ ...access, name: node, clock, logger: silentLogger, metrics });
  closing.defer(() => connected.close());
  const refused = refusals(connected.connection);
  const parts = await openClusterParts(
    {
      ...self,
      nats: connected,
      replicas: 1,
      topology: topologyOfOne(eu),
      member: testMember('n1', { region: eu }),
      secret: 'a secret',
      fingerprint: 'test',
      exit: () => {},
    },
    closing,
  );
  const sequence = await parts.log.append(stream, openRecord(), 0);
  const followed = new AbortController();
  for await (const item of parts.log.follow(stream, sequence, followed.signal)) if ('caughtUp' in item) break;
  const record = {
    owner: node,
    region: eu,
    bootId,
    epoch: Epoch.parse(1),
    since: now,
    reason: 'first publish',
  };
  await parts.ownership.put(stream, record, 0);
  expect((await parts.ownership.get(stream)).record).toEqual(record);
  await parts.queue.depth();
  parts.loads.tell(() => 1);
  const brokers = ['n1', 'n2'].map((name) => brokerOf(name, access));
  closing.defer(async () => void (await Promise.all(brokers.map((broker) => broker.stop()))));
  brokers[1]?.createService({ name: 'there', actions: { ask: () => 'answered' } });
  await Promise.all(brokers.map((broker) => broker.start()));
  await brokers[0]?.waitForServices('there', 10_000, 50);
  expect(await brokers[0]?.call('there.ask')).toBe('answered');
  await connected.connection.flush();
  expect(refused).toEqual([]);
});

test('a gateway of another region works with the certificate of gateways, in both directions of a link', async () => {
  await using certificates = await makeCertificates();
  await using nats = await startOne(certificates);
  await using joined = await joinRegions({
    nodes: { eu: ['n1'], us: ['n1', 'n2'] },
    servers: { eu: nats },
    own: (region) => (region === 'eu' ? { tls: certificates.of('node') } : {}),
    gateway: (to) => (to === 'eu' ? { tls: certificates.of('gateway') } : {}),
    allowed: testAllowList,
  });
  joined.of('eu').serve(echo, async ({ text }) => ({ text }));
  await joined.settled();
  const call = joined.of('us', 'n2').call(eu, echo, { text: 'hello' }, { key: 'demo', withinMs: 20_000 });
  expect(await call).toEqual({ text: 'hello' });
  const heard: string[] = [];
  joined.of('us').listen(eu, greeting, ({ text }) => heard.push(text), 'demo');
  await waitUntil(
    'it is heard',
    () => (joined.of('eu').publish(greeting, { text: 'x' }, 'demo'), heard.length > 0),
  );
});

test('a gateway may call and hear, and nothing else', async () => {
  await using certificates = await makeCertificates();
  await using nats = await startOne(certificates);
  const access = accessOptions({ servers: [secured(nats.url)], tls: certificates.of('gateway') });
  const connection = await connect({ ...access, inboxPrefix: 'tz.eu.wan.inbox.us' });
  const refused = refusals(connection);
  const may = ['tz.eu.wan.greeting', 'tz.eu.wan.rec.demo', 'tz.eu.wan.inbox.us.1'];
  const mayNot = [
    'tz.eu.idx.demo',
    'tz.eu.>',
    '>',
    '$JS.API.>',
    '_INBOX.>',
    'MOL-tangaza-eu.>',
    'tz.eu.wan.rpc.echo',
  ];
  for (const subject of [...may, ...mayNot]) connection.subscribe(subject, { callback: () => {} });
  for (const subject of ['tz.eu.idx.demo', 'tz.eu.wan.rec.demo', '$JS.API.INFO', 'tz.eu.gate.say'])
    connection.publish(subject, 'x');
  connection.publish('tz.eu.wan.rpc.echo', 'x');
  await connection.flush();
  await waitFor(
    'all refusals',
    () => refused.length,
    (count) => count >= mayNot.length + 4,
  );
  const named = (word: string, subject: string): boolean =>
    refused.some((text) => text.toLowerCase().includes(word) && text.includes(`"${subject}"`));
  expect({
    heard: [...may, ...mayNot].filter((subject) => !named('subscription', subject)),
    told: [
      'tz.eu.idx.demo',
      'tz.eu.wan.rec.demo',
      '$JS.API.INFO',
      'tz.eu.gate.say',
      'tz.eu.wan.rpc.echo',
    ].filter((subject) => !named('publish', subject)),
  }).toEqual({ heard: may, told: ['tz.eu.wan.rpc.echo'] });
  await connection.close();
});

// Goal: a gateway reaches nothing by the reply subject, which NATS does not check and a node answers with its own rights. Method: garbage and
// signed calls ask for their answers in the index and in the API of JetStream; a sound call behind them comes back when they are done with.
test('a gateway writes and removes nothing by where it wants its answer', async () => {
  await using certificates = await makeCertificates();
  await using nats = await startOne(certificates);
  const lines: LogLine[] = [];
  await using joined = await joinRegions({
    nodes: { eu: ['n1'], us: [] },
    servers: { eu: nats },
    own: () => ({ tls: certificates.of('node') }),
    logger: () => recordingLogger(lines),
    waitsForLinks: false,
    allowed: testAllowList,
  });
  await joined.settled();
  const as = (user: string, inboxPrefix?: string): Promise<NatsConnection> =>
    connect({
      ...accessOptions({ servers: [secured(nats.url)], tls: certificates.of(user) }),
      ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
    });
  const node = await as('node');
  const manager = await jetstreamManager(node, { checkAPI: false });
  await manager.streams.add({ name: 'IDX', subjects: ['tz.eu.idx.>'] });
  for (const text of ['one', 'two', 'three']) await node.request('tz.eu.idx.demo', text);
  const gateway = await as('gateway', 'tz.eu.wan.inbox.us');
  const head = { from: RegionId.parse('us'), to: eu, name: 'hello', deadlineUtcMs: Date.now() + 5000 };
  const params = JSON.stringify({ nonce: 'a nonce of a gateway', topologyVersion: 1 });
  const signed = new Prover('a secret').write({ head, params });
  const replies = ['tz.eu.idx.demo', 'tz.eu.wan.greeting', '$JS.API.STREAM.PURGE.IDX'];
  for (const text of ['garbage', signed])
    for (const reply of replies) gateway.publish('tz.eu.wan.rpc.hello', text, { reply });
  const sound = await gateway.request('tz.eu.wan.rpc.hello', signed, { timeout: 20_000 });
  await node.flush();
  const { state } = await manager.streams.info('IDX');
  const said = lines.filter(({ fields }) => String(fields['why']).includes('outside of the inboxes'));
  expect({ answered: sound.string().includes('proof'), kept: state.messages, last: state.last_seq }).toEqual({
    answered: true,
    kept: 3,
    last: 3,
  });
  expect(said).toHaveLength(1);
  await gateway.close();
  await node.close();
});

// Goal: a node that stands still gets no calls for long. Method: it answers, until nothing comes through to it; then the server says that nobody does.
test('a server drops a node that stands still, and says that nobody serves its calls', async () => {
  await using certificates = await makeCertificates();
  await using nats = await startOne(certificates);
  await using way = await openStallingProxy('127.0.0.1', nats.port);
  const tls = certificates.of('node');
  const still = await connect(accessOptions({ servers: [`tls://127.0.0.1:${way.port}`], tls }));
  still.subscribe('tz.eu.wan.rpc.echo', { callback: (_error, message) => void message.respond('here') });
  await still.flush();
  const caller = await connect(accessOptions({ servers: [secured(nats.url)], tls }));
  const ask = (): Promise<string> =>
    caller.request('tz.eu.wan.rpc.echo', '', { timeout: 500 }).then(
      (reply) => reply.string(),
      (error: unknown) => (isUnserved(error) ? 'nobody' : 'silence'),
    );
  await waitFor('it answers', ask, (answer) => answer === 'here');
  way.stall();
  expect(await ask()).toBe('silence');
  await waitFor('nobody serves it', ask, (answer) => answer === 'nobody');
  await caller.close();
  await still.close();
});

// Goal: each wrong certificate is refused, and said once with what to do. Method: a gateway that runs against the production file.
test.each<readonly [string, (all: { ours: Certificates; theirs: Certificates }) => object, string]>([
  [
    'whose authority is another one',
    ({ ours, theirs }) => ({ ...theirs.of('gateway'), caFile: ours.of('gateway').caFile }),
    'refuses our certificate',
  ],
  [
    'that does not trust the server',
    ({ ours, theirs }) => ({ ...ours.of('gateway'), caFile: theirs.of('gateway').caFile }),
    'another authority than ours',
  ],
  [
    'that shows no certificate',
    ({ ours }) => ({ caFile: ours.of('gateway').caFile }),
    'refuses our certificate',
  ],
  ['whose name is no user', ({ ours }) => ours.of('stranger'), 'does not know us'],
  [
    'that has no file',
    ({ ours }) => ({ ...ours.of('gateway'), keyFile: '/nowhere/gateway.key' }),
    'cannot be read',
  ],
])('a gateway %s is refused, and says so once', async (_name, tlsOf, words) => {
  await using ours = await makeCertificates();
  await using theirs = await makeCertificates();
  await ours.makeStranger();
  await using nats = await startOne(ours);
  const lines: LogLine[] = [];
  const tls = { caFile: '', ...tlsOf({ ours, theirs }) };
  await using joined = await joinRegions({
    nodes: { eu: ['n1'], us: ['n1'] },
    servers: { eu: nats },
    own: (region) => (region === 'eu' ? { tls: ours.of('node') } : {}),
    gateway: (to) => (to === 'eu' ? { tls } : {}),
    logger: (region) => (region === 'us' ? recordingLogger(lines) : silentLogger),
    waitsForLinks: false,
    allowed: testAllowList,
  });
  await waitUntil('it is said', () => saidOf(lines).length > 0);
  await waitUntil('the other direction works', () => joined.of('eu').links()[0]?.isUp === true);
  expect(saidOf(lines)).toEqual([expect.stringContaining(words)]);
  expect(joined.of('us').links()[0]).toMatchObject({ isUp: false });
});

test('a node without the certificate of nodes waits, and says once what it lacks', async () => {
  await using certificates = await makeCertificates();
  await using nats = await startOne(certificates);
  const lines: LogLine[] = [];
  const given = new AbortController();
  const access = { servers: [secured(nats.url)], tls: { caFile: certificates.of('node').caFile } };
  const ports = { clock, logger: recordingLogger(lines), metrics };
  const connecting = connectNats({ ...access, ...ports, name: 'n1', signal: given.signal });
  await waitUntil('it is said', () => saidOf(lines).length > 0);
  given.abort(new Error('given up'));
  await expect(connecting).rejects.toThrow('given up');
  expect(saidOf(lines)).toEqual([expect.stringMatching(/the NATS of this region .* TANGAZA_NATS_CERT/)]);
});

// Goal: a server with users and passwords instead of certificates takes both a node and its brokers, and a wrong password is said once.
test('a server that wants user and password gets those of the credentials file', async () => {
  await using certificates = await makeCertificates();
  await using nats = await startNats({ args: ['--user', 'node', '--pass', 'right'] });
  const credentialsFile = join(certificates.dir, 'credentials');
  writeFileSync(credentialsFile, 'node\nwrong\n');
  const lines: LogLine[] = [];
  const ports = { clock, logger: recordingLogger(lines), metrics };
  const access = { servers: [nats.url], credentialsFile };
  const connecting = connectNats({ ...access, ...ports, name: 'n1' });
  await waitUntil('it is said', () => saidOf(lines).length > 0);
  expect(saidOf(lines)).toEqual([expect.stringMatching(/does not know us.*TANGAZA_NATS_CREDENTIALS/)]);
  writeFileSync(credentialsFile, 'node\nright\n');
  const { close } = await connecting;
  const broker = brokerOf('n1', access);
  await broker.start();
  expect(broker.transit?.connected).toBe(true);
  await broker.stop();
  await close();
});

function brokerOf(brokerId: string, access: NatsAccess): ServiceBroker {
  const natsAccess = { ...accessOptions(access) };
  return new ServiceBroker(baseBrokerOptions({ region: eu, brokerId, natsAccess, logger: silentLogger }));
}
