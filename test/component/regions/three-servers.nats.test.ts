/** Three nats-servers with `config/nats/three.conf` as it is: any one of them may die (R2, C1). */
import { expect, test } from 'vitest';
import { openNatsIndexLog } from '../../../cluster/log/index-log.nats.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import { RegionId } from '../../../cluster/model/ids.ts';
import { connectNats } from '../../../cluster/nats/connection.nats.ts';
import { silentLogger as logger } from '../../../cluster/observe/logger.ts';
import { noMetrics as metrics } from '../../../cluster/observe/metrics.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { openRecord, stream } from '../../support/ports/records.ts';
import { echo, testAllowList } from '../../support/regions/crossings.ts';
import { joinRegions } from '../../support/regions/joined-regions.ts';
import { makeCertificates, startThree, type ServerOfThree } from '../../support/regions/nats-files.ts';
import { waitFor, waitUntil } from '../../support/wait.ts';

const eu = RegionId.parse('eu');

// Goal: of three servers any one may die; what was acknowledged stays, and who was connected to it goes on at another one. Method: a node appends records
// and a gateway calls all the time. The server that both are connected to is killed; each goes on, and then all that was acknowledged is in the log, once.
test('three servers become one cluster over TLS: one dies under a node and a gateway, and no acknowledged record is lost', async () => {
  await using certificates = await makeCertificates();
  await using three = await startThree(certificates);
  const urls = three.servers.map(({ url }) => url);
  const access = { servers: urls, tls: certificates.of('node') };
  await using closing = new AsyncDisposableStack();
  await using joined = await joinRegions({
    nodes: { eu: ['n1'], us: ['n1'] },
    own: (region) => (region === 'eu' ? access : {}),
    gateway: (to) => (to === 'eu' ? { natsUrls: urls, tls: certificates.of('gateway') } : {}),
    allowed: testAllowList,
  });
  joined.of('eu').serve(echo, async (asked) => asked);
  await joined.settled();
  const doomed = await serverWith(three.servers, 'gateway us/n1');
  const nats = await waitFor(
    'a node at that server',
    async () => {
      const tried = await connectNats({ ...access, name: 'n2', clock, logger, metrics });
      closing.defer(() => tried.close());
      return tried;
    },
    ({ connection }) => doomed.url.endsWith(connection.getServer()),
  );
  const log = await waitFor(
    'a log of three copies',
    () =>
      openNatsIndexLog({
        connection: nats.connection,
        region: eu,
        replicas: 3,
        metrics,
        logger,
      }),
    () => true,
  );
  const over = new AbortController();
  closing.defer(() => over.abort());
  const appended = new Set<string>();
  const appending = appendUntil(over.signal, log, appended);
  let answers = 0;
  const calling = until(over.signal, async () => {
    await joined.of('us').call(eu, echo, { text: 'hello' }, { key: 'demo', withinMs: 2000 });
    answers += 1;
  });
  const bothGrow = async (what: string): Promise<void> => {
    const before = [appended.size, answers] as const;
    await waitUntil(what, () => appended.size > before[0] + 5 && answers > before[1] + 5);
  };
  await bothGrow('records are acknowledged and calls are answered');
  await doomed.kill();
  await bothGrow('both go on without the server');
  over.abort();
  await Promise.all([appending, calling]);
  const kept = (await log.read(stream)).map(({ record }) => record.recordId);
  expect({
    lost: [...appended].filter((id) => !kept.includes(id)),
    twice: kept.filter((id, index) => kept.indexOf(id) !== index),
  }).toEqual({ lost: [], twice: [] });
});

/** Does it again and again, ten times a second at most. What fails is tried again, as callers do. */
async function until(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await act().catch(() => {});
    await clock.sleep(100, signal).catch(() => {});
  }
}

/** Appends one record after another, as an owner does: when it does not know whether one is there, it looks at the tail. */
async function appendUntil(signal: AbortSignal, log: IndexLog, acknowledged: Set<string>): Promise<void> {
  let tail: number | undefined = 0;
  let last = 0;
  await until(signal, async () => {
    const recordId = `r${(last += 1)}`;
    const behind: number = tail ?? (await log.tail(stream))?.sequence ?? 0;
    tail = undefined;
    tail = await log.append(stream, openRecord({ recordId }), behind);
    acknowledged.add(recordId);
  });
}

async function serverWith(servers: readonly ServerOfThree[], client: string): Promise<ServerOfThree> {
  const clients = await Promise.all(servers.map((server) => server.clients()));
  const found = servers.find((_server, index) => clients[index]?.includes(client));
  if (found === undefined) throw new Error(`no server has ${client}`);
  return found;
}
