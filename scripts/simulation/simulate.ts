/**
 * A seeded simulation of one region under faults.
 *
 * These parts are the product's own: failure detection, the view and its changes by compare-and-set (up to 500 nodes), placement, lines of
 * succession, epochs, take-over, and the edges' fold of the log. These are models: NATS (world.ts, simulated-ports.ts), the owner without
 * media (simulated-owner.ts, written.ts), and when a node looks for orphans and publishers connect (simulated-node.ts). Draining, twins,
 * workers, stores and a log that goes back are left out.
 *
 * The same options give the same run, record for record, which `traceHash` shows.
 *
 * S1. Quiet time is skipped. It begins once every node is up, linked and counts nothing, every view is the newest, and every
 *     stream has its one owner. Until the next fault only probes succeed and owners commit, and nobody decides anything. So leaving
 *     that time out changes no decision. Detection remembers less than the 12 s that must pass first (brake 10 s, void 5 s,
 *     accusations 3 s).
 * S2. Liveness: within 150 s after the last fault the region is quiet again. A stream without an owner, or a node that is not
 *     a member again, is as much a violation as a broken invariant (simulated-log.ts, simulated-edge.ts).
 */
import { findMember, isLive, join } from '../../cluster/membership/view.ts';
import { NodeId, StreamId, type BootId } from '../../cluster/model/ids.ts';
import { kill, shake, type Shaken } from './faults.ts';
import { FollowedLog } from './followed-log.ts';
import { Lines } from './lines.ts';
import { Random } from './random.ts';
import type { EdgeFold, EdgeRegion } from './simulated-edge.ts';
import { SimulatedLog } from './simulated-log.ts';
import { SimulatedNode, type Region } from './simulated-node.ts';
import { World } from './world.ts';

/** `fencing`: the log accepts every append. `clock`: an owner whose wall clock is 10 s behind ours counts as gone. */
export type Sabotage = 'fencing' | 'clock';

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly streams: number;
  readonly hours: number;
  /** A sabotage that the simulation must find. */
  readonly breaks?: Sabotage;
  /** Makes the fold of an edge. It is the product's own, which belongs to the media side. */
  readonly newFold: () => EdgeFold;
  readonly onTrace?: (line: string) => void;
  /** Called for each simulated second in which anything may be decided. */
  readonly onSecond?: (nowMs: number) => void;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly string[];
  /** A hash of every note of the run. */
  readonly traceHash: string;
  readonly faults: number;
  readonly deaths: number;
  /** How many streams went from one node to another. */
  readonly moves: number;
  /** How many streams the node owns that owns most of them at the end. */
  readonly mostOwned: number;
  /** How many records edges have folded, and how many of them the fold refused. */
  readonly folded: number;
  readonly ignored: number;
  readonly events: number;
}

const hourMs = 3_600_000;
const faultsPerHour = 12;
const tickMs = 250;
const lookEveryMs = 5000;
const quietAfterMs = 12_000;
const healWithinMs = 150_000;
const maxViolations = 20;
/** How many streams have their log followed by edges, each at one edge of three. */
const maxFollowed = 8;
const followersShare = 3;
/** How many rounds of promises one answer may set off. */
const settleRounds = 24;

