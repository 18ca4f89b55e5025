/** The feeds of two nodes over a real nats-server and one SQLite file (A7, A8). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openNatsAudienceEvents } from '../../../actors/comments/feed/audience-events.nats.ts';
import { openSqliteCommentStore } from '../../../actors/comments/store/comment-store.sqlite.ts';
import { connectNats } from '../../../cluster/nats/connection.nats.ts';
import { silentLogger as logger } from '../../../cluster/observe/logger.ts';
import { noMetrics as metrics } from '../../../cluster/observe/metrics.ts';
import { BootId, NodeId } from '../../../cluster/model/ids.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { FeedNode, FeedPage } from '../../support/audience/feed-node.ts';
import { startNats } from '../../support/cluster/start-nats.ts';
import { region } from '../../support/ports/records.ts';
import { commentStream, storedComment } from '../../support/ports/stores/stored-comments.ts';
import { waitUntil } from '../../support/wait.ts';

async function startRegion() {
  await using opened = new AsyncDisposableStack();
  const nats = opened.use(await startNats());
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-feed-'));
  opened.defer(() => rm(folder, { recursive: true }));
  const file = join(folder, 'comments.sqlite');
  const startNode = async (name: string) => {
    const connected = await connectNats({ servers: [nats.url], name, clock, logger, metrics });
    opened.defer(() => connected.close());
    const { connection, downMs } = connected;
    const store = await openSqliteCommentStore({ file, clock, metrics, logger });
    opened.defer(() => store.close());
    const self = { node: NodeId.parse(name), bootId: BootId.parse('b1') };
    const events = openNatsAudienceEvents({ self, connection, region, clock, downMs });
    const node = new FeedNode({ name, clock, store, events });
    opened.defer(clock.every(1000, () => node.feed.tick()));
    opened.defer(() => node.feed.close());
    return { node, store, isDown: () => downMs() > 0 };
  };
  const [one, two] = [await startNode('n1'), await startNode('n2')];
  const pages = [new FeedPage(one.node.feed), new FeedPage(two.node.feed)] as const;
  for (const page of pages) await page.resume();
  const opening = opened.move();
  return { nats, one, two, pages, [Symbol.asyncDispose]: () => opening.disposeAsync() };
}

let numbers = 0;
/** A comment of now. */
function comment() {
  numbers += 1;
  return storedComment({ atMs: Date.now(), number: numbers });
}

test('a comment at one node is told at the other, and so is what happens to it', async () => {
  await using running = await startRegion();
  const { one, two, pages } = running;
  const said = comment();
  await one.node.post(said);
  await waitUntil('both pages show it', () => pages.every(({ shown }) => shown.includes(said.id)));
  await two.node.hide(said.id, true);
  await waitUntil('no page shows it', () => pages.every(({ shown }) => !shown.includes(said.id)));
  await one.node.hide(said.id, false);
  await waitUntil('both show it again', () => pages.every(({ shown }) => shown.includes(said.id)));
  const mode = { mode: 'closed', slowSeconds: 0 } as const;
  two.node.feed.told({ kind: 'mode', streamId: commentStream, mode });
  await waitUntil('both know the mode', () =>
    pages.every(({ messages }) => messages.some((message) => message.type === 'mode')),
  );
  expect({ told: pages.map(({ added }) => added) }).toEqual({ told: [[said.id], [said.id]] });
});

test('that another region has a comment is told at every node, so also to an author whose socket is at another edge than where they posted', async () => {
  await using running = await startRegion();
  const { one, pages } = running;
  const { id, streamId, clientId, author } = comment();
  one.node.feed.told({ kind: 'replicated', streamId, comments: [{ id, clientId, authorId: author.id }] });
  await waitUntil('both are told', () => pages.every(({ replicated }) => replicated.includes(id)));
});

test('a mode that nobody told is read from the store', async () => {
  await using running = await startRegion();
  const { one, pages } = running;
  await one.store.setMode(commentStream, { mode: 'accounts', slowSeconds: 7 }, Date.now());
  await waitUntil('both know it', () =>
    pages.every(({ messages }) => messages.some((one) => one.type === 'mode' && one.mode.slowSeconds === 7)),
  );
});

// Goal: comments go on without NATS, and nothing is lost or doubled when it is back. Method: comments at both nodes before, while
// and after the server is dead; then one of them is hidden while it is dead again.
test('while NATS is dead both nodes read the store, and with it back each page has each comment once', async () => {
  await using running = await startRegion();
  const { nats, one, two, pages } = running;
  const said: string[] = [];
  const postAtBoth = async (): Promise<void> => {
    for (const { node } of [one, two]) {
      const next = comment();
      await node.post(next);
      said.push(next.id);
    }
  };
  const areToldAll = (): boolean =>
    pages.every(({ added }) => said.every((id) => added.some((it) => it === id)));
  await postAtBoth();
  await nats.kill();
  await waitUntil('both have noticed', () => one.isDown() && two.isDown());
  for (let times = 0; times < 5; times += 1) await postAtBoth();
  await waitUntil('both pages are told without NATS', areToldAll);
  await nats.restart();
  await postAtBoth();
  await waitUntil('both are back', () => !one.isDown() && !two.isDown());
  await postAtBoth();
  await waitUntil('both pages are told of all', areToldAll);
  expect({ told: pages.map(({ added }) => added.toSorted()) }).toEqual({
    told: [said.toSorted(), said.toSorted()],
  });
  const moved = new FeedPage(two.node.feed);
  const { resume } = await moved.resume({ lastAtMs: Date.now() - 60_000 });
  expect({ resume, order: moved.added }).toEqual({ resume: 'complete', order: said.toSorted() });
});

// Goal: what a node had acknowledged and not told when it died is not lost. Method: it adds to the store and says nothing; the other
// learns of its death.
test('what a node accepted and did not tell before it died is found at its death', async () => {
  await using running = await startRegion();
  const { one, two, pages } = running;
  const said = comment();
  await one.store.add(said, { isHeld: false, nowMs: Date.now() });
  two.node.tellDeathOf(one.node);
  await waitUntil('the page of the other shows it', () => pages[1].shown.includes(said.id));
});
