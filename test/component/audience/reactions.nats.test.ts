/** Reactions of two nodes over a real NATS, and what remains of them in a real SQLite file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { openSqliteCommentStore } from '../../../actors/comments/store/comment-store.sqlite.ts';
import { openNatsReactionEvents } from '../../../actors/reactions/reaction-events.nats.ts';
import type { NodeReactions } from '../../../actors/reactions/reactions.ts';
import { nobody, type ReactionCounts } from '../../../cluster/contract/audience/reactions.ts';
import { subjects } from '../../../cluster/contract/subjects.ts';
import { BootId, NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { reactionsAt } from '../../support/audience/reaction-bus.ts';
import { demo } from '../../support/audience/said.ts';
import { startNats } from '../../support/cluster/start-nats.ts';

const region = RegionId.parse('eu');

// Goal: each node's pages see the taps of both, and the database has each tap once. Method: two nodes, each with a connection and a follower of
// its own; garbage on the subject between; one file.
test('taps at two nodes are one sum at both, and are kept once', async () => {
  await using nats = await startNats();
  await using closing = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-reactions-'));
  closing.defer(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'comments.sqlite');
  const store = await openSqliteCommentStore({
    file,
    clock: systemClock,
    metrics: noMetrics,
    logger: silentLogger,
  });
  closing.defer(() => store.close());
  const nodes: { connection: NatsConnection; reactions: NodeReactions; heard: ReactionCounts[] }[] = [];
  for (const node of ['n1', 'n2']) {
    const connection = await connect({ servers: nats.url });
    closing.defer(() => connection.close());
    const heard: ReactionCounts[] = [];
    const reactions = reactionsAt(openNatsReactionEvents({ connection, region, downMs: () => 0 }), {
      node,
      clock: systemClock,
      keep:
        () =>
        (...args) =>
          store.keepReactions(...args),
      ownCounts: () => new Map([[demo, { ...nobody, sockets: node === 'n1' ? 1 : 10, users: 1 }]]),
    });
    reactions.follow(demo, {
      reactions: ({ bySecond }) => void heard.push(bySecond?.['7'] ?? {}),
      viewers: () => {},
    });
    await connection.flush();
    nodes.push({ connection, reactions, heard });
  }
  nodes[0]?.connection.publish(subjects.reactions(region, demo), '{"counts":{"heart":-7}}');
  for (const { reactions } of nodes)
    for (let tap = 0; tap < 500; tap += 1) reactions.react(demo, { kind: 'heart', mediaTime: 7.5 });
  const heartsOf = (heard: readonly ReactionCounts[]): number =>
    heard.reduce((sum, { heart = 0 }) => sum + heart, 0);
  await expect
    .poll(() => {
      for (const { reactions } of nodes) reactions.endWindow();
      return nodes.map(({ heard }) => heartsOf(heard));
    })
    .toEqual(nodes.map(() => 1000));
  for (const { reactions } of nodes) await reactions.keep();
  for (const { reactions } of nodes) await reactions.keep();
  const nowMs = systemClock.utcMs();
  const minutes = await store.reactions(demo, nowMs - 600_000, nowMs + 60_000);
  expect(minutes.reduce((sum, { counts }) => sum + (counts['heart'] ?? 0), 0)).toBe(1000);
  for (const { reactions } of nodes) reactions.tell();
  for (const { reactions } of nodes)
    await expect.poll(() => reactions.countsOf(demo)).toEqual({ ...nobody, sockets: 11, users: 2 });
  for (const { reactions } of nodes) reactions.close();
});

// Goal: no number of players or streams ends a process. Method: as many sessions as an edge tells at once, of the greatest length, move over a real
// NATS, and a message that is longer than it takes is asked for.
test('as many players as may move at once are told, and what NATS does not take is not told', async () => {
  await using nats = await startNats();
  await using closing = new AsyncDisposableStack();
  const connection = await connect({ servers: nats.url });
  closing.defer(() => connection.close());
  const events = openNatsReactionEvents({ connection, region, downMs: () => 0 });
  const [edge, bootId] = [NodeId.parse('n2'), BootId.parse('b1')];
  const sessions = Array.from({ length: 20_000 }, (_, index) => `${index}`.padStart(64, 's'));
  let heard = 0;
  events.onMoved(edge, (event) => void (heard += event.sessions.length));
  const players = { takeMoved: () => new Map([[edge, sessions]]), left: () => {} };
  reactionsAt(events, { players: () => players }).endWindow();
  await expect.poll(() => heard).toBe(sessions.length);
  expect({ isTold: events.publishMoved(edge, { node: edge, bootId, sessions }) }).toEqual({ isTold: false });
});
