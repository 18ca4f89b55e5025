import { expect, test } from 'vitest';
import {
  nobody,
  type ReactionCounts,
  type ReactionSums,
} from '../../../../cluster/contract/audience/reactions.ts';
import { NodeId, StreamId } from '../../../../cluster/model/ids.ts';
import { demo } from '../../../support/audience/said.ts';
import { ReactionBus, reactionsAt } from '../../../support/audience/reaction-bus.ts';
import { JumpingClock } from '../../../support/ports/jumping-clock.ts';

const other = StreamId.parse('other');

function listener() {
  const heard: ReactionCounts[] = [];
  const viewers: number[] = [];
  return {
    heard,
    viewers,
    told: {
      reactions: ({ counts }: ReactionSums) => void heard.push(counts),
      viewers: (count: number) => void viewers.push(count),
    },
  };
}

// Goal: what it costs grows with windows, never with taps. Method: 100,000 taps at two nodes in one window.
test('taps of a window at all nodes are one sum at each, for one message of each node that had any', () => {
  const bus = new ReactionBus();
  const [first, second, idle] = ['n1', 'n2', 'n3'].map((node) => reactionsAt(bus, { node }));
  const [here, there, quiet] = [listener(), listener(), listener()];
  first?.follow(demo, here.told);
  second?.follow(demo, there.told);
  idle?.follow(demo, quiet.told);
  for (let tap = 0; tap < 100_000; tap += 1) first?.react(demo, { kind: 'heart' });
  second?.react(demo, { kind: 'clap' });
  second?.react(other, { kind: 'fire' });
  for (const node of [first, second, idle]) node?.endWindow();
  for (const node of [first, second, idle]) node?.endWindow();
  const sumOf = (heard: readonly ReactionCounts[]) => ({
    heart: heard.reduce((sum, { heart = 0 }) => sum + heart, 0),
    clap: heard.reduce((sum, { clap = 0 }) => sum + clap, 0),
    fire: heard.reduce((sum, { fire = 0 }) => sum + fire, 0),
  });
  const wanted = { heart: 100_000, clap: 1, fire: 0 };
  expect({ here: sumOf(here.heard), there: sumOf(there.heard), quiet: sumOf(quiet.heard) }).toEqual({
    here: wanted,
    there: wanted,
    quiet: wanted,
  });
  expect(bus.published).toBe(3);
});

test('a window without taps tells nothing', () => {
  const bus = new ReactionBus();
  const node = reactionsAt(bus);
  const one = listener();
  node.follow(demo, one.told);
  node.endWindow();
  expect({ heard: one.heard, published: bus.published }).toEqual({ heard: [], published: 0 });
});

test('without NATS a node still tells its own sockets', () => {
  const bus = new ReactionBus();
  bus.isAway = true;
  const node = reactionsAt(bus);
  const one = listener();
  node.follow(demo, one.told);
  node.react(demo, { kind: 'wow' });
  node.endWindow();
  expect(one.heard).toEqual([{ wow: 1 }]);
});

test('who has stopped to follow hears nothing more', () => {
  const node = reactionsAt(new ReactionBus());
  const [one, rest] = [listener(), listener()];
  const stop = node.follow(demo, one.told);
  node.follow(demo, rest.told);
  stop();
  node.react(demo, { kind: 'sad' });
  node.endWindow();
  expect({ gone: one.heard, rest: rest.heard }).toEqual({ gone: [], rest: [{ sad: 1 }] });
});

