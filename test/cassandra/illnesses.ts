/** A Cassandra that is there and ill: late, or with too much to do. */
import { describe, expect, test } from 'vitest';
import { openCassandraCommentStore } from '../../actors/comments/store/comment-store.cassandra.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import { openCassandra } from '../../cluster/cassandra/database.cassandra.ts';
import { silentLogger } from '../../cluster/observe/logger.ts';
import { noMetrics } from '../../cluster/observe/metrics.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { openCqlProxy } from '../support/cassandra/cql-proxy.ts';
import { openTestDatabase, type TestCassandra } from '../support/cassandra/two-data-centres.ts';
import { commentBody } from '../support/ports/stores/comment-bodies.ts';
import { waitFor } from '../support/wait.ts';

export function illnessTests(started: () => TestCassandra): void {
  describe('a data centre that is ill', () => {
    const { id, ...body } = commentBody({ stream: StreamId.parse('ill'), atMs: Date.now() });
    const state = { isHeld: false, nowMs: body.createdAtMs };

    /** A node whose own data centre, and no other, is behind a proxy. */
    async function startIll() {
      const { dataCentres, ...settings } = started().settings();
      const [own, other] = dataCentres;
      if (own === undefined || other === undefined) throw new Error('two are two');
      const [host = '', port] = (own.contactPoints[0] ?? '').split(':');
      const proxy = await openCqlProxy(host, Number(port));
      const behind = { ...own, contactPoints: [`127.0.0.1:${proxy.port}`] };
      const database = openTestDatabase({ ...settings, dataCentres: [behind, other] });
      const store = openCassandraCommentStore(database, systemClock);
      return {
        proxy,
        store,
        [Symbol.asyncDispose]: async () => {
          await database.close();
          await proxy[Symbol.asyncDispose]();
        },
      };
    }

    test('with too much to do is told as such to who writes and who reads, and the other one is spared', async () => {
      await using ill = await startIll();
      await ill.store.get(id);
      ill.proxy.illness = { kind: 'overloaded' };
      await expect(ill.store.add({ id, ...body }, state)).rejects.toMatchObject({ code: 'OVERLOADED' });
      await expect(ill.store.get(id)).rejects.toMatchObject({ code: 'OVERLOADED' });
      ill.proxy.illness = { kind: 'none' };
      expect(await ill.store.add({ id, ...body }, state)).toMatchObject({ comment: { id } });
    });

    test('that is late is waited for, and passed over when it is too late', async () => {
      await using ill = await startIll();
      await ill.store.get(id);
      ill.proxy.illness = { kind: 'late', ms: 700 };
      expect(await ill.store.add({ id, ...body }, state)).toMatchObject({ comment: { id } });
      ill.proxy.illness = { kind: 'late', ms: 60_000 };
      const found = await waitFor(
        'the other one answers',
        () => ill.store.get(id),
        (row) => row !== undefined,
      );
      expect(found).toMatchObject({ id });
    });
  });

  // Goal: a node that was frozen while its data centre was cut off does not read it before hints have come, though it saw nothing of the cut. Method: its clock
  // stands still for 4 s, and then other nodes say what they do without.
  test('after a standstill the next data centre is asked until others do not do without the own one', async () => {
    let stoodMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + stoodMs };
    const asked = Promise.withResolvers<ReadonlySet<string>>();
    const ports = { clock, logger: silentLogger, metrics: noMetrics };
    const others = { doWithout: () => asked.promise };
    const database = openCassandra(started().settings(), { ...ports, others });
    const query = 'INSERT INTO comments_by_author (author, created_at, stream, id) VALUES (?, ?, ?, ?)';
    const write = () => database.runTogether([{ query, values: ['g-ill', new Date(0), 'ill', 'one'] }]);
    try {
      const before = await waitFor('the own one is asked', write, (name) => name === 'region-1');
      stoodMs = 4000;
      const afterwards = await write();
      asked.resolve(new Set());
      const vouched = await waitFor('others vouch', write, (name) => name === before);
      expect({ before, afterwards, vouched }).toEqual({
        before: 'region-1',
        afterwards: 'region-2',
        vouched: 'region-1',
      });
    } finally {
      await database.close();
    }
  });
}