/** Runs one seed to its end. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #world: World;
  readonly #log: SimulatedLog;
  readonly #nodes = new Map<NodeId, SimulatedNode>();
  readonly #streams: readonly StreamId[];
  readonly #violations: string[] = [];
  readonly #edges: EdgeRegion;
  readonly #shaken: Shaken;
  #hash = 0x811c9dc5;
  #isActive = false;
  #shakenAtMs = 0;
  #faults = 0;
  #deaths = 0;
  #events = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#world = new World(
      this.#random,
      (line) => this.#note(line),
      () => this.#spreadView(),
    );
    this.#log = new SimulatedLog({
      isFenceBroken: options.breaks === 'fencing',
      violate: (what) => this.#violate(what),
      nowMs: () => this.#world.nowMs,
      mayLose: (node, bootId, wonAtMs) => this.#mayLose(node, bootId, wonAtMs),
    });
    this.#streams = Array.from({ length: options.streams }, (_, index) => StreamId.parse(`s${index}`));
    const followed = this.#streams.slice(0, maxFollowed);
    for (const stream of followed) this.#log.followed.set(stream, new FollowedLog());
    this.#edges = {
      log: this.#log,
      newFold: options.newFold,
      published: new Map(),
      counts: { folded: 0, ignored: 0 },
      violate: (what) => this.#violate(what),
    };
    this.#shaken = {
      world: this.#world,
      nodes: this.#makeNodes(followed),
      onPublishersLost: (node) => this.#reconnect(node),
    };
  }

  #makeNodes(followed: readonly StreamId[]): readonly SimulatedNode[] {
    const lines = new Lines(this.#log.holdings);
    const ids = Array.from({ length: this.#options.nodes }, (_, index) => NodeId.parse(`n${index}`));
    const isFollower = (node: NodeId, stream: number): boolean =>
      (ids.indexOf(node) + stream) % Math.min(followersShare, ids.length) === 0;
    const region: Region = {
      world: this.#world,
      log: this.#log,
      nodes: this.#nodes,
      edges: this.#edges,
      connections: new Map(),
      isClockTrusted: this.#options.breaks === 'clock',
      lineFor: (orphan) => lines.lineFor(orphan, this.#world.view),
      followedBy: (node) => followed.filter((_, index) => isFollower(node, index)),
      onExit: (node) => kill(this.#shaken, node, 'it cannot rejoin'),
    };
    for (const id of ids) this.#nodes.set(id, new SimulatedNode(id, region));
    return [...this.#nodes.values()];
  }

  async run(): Promise<SimulationResult> {
    this.#begin();
    const { agenda } = this.#world;
    const endMs = this.#options.hours * hourMs;
    while (this.#violations.length < maxViolations && (this.#isActive || agenda.nextMs <= endMs)) {
      if (!agenda.step()) break;
      this.#events += 1;
      if (!this.#world.hasSettled) continue;
      this.#world.hasSettled = false;
      for (let round = 0; round < settleRounds; round += 1) await Promise.resolve();
    }
    return {
      seed: this.#options.seed,
      violations: this.#violations,
      traceHash: (this.#hash >>> 0).toString(16).padStart(8, '0'),
      faults: this.#faults,
      deaths: this.#deaths,
      moves: this.#log.moves,
      mostOwned: Math.max(0, ...this.#log.holdings.loads.values()),
      ...this.#edges.counts,
      events: this.#events,
    };
  }

  /** All nodes are members, every publisher is connected somewhere, and the first faults are planned. */
  #begin(): void {
    const nodes = this.#shaken.nodes;
    this.#world.beginWith(nodes.reduce((view, node) => join(view, node.member), this.#world.view));
    for (const node of nodes) node.onView(this.#world.view);
    for (const stream of this.#streams) this.#random.pick(nodes)?.connect(stream);
    this.#scheduleFault();
    this.#activate();
  }

  #scheduleFault(): void {
    const meanMs = hourMs / faultsPerHour;
    this.#world.agenda.after(this.#random.between(0.2, 1.8) * meanMs, () => {
      this.#faults += 1;
      this.#activate();
      shake(this.#shaken);
      this.#scheduleFault();
    });
  }

  /** Lets probes, commits and looks run while anything may be decided (S1). */
  #activate(): void {
    this.#shakenAtMs = this.#world.nowMs;
    if (this.#isActive) return;
    this.#isActive = true;
    const { agenda } = this.#world;
    for (const node of this.#shaken.nodes) {
      agenda.after(this.#random.between(0, tickMs), () => this.#tick(node));
      agenda.after(this.#random.between(0, lookEveryMs), () => this.#look(node));
    }
    agenda.after(1000, () => this.#judgeQuiet());
  }

  #tick(node: SimulatedNode): void {
    if (!this.#isActive) return;
    if (node.state === 'up') node.tick();
    this.#world.agenda.after(tickMs, () => this.#tick(node));
  }

  #look(node: SimulatedNode): void {
    if (!this.#isActive) return;
    if (node.state === 'up') node.look();
    this.#world.agenda.after(lookEveryMs, () => this.#look(node));
  }

  #judgeQuiet(): void {
    this.#options.onSecond?.(this.#world.nowMs);
    const sinceMs = this.#world.nowMs - this.#shakenAtMs;
    const unrest = sinceMs < quietAfterMs ? 'a fault' : this.#unrest();
    if (unrest === undefined) {
      this.#world.note('quiet');
      this.#isActive = false;
      return;
    }
    if (sinceMs > healWithinMs) {
      this.#violate(`S2: not quiet ${healWithinMs / 1000} s after the last fault: ${unrest}`);
      this.#isActive = false;
      return;
    }
    this.#world.agenda.after(1000, () => this.#judgeQuiet());
  }

  /** What still keeps the region from being quiet. */
  #unrest(): string | undefined {
    const { natsDownUntilMs, writesRefusedUntilMs, nowMs, cutHttp, cutNats, view } = this.#world;
    if (nowMs < Math.max(natsDownUntilMs, writesRefusedUntilMs) + quietAfterMs)
      return this.#wait('NATS is down');
    if (cutHttp.size + cutNats.size > 0) return this.#wait('a cut');
    for (const node of this.#shaken.nodes) {
      if (node.state !== 'up' || !node.isLinked) return this.#wait(`${node.id} is ${node.state}`);
      const member = findMember(view, node.id);
      if (member?.bootId !== node.bootId || !isLive(member)) return `${node.id} is no member`;
      if (node.view.version !== view.version) return `${node.id} has an old view`;
      if (node.claiming.size > 0) return `${node.id} claims ${[...node.claiming].join(', ')}`;
      const counts = [...node.monitor.detector.watched.values()];
      if (counts.some(({ p1Failures }) => p1Failures > 0)) return `${node.id} counts failures`;
    }
    return this.#orphan();
  }

  /** Waiting for what heals by itself at a time that was drawn does not count against the bound (S2). */
  #wait(why: string): string {
    this.#shakenAtMs = this.#world.nowMs - quietAfterMs;
    return why;
  }

  #orphan(): string | undefined {
    const owners = new Map<StreamId, NodeId[]>();
    for (const node of this.#shaken.nodes)
      for (const stream of node.owned.keys()) owners.set(stream, [...(owners.get(stream) ?? []), node.id]);
    for (const stream of this.#streams) {
      const found = owners.get(stream) ?? [];
      if (found.length !== 1)
        return `${stream} is owned by ${found.length === 0 ? 'nobody' : found.join(', ')}`;
    }
    return undefined;
  }

  #reconnect(node: SimulatedNode): void {
    const streams = [...node.sessions];
    node.sessions.clear();
    for (const stream of streams)
      this.#world.agenda.after(this.#random.between(500, 3000), () => this.#connectAnywhere(stream));
  }

  #connectAnywhere(stream: StreamId): void {
    const up = this.#shaken.nodes.filter(({ state }) => state === 'up');
    const node = this.#random.pick(up);
    if (node === undefined) this.#world.agenda.after(1000, () => this.#connectAnywhere(stream));
    else node.connect(stream);
  }

  #spreadView(): void {
    const { view } = this.#world;
    this.#deaths += 1;
    for (const node of this.#shaken.nodes) {
      this.#world.inProcess(node, this.#world.delayMs(), () => {
        if (this.#world.reachesNats(node)) node.onView(view);
      });
    }
  }

  /** True when another boot runs there, or the life is over in which it won the record (simulated-log.ts I3). */
  #mayLose(id: NodeId, bootId: BootId, wonAtMs: number): boolean {
    return this.#nodes.get(id)?.bootId !== bootId || !this.#world.isInLifeOf(id, bootId, wonAtMs);
  }

  #violate(what: string): void {
    this.#note(`${this.#world.nowMs.toFixed(1)} VIOLATION ${what}`);
    if (this.#violations.length < maxViolations)
      this.#violations.push(`at ${(this.#world.nowMs / 1000).toFixed(1)} s: ${what}`);
  }

  #note(line: string): void {
    for (let index = 0; index < line.length; index += 1)
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(index), 0x01000193);
    this.#options.onTrace?.(line);
  }
}