// Goal: a minute is counted whole though it is written often, and though writes fail. Method: a store that keeps the highest count of
// each source, as the real one does, and refuses the first write.
test('each minute of a stream is kept with all its reactions, also when the store refuses at first', async () => {
  const clock = new JumpingClock();
  const kept = new Map<string, unknown>();
  let refusals = 1;
  const node = reactionsAt(new ReactionBus(), {
    clock,
    keep:
      () =>
      async (stream, source, { minuteMs, counts }) => {
        if (refusals-- > 0) throw new Error('the disk is full');
        kept.set(`${stream} ${source} ${minuteMs}`, counts);
      },
  });
  node.react(demo, { kind: 'heart' });
  node.endWindow();
  await node.keep();
  await node.keep();
  expect(Object.fromEntries(kept)).toEqual({ 'demo n1.b1 0': { heart: 1 } });
  node.react(demo, { kind: 'heart' });
  node.react(demo, { kind: 'clap' });
  node.endWindow();
  await node.keep();
  clock.nowMs = 60_000;
  node.react(demo, { kind: 'heart' });
  node.endWindow();
  await node.keep();
  await node.keep();
  expect(Object.fromEntries(kept)).toEqual({
    'demo n1.b1 0': { heart: 2, clap: 1 },
    'demo n1.b1 60000': { heart: 1 },
  });
});

// Goal: numbers of a region are those of its edges that speak. Method: two nodes speak; one of them starts again; one falls silent.
test('the numbers of a region are the sum of what its edges said lately; a new life replaces the former', () => {
  const bus = new ReactionBus();
  const clock = new JumpingClock();
  const own = new Map([[demo, { players: 3, sockets: 2, users: 1, suspectedRobots: 5 }]]);
  const asking = reactionsAt(bus, { node: 'n1', clock, ownCounts: () => own });
  const says = (node: string, boot: string, sockets: number) =>
    reactionsAt(bus, {
      node,
      boot,
      clock,
      ownCounts: () => new Map([[demo, { ...nobody, sockets, suspectedRobots: 1 }]]),
    });
  const page = listener();
  asking.follow(demo, page.told);
  says('n2', 'b1', 10).tell();
  says('n3', 'b1', 100).tell();
  asking.tell();
  expect(asking.countsOf(demo)).toEqual({ players: 3, sockets: 112, users: 1, suspectedRobots: 7 });
  says('n2', 'b2', 20).tell();
  asking.tell();
  asking.tell();
  expect(asking.countsOf(demo).sockets).toBe(122);
  clock.nowMs = 8000;
  says('n2', 'b2', 20).tell();
  clock.nowMs = 13_000;
  asking.tell();
  expect(asking.countsOf(demo).sockets).toBe(22);
  expect(page.viewers).toEqual([112, 122, 22]);
});

test('very many players that move at once are told in several messages, each once', () => {
  const bus = new ReactionBus();
  const edge = NodeId.parse('n2');
  const sessions = Array.from({ length: 2500 }, (_, index) => `session-${index}`);
  const heard: (readonly string[])[] = [];
  bus.onMoved(edge, (event) => void heard.push(event.sessions));
  const players = { takeMoved: () => new Map([[edge, sessions]]), left: () => {} };
  reactionsAt(bus, { players: () => players }).endWindow();
  expect(heard.map(({ length }) => length)).toEqual([1000, 1000, 500]);
  expect(heard.flat()).toEqual(sessions);
});

// Goal: a player that moves counts at one edge. Method: a node tells whom it has taken from another; the third hears nothing.
test('an edge is told which of its players another one counts now, and nobody else is', () => {
  const bus = new ReactionBus();
  const moved = new Map([[NodeId.parse('n2'), ['one', 'two']]]);
  const gone = new Map<string, string[]>();
  for (const node of ['n1', 'n2', 'n3']) {
    const sessions: string[] = [];
    gone.set(node, sessions);
    const players = { takeMoved: () => new Map(), left: (session: string) => void sessions.push(session) };
    reactionsAt(bus, { node, players: () => players });
  }
  reactionsAt(bus, { node: 'n4', players: () => ({ takeMoved: () => moved, left: () => {} }) }).endWindow();
  expect(Object.fromEntries(gone)).toEqual({ n1: [], n2: ['one', 'two'], n3: [] });
});
