/**
 * What goes wrong in a simulated hour, drawn from the seed: kills, freezes, cuts, elections, lost servers, clocks that jump. Each fault
 * heals.
 */
import type { SimulatedNode } from './simulated-node.ts';
import type { World } from './world.ts';

export interface Shaken {
  readonly world: World;
  readonly nodes: readonly SimulatedNode[];
  /** The publishers of a node lost their connections. They connect elsewhere after a while. */
  readonly onPublishersLost: (node: SimulatedNode) => void;
}

type Fault = (shaken: Shaken) => void;

const seconds = (count: number): number => count * 1000;

/** Ends the process, which is started again after a while. */
export function kill({ world, onPublishersLost }: Shaken, node: SimulatedNode, why = 'fault'): void {
  if (node.state === 'killed') return;
  world.note(`${why}: ${node.id} is killed`);
  node.die();
  onPublishersLost(node);
  world.agenda.after(world.random.between(seconds(2), seconds(25)), () => {
    world.note(`heal: ${node.id} starts again`);
    node.start();
  });
}

const killOne: Fault = (shaken) => {
  const node = shaken.world.random.pick(shaken.nodes);
  if (node !== undefined) kill(shaken, node);
};

/** Kills several nodes at once, sometimes more than the brake lets through. */
const killMany: Fault = (shaken) => {
  const share = shaken.world.random.between(0.1, 0.6);
  for (const node of shaken.nodes) if (shaken.world.random.chance(share)) kill(shaken, node);
};

const freeze: Fault = ({ world, nodes, onPublishersLost }) => {
  const node = world.random.pick(nodes);
  if (node?.state !== 'up') return;
  world.note(`fault: ${node.id} freezes`);
  node.state = 'frozen';
  const { boot } = node;
  const frozenMs = world.random.between(200, seconds(20));
  world.agenda.after(seconds(4), () => {
    if (node.boot === boot && node.state === 'frozen') onPublishersLost(node);
  });
  world.agenda.after(frozenMs, () => {
    if (node.boot !== boot || node.state !== 'frozen') return;
    world.note(`heal: ${node.id} thaws`);
    node.state = 'up';
    const waiting = node.inbox;
    node.inbox = [];
    // After a freeze, timers and sockets become ready together. Either may come first.
    const isTimerFirst = world.random.chance(0.5);
    if (isTimerFirst) node.writeAll();
    node.monitor.feed({ kind: 'lagged' });
    for (const run of waiting) run();
  });
};

const unlink: Fault = ({ world, nodes }) => {
  const node = world.random.pick(nodes);
  if (node === undefined || !node.isLinked) return;
  world.note(`fault: ${node.id} loses NATS`);
  node.isLinked = false;
  world.agenda.after(world.random.between(500, seconds(40)), () => {
    world.note(`heal: ${node.id} has NATS again`);
    node.isLinked = true;
    welcomeBack(world, node);
  });
};

/** The node hears of a new view some time after it can write again. */
function welcomeBack(world: World, node: SimulatedNode): void {
  node.monitor.feed({ kind: 'reconnected' });
  node.writeAll();
  world.inProcess(node, world.random.between(0, 300), () => node.onView(world.view));
}

/** Cuts both paths to one node. It lives, and must be declared dead all the same. */
const isolate: Fault = (shaken) => {
  const { world, nodes } = shaken;
  const node = world.random.pick(nodes);
  if (node === undefined) return;
  cutPairs(world, nodes, (other) => [`${other.id}>${node.id}`, `${node.id}>${other.id}`]);
  world.note(`fault: ${node.id} is isolated`);
};

/** Loses the messages between some pairs in one direction, over NATS, HTTP or both. */
const oneWay: Fault = ({ world, nodes }) => {
  const node = world.random.pick(nodes);
  if (node === undefined) return;
  const isTo = world.random.chance(0.5);
  const share = world.random.next();
  world.note(`fault: a one-way cut ${isTo ? 'to' : 'from'} ${node.id}`);
  cutPairs(world, nodes, (other) => {
    if (!world.random.chance(share)) return [];
    return [isTo ? `${other.id}>${node.id}` : `${node.id}>${other.id}`];
  });
};

function cutPairs(
  world: World,
  nodes: readonly SimulatedNode[],
  pairsOf: (other: SimulatedNode) => readonly string[],
): void {
  const pairs = nodes.flatMap(pairsOf);
  const isNats = world.random.chance(0.7);
  const isHttp = !isNats || world.random.chance(0.5);
  for (const pair of pairs) {
    if (isNats) world.cutNats.add(pair);
    if (isHttp) world.cutHttp.add(pair);
  }
  world.agenda.after(world.random.between(seconds(1), seconds(30)), () => {
    world.note('heal: a cut is mended');
    for (const pair of pairs) {
      world.cutNats.delete(pair);
      world.cutHttp.delete(pair);
    }
  });
}

/** Killing the leader of three servers stops writes for over five seconds (tried). */
const election: Fault = ({ world }) => {
  const ms = world.random.between(seconds(3), seconds(6));
  world.note(`fault: an election of ${Math.round(ms)} ms`);
  world.writesRefusedUntilMs = Math.max(world.writesRefusedUntilMs, world.nowMs + ms);
};

const loseNats: Fault = ({ world, nodes }) => {
  const ms = world.random.between(500, seconds(60));
  world.note(`fault: NATS is down for ${Math.round(ms)} ms`);
  world.natsDownUntilMs = Math.max(world.natsDownUntilMs, world.nowMs + ms);
  world.agenda.after(ms, () => {
    for (const node of nodes) {
      if (node.state === 'up') welcomeBack(world, node);
    }
  });
};

/** Sets a wall clock forward or back by a second to two hours, and right again after a while. No fencing may depend on it. */
const jumpClock: Fault = ({ world, nodes }) => {
  const node = world.random.pick(nodes);
  if (node === undefined) return;
  const jumpMs = seconds(7200 ** world.random.next()) * (world.random.chance(0.5) ? 1 : -1);
  world.note(`fault: the wall clock of ${node.id} jumps by ${Math.round(jumpMs)} ms`);
  node.wallOffsetMs += jumpMs;
  world.agenda.after(world.random.between(seconds(5), seconds(60)), () => {
    world.note(`heal: the wall clock of ${node.id} is set right`);
    node.wallOffsetMs -= jumpMs;
  });
};

const faults: readonly Fault[] = [
  killOne,
  killOne,
  killMany,
  freeze,
  freeze,
  unlink,
  isolate,
  oneWay,
  election,
  loseNats,
  jumpClock,
];

/** Makes one fault, and sometimes a second one on top of it. */
export function shake(shaken: Shaken): void {
  const { world } = shaken;
  world.random.pick(faults)?.(shaken);
  if (!world.random.chance(0.3)) return;
  world.agenda.after(world.random.between(0, seconds(10)), () => world.random.pick(faults)?.(shaken));
}
