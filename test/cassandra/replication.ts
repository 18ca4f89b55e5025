/** The second acknowledgement on two real data centres (A6): what is told as replicated, what is not, and what a lost region takes with it. */
import { describe, expect, test } from 'vitest';
import { Observer } from '../../actors/comments/replication/observer.ts';
import { cassandraReplicaReads } from '../../actors/comments/replication/replica-reads.cassandra.ts';
import { openCassandraCommentStore } from '../../actors/comments/store/comment-store.cassandra.ts';
import { CommentPage, OwnComment } from '../../cluster/contract/api/audience-views.ts';
import { NodeId, RegionId, type CommentId } from '../../cluster/model/ids.ts';
import { silentLogger as logger } from '../../cluster/observe/logger.ts';
import { prometheusMetrics } from '../../cluster/observe/metrics.prometheus.ts';
import { systemClock as clock } from '../../cluster/time/clock.system.ts';
import {
  newClientId,
  newNetwork,
  startCommentsRig,
  type CommentsRig,
} from '../support/audience/comments-rig.ts';
import { openTestDatabase, type TestCassandra } from '../support/cassandra/two-data-centres.ts';
import { replicaContract } from '../support/ports/stores/replica-contract.ts';
import { waitFor, waitUntil } from '../support/wait.ts';

const healed = { withinMs: 100_000, everyMs: 500 };
const comments = '/v1/streams/demo/comments';

interface Region extends AsyncDisposable {
  readonly rig: CommentsRig;
  /** How often another data centre could not be read. */
  failedReads(): Promise<number>;
}

