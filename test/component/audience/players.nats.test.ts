/** Players at two real edges over a real NATS: each is one, by the session that steering gives it, wherever it asks. */
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openNatsReactionEvents } from '../../../actors/reactions/reaction-events.nats.ts';
import type { NodeReactions } from '../../../actors/reactions/reactions.ts';
import type { AudiencePorts } from '../../../cluster/contract/audience/audience-feed.ts';
import { nobody, type AudienceCounts } from '../../../cluster/contract/audience/reactions.ts';
import { NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startAudienceEdge, type AudienceEdge } from '../../support/audience/audience-edge.ts';
import { MemoryAudienceFeed } from '../../support/audience/memory-audience-feed.ts';
import { welcomedPage } from '../../support/audience/page-socket.ts';
import { reactionsAt } from '../../support/audience/reaction-bus.ts';
import { demo } from '../../support/audience/said.ts';
import { startNats } from '../../support/cluster/start-nats.ts';

const region = RegionId.parse('eu');
const nodes = ['n1', 'n2'].map((id) => NodeId.parse(id));

interface CountingEdge {
  readonly edge: AudienceEdge;
  readonly reactions: NodeReactions;
}

interface Edges extends AsyncDisposable {
  readonly all: readonly CountingEdge[];
  /** What each tells of the demo, once it has told the other its own. */
  readonly counts: () => Promise<readonly AudienceCounts[]>;
}

/** Two edges of one region that tell each other their numbers. */
async function startEdges(): Promise<Edges> {
  const closing = new AsyncDisposableStack();
  const nats = closing.use(await startNats());
  const edges = nodes.map((id) => ({ id, region, baseUrl: `http://${id}.test` }));
  const all: CountingEdge[] = [];
  for (const node of nodes) {
    const connection = await connect({ servers: nats.url });
    closing.defer(() => connection.close());
    const audience: AudiencePorts = { feed: new MemoryAudienceFeed() };
    const reactions = reactionsAt(openNatsReactionEvents({ connection, region, downMs: () => 0 }), {
      node,
      clock: systemClock,
      ownCounts: () => audience.ownCounts?.() ?? new Map(),
      players: () => audience.players,
    });
    audience.reactions = reactions;
    await connection.flush();
    const listEdges = () => ({ revision: 1, edges });
    all.push({ edge: closing.use(await startAudienceEdge({ node, listEdges, audience })), reactions });
  }
  const counts = async () => {
    for (const { reactions } of all) reactions.endWindow();
    for (const { reactions } of all) reactions.tell();
    return all.map(({ reactions }) => reactions.countsOf(demo));
  };
  return { all, counts, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

const Reply = z.object({ 'RELOAD-URI': z.string() });

/** A player that plays from n1. */
class Player {
  /** What it brings to the edge that it asks the next time. */
  #query = '?';

  /** Asks an edge, as its reply or a front leads it there. */
  async ask({ edge }: CountingEdge, more = ''): Promise<void> {
    const reply = await fetch(`${edge.url}/live/demo/steering${this.#query}&_DASH_pathway=%22n1%22${more}`);
    this.#query = new URL(Reply.parse(await reply.json())['RELOAD-URI']).search;
  }
}

const players = (count: number): AudienceCounts => ({ ...nobody, players: count });

// Goal: a region's players are exact. Method: three players that ask one edge, come back to the other, and move; then one leaves and one is
// asked for by somebody who only looks.
test('a player counts once it comes back, and as one whichever edge it asks', async () => {
  await using edges = await startEdges();
  const [first, second] = edges.all;
  if (first === undefined || second === undefined) throw new Error('there are two edges');
  const three = [new Player(), new Player(), new Player()];
  for (const player of three) await player.ask(first);
  expect(await edges.counts()).toEqual([nobody, nobody]);
  for (const player of three) await player.ask(second);
  await expect.poll(edges.counts).toEqual([players(3), players(3)]);
  for (const player of three) await player.ask(first);
  await expect.poll(edges.counts).toEqual([players(3), players(3)]);
  for (const player of three) await player.ask(second);
  await expect.poll(edges.counts).toEqual([players(3), players(3)]);
  expect(await first.edge.metric('tangaza_stream_players')).toBe(0);
  expect(await second.edge.metric('tangaza_stream_players')).toBe(3);
  await new Player().ask(first);
  await three[0]?.ask(first, '&leaves=true');
  await expect.poll(edges.counts).toEqual([players(2), players(2)]);
});

test('sessions that are made up are no players of another edge, and none that is no session is taken', async () => {
  await using edges = await startEdges();
  const [first] = edges.all;
  const url = `${first?.edge.url}/live/demo/steering?_HLS_pathway=.&session=`;
  expect((await fetch(`${url}made-up-session&counted=n9`)).status).toBe(200);
  expect((await fetch(`${url}no%20session`)).status).toBe(400);
  await expect.poll(edges.counts).toEqual([players(1), players(1)]);
});

// Goal: a broadcast that is over has no audience. Method: a player and a socket at one edge; the log tells both edges of the end; then it begins anew.
test('all numbers are 0 once a broadcast has ended, though pages stay, and count again when it goes on', async () => {
  await using edges = await startEdges();
  const [first] = edges.all;
  if (first === undefined) throw new Error('there is an edge');
  const broadcast = await first.edge.broadcast(1);
  await using page = await welcomedPage(first.edge.url);
  const player = new Player();
  await player.ask(first);
  await player.ask(first);
  await expect.poll(edges.counts).toEqual(nodes.map(() => ({ ...players(1), sockets: 1 })));
  await broadcast.end();
  await expect.poll(edges.counts).toEqual([nobody, nobody]);
  await using late = await welcomedPage(first.edge.url);
  expect(late.heard.find(({ type }) => type === 'welcome')).toMatchObject({ viewers: 0 });
  await broadcast.reopen();
  await broadcast.commit(1);
  await expect.poll(edges.counts).toEqual(nodes.map(() => ({ ...players(1), sockets: 2 })));
  expect(page.socket.readyState).toBe(page.socket.OPEN);
});
