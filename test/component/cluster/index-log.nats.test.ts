/** The index log on a real nats-server: the fence, lost acks, crashes and followers (C1). */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jetstreamManager } from '@nats-io/jetstream';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import { openNatsIndexLog } from '../../../cluster/log/index-log.nats.ts';
import { clockRecord, openRecord, region, stream } from '../../support/ports/records.ts';
import { temporaryFolder } from '../../support/media/media-feed.ts';
import { followLog } from '../../support/ports/log-follower.ts';
import { startNats, type TestNats } from '../../support/cluster/start-nats.ts';

async function open(
  nats: TestNats,
): Promise<{ log: IndexLog; connection: NatsConnection; [Symbol.asyncDispose](): Promise<void> }> {
  const connection = await connect({ servers: nats.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  const log = await openNatsIndexLog({ connection, region, metrics: noMetrics, logger: silentLogger });
  return { log, connection, [Symbol.asyncDispose]: () => connection.close() };
}

const codeOf = async (work: Promise<unknown>): Promise<string> => work.then(() => 'none', errorCodeOf);
const clock = (recordId: string) => clockRecord({ recordId });

test('a server that is no cluster is told from one that does not answer, with what to do', async () => {
  await using nats = await startNats({ jetstream: true });
  await using connection = await connect({ servers: nats.url });
  const options = { connection, region, metrics: noMetrics, logger: silentLogger };
  await expect(openNatsIndexLog({ ...options, replicas: 3 })).rejects.toThrow(/TANGAZA_NATS_REPLICAS/);
});

test("the region's stream keeps everything, asks its leader, and survives being opened twice", async () => {
  await using nats = await startNats({ jetstream: true });
  await using first = await open(nats);
  await first.log.append(stream, openRecord(), 0);
  await using again = await open(nats);
  expect((await again.log.tail(stream))?.record.kind).toBe('open');
  const manager = await jetstreamManager(again.connection);
  const { config } = await manager.streams.info('IDX-eu');
  expect(config).toMatchObject({
    allow_direct: false,
    max_age: 0,
    max_msgs: -1,
    max_bytes: -1,
    storage: 'file',
    subjects: ['tz.eu.idx.>'],
  });
});

test('an ack of another stream does not count as stored', async () => {
  // Method: a second stream takes the subjects of region `us`, so that what is meant for IDX-us is acknowledged by it.
  await using nats = await startNats({ jetstream: true });
  await using a = await open(nats);
  const us = await openNatsIndexLog({
    connection: a.connection,
    region: RegionId.parse('us'),
    metrics: noMetrics,
    logger: silentLogger,
  });
  const manager = await jetstreamManager(a.connection);
  await manager.streams.delete('IDX-us');
  await manager.streams.add({ name: 'THIEF', subjects: ['tz.us.idx.>'] });
  expect(await codeOf(us.append(stream, openRecord(), 0))).toBe('LOG_UNAVAILABLE');
});

test('with the server gone every call says LOG_UNAVAILABLE, and works again after a restart', async () => {
  await using nats = await startNats({ jetstream: true });
  await using a = await open(nats);
  const tail = await a.log.append(stream, openRecord(), 0);
  await nats.kill();
  expect(await codeOf(a.log.append(stream, clock('lost'), tail))).toBe('LOG_UNAVAILABLE');
  expect(await codeOf(a.log.tail(stream))).toBe('LOG_UNAVAILABLE');
  await nats.restart();
  const found = await eventually(() => a.log.tail(stream));
  expect(found?.record.epoch).toBe(1);
});

// Goal: a crash of the server costs a follower nothing (L4). Method: two followers, one from the start and one from the
// middle; SIGKILL between two appends, restart on the same folder, append on; both must see each record exactly once.
test('followers go on after a SIGKILL of the server, with no hole and nothing twice', async () => {
  await using nats = await startNats({ jetstream: true });
  await using a = await open(nats);
  await using b = await open(nats);
  const ids = Array.from({ length: 40 }, (_, index) => `c${index}`);
  const half = ids.slice(0, 20);
  let tail = 0;
  for (const id of half) tail = await a.log.append(stream, clock(id), tail);
  using whole = followLog(b.log, stream, 1);
  using late = followLog(b.log, stream, tail);
  await whole.until((seen) => seen.includes('c19'));
  await nats.kill();
  await nats.restart();
  for (const id of ids.slice(20)) {
    const expected = tail;
    tail = await eventually(() => a.log.append(stream, clock(id), expected));
  }
  await Promise.all([whole, late].map((one) => one.until((seen) => seen.includes('c39'))));
  expect(whole.seen.filter((id) => id !== 'caughtUp')).toEqual(ids);
  expect(late.seen.filter((id) => id !== 'caughtUp')).toEqual(ids.slice(19));
});

// Goal: a follower of a log that went back is told so (L5, C7), also when it has grown again meanwhile. Method: the server's folder
// is copied; two records later it is killed, the copy put back, and after the restart others take the places of what is lost.
test('a follower of a log that was restored from a backup is told, and gets all that there is', async () => {
  await using nats = await startNats({ jetstream: true });
  await using a = await open(nats);
  let tail = 0;
  for (const id of ['c0', 'c1']) tail = await a.log.append(stream, clock(id), tail);
  using following = followLog(a.log, stream, 1);
  await following.until((seen) => seen.includes('c1'));
  await nats.kill();
  await using backup = await temporaryFolder();
  await cp(nats.dir, backup.path, { recursive: true });
  await nats.restart();
  let later = tail;
  for (const id of ['lost0', 'lost1']) {
    const expected = later;
    later = await eventually(() => a.log.append(stream, clock(id), expected));
  }
  await following.until((seen) => seen.includes('lost1'));
  await nats.kill();
  await rm(nats.dir, { recursive: true });
  await cp(backup.path, nats.dir, { recursive: true });
  await nats.restart();
  for (const id of ['new0', 'new1', 'new2']) {
    const expected = tail;
    tail = await eventually(() => a.log.append(stream, clock(id), expected));
  }
  await following.until((seen) => seen.includes('new2'));
  const seen = following.seen.filter((id) => id !== 'caughtUp');
  expect(seen).toEqual(['c0', 'c1', 'lost0', 'lost1', 'wentBack', 'c0', 'c1', 'new0', 'new1', 'new2']);
});

// Goal: records reach a follower that cannot get a consumer (L8). Method: the account's mapping leads the requests for consumers to a
// subject of our own: where nobody listens they are refused at once, where somebody listens and is silent they hang.
test.each(['are refused', 'hang'] as const)(
  'while requests for a consumer %s, a follower gets what comes',
  async (how) => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'nats.conf');
    await writeFile(file, withoutConsumers);
    await using nats = await startNats({ jetstream: true, args: ['-c', file] });
    await using a = await open(nats);
    if (how === 'hang') a.connection.subscribe('nobody.>', { callback: () => {} });
    let tail = await a.log.append(stream, openRecord(), 0);
    using following = followLog(a.log, stream, 1);
    await following.until((seen) => seen.includes('caughtUp'));
    const ids = Array.from({ length: 40 }, (_, index) => `c${index}`);
    for (const id of ids) tail = await a.log.append(stream, clock(id), tail);
    await following.until((seen) => seen.includes('c39'));
    expect(following.seen.filter((id) => id !== 'caughtUp')).toEqual(['r1', ...ids]);
    expect(
      (await jetstreamManager(a.connection).then((manager) => manager.streams.info('IDX-eu'))).state
        .consumer_count,
    ).toBe(0);
  },
);

const withoutConsumers = `
accounts {
  TEST {
    jetstream: enabled
    users: [{ user: test, password: test }]
    mappings: { "$JS.API.CONSUMER.CREATE.>": "nobody.>" }
  }
}
no_auth_user: test
`;

test('a follower ends when its signal aborts, also while the server is gone', async () => {
  await using nats = await startNats({ jetstream: true });
  await using a = await open(nats);
  const following = followLog(a.log, stream, 1);
  await following.until((seen) => seen.includes('caughtUp'));
  await nats.kill();
  following[Symbol.dispose]();
  await following.ended;
});

/** Tries until it works: for what may only fail while the server starts. */
async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (errorCodeOf(error) !== 'LOG_UNAVAILABLE') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return work();
}