/** A node of the first, or the second region, that knows the keys of the other. */
async function openRegion(started: TestCassandra, own: 0 | 1, other?: Region): Promise<Region> {
  await using opened = new AsyncDisposableStack();
  const database = openTestDatabase(started.settings(own));
  opened.defer(() => database.close());
  const metrics = prometheusMetrics({ node: NodeId.parse('n1'), region: RegionId.parse('eu') });
  const replication = new Observer({ clock, logger, metrics, reads: cassandraReplicaReads(database) });
  const store = openCassandraCommentStore(database, clock);
  const beside = other === undefined ? undefined : { rig: other.rig, hasSameDatabase: false };
  const rig = opened.use(await startCommentsRig(beside, { store, replication }));
  const all = opened.move();
  return {
    rig,
    failedReads: async () => {
      const failed = /^tangaza_comments_replica_reads_total\{[^}]*outcome="failed"[^}]*\} (\d+)/gm;
      const counts = [...(await metrics.render()).matchAll(failed)].map(([, count]) => Number(count));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const isTold = ({ rig }: Region, id: CommentId): boolean =>
  rig.changes.some((change) => change.kind === 'replicated' && change.comments.some((one) => one.id === id));

/** What a page of that region shows of a comment, as often as it shows it. */
async function shownAt({ rig }: Region, id: CommentId) {
  const { items } = CommentPage.parse((await rig.ask('GET', `${comments}?limit=100`)).body);
  return items.filter((item) => item.id === id).map(({ text, acknowledged }) => ({ text, acknowledged }));
}

/** A database that is late on a busy machine refuses; its author's page sends it again, with the same id. */
async function posted({ rig }: Region, token: string, text: string, more: object = {}): Promise<OwnComment> {
  const clientId = newClientId();
  const answer = await waitFor(
    `'${text}' is taken`,
    () => rig.post(token, text, { clientId, ...more }, newNetwork()),
    ({ status }) => status === 201,
    healed,
  );
  return OwnComment.parse(answer.body);
}

/** Says something while the own data centre is dead, once the other one takes it. */
async function takenOver(region: Region): Promise<CommentId> {
  const token = await region.rig.guest('Bob');
  const clientId = newClientId();
  const answer = await waitFor(
    'the other data centre takes it',
    () => region.rig.post(token, 'by the other one', { clientId }, newNetwork()),
    ({ status }) => status === 201,
    healed,
  );
  return OwnComment.parse(answer.body).id;
}

export function replicationTests(started: () => TestCassandra): void {
  replicaContract('in Cassandra', async () => {
    const database = openTestDatabase(started().settings());
    const store = openCassandraCommentStore(database, clock);
    return {
      reads: cassandraReplicaReads(database),
      add: async (body) => void (await store.add(body, { isHeld: false, nowMs: Date.now() })),
      addHide: async (body) => {
        const nowMs = Date.now();
        await store.setHidden(body.id, { by: 'operator', atMs: nowMs }, nowMs);
      },
      [Symbol.asyncDispose]: () => database.close(),
    };
  });

  describe('the second acknowledgement', () => {
    test('an answer of more than 5,000 rows is whole', async () => {
      const database = openTestDatabase(started().settings());
      const comment = `many~${Date.now().toString(36)}`;
      const query = 'INSERT INTO comment_reports (comment, user, at) VALUES (?, ?, ?)';
      try {
        const users = Array.from({ length: 5001 }, (_, number) => `g-${number}`);
        for (let first = 0; first < users.length; first += 500)
          await Promise.all(
            users.slice(first, first + 500).map((user) => database.run(query, [comment, user, 1])),
          );
        const rows = await database.run('SELECT user FROM comment_reports WHERE comment = ?', [comment]);
        expect({ rows: rows.length }).toEqual({ rows: users.length });
      } finally {
        await database.close();
      }
    });

    test('a comment that both data centres have is told its author as replicated, and shown as that', async () => {
      await using here = await openRegion(started(), 0);
      const token = await here.rig.guest('Ada');
      const root = await posted(here, token, 'in both');
      const answer = await posted(here, await here.rig.guest('Bob'), 'below it', { parentId: root.id });
      expect({ first: root.acknowledged }).toEqual({ first: 'accepted' });
      for (const { id, text } of [root, answer]) {
        await waitUntil('its author is told', () => isTold(here, id));
        expect(await shownAt(here, id)).toEqual([{ text, acknowledged: 'replicated' }]);
      }
    });

    // Goal: nothing is called replicated that one data centre has alone. Method: the other one neither answers nor closes its connections.
    test('while the other data centre is frozen a comment stays accepted, and is told once it is back', async () => {
      const [, second] = started().centres;
      await using here = await openRegion(started(), 0);
      await second.freeze();
      try {
        const { id, text } = await posted(here, await here.rig.guest('Ada'), 'in one');
        await waitUntil('it was looked for', async () => (await here.failedReads()) > 0);
        expect({ isTold: isTold(here, id), shown: await shownAt(here, id) }).toEqual({
          isTold: false,
          shown: [{ text, acknowledged: 'accepted' }],
        });
        second.thaw();
        await waitUntil('its author is told', () => isTold(here, id), healed);
      } finally {
        second.thaw();
      }
    });
  });
}

/** It kills both data centres, one after the other. */
export function lostRegionTests(started: () => TestCassandra): void {
  // Goal: a region that is destroyed takes no comment with it whose author's page is there, and none is doubled when it comes back. Method:
  // the second region is dead when the comment is posted in the first; the first dies; the author's page sends it again to the second,
  // which is up again and has never heard of it; then the first comes back.
  test('a comment of a lost region is there again when its page sends it to another one, and is one comment after heal', async () => {
    const [first, second] = started().centres;
    await using here = await openRegion(started(), 0);
    await using there = await openRegion(started(), 1, here);
    const token = await here.rig.guest('Ada');
    const clientId = newClientId();
    await second.kill();
    const { id, receipt, acknowledged, text } = await posted(here, token, 'do not lose me', { clientId });
    expect({ acknowledged, isTold: isTold(here, id) }).toEqual({ acknowledged: 'accepted', isTold: false });
    await first.kill();
    await second.start();
    const gone = await waitFor(
      'the second region answers',
      () => shownAt(there, id),
      () => true,
      healed,
    );
    expect(gone).toEqual([]);
    const again = await waitFor(
      'the second region takes it',
      () => there.rig.post(token, text, { clientId, receipt }, newNetwork()),
      ({ status }) => status === 201,
      healed,
    );
    expect(again.body).toMatchObject({ id, text, acknowledged: 'accepted', author: { name: 'Ada' } });
    // The data centre that took over for the first region does not vouch for itself.
    const other = await takenOver(here);
    const before = await here.failedReads();
    await waitUntil('both were looked for', async () => (await here.failedReads()) > before, healed);
    expect({ again: isTold(there, id), other: isTold(here, other) }).toEqual({ again: false, other: false });
    await first.start();
    await waitUntil('authors are told', () => isTold(there, id) && isTold(here, other), healed);
    for (const region of [here, there]) {
      const shown = await waitFor(
        'both regions show it',
        () => shownAt(region, id),
        ({ length }) => length > 0,
        healed,
      );
      expect(shown.map((one) => one.text)).toEqual([text]);
    }
  });
}
