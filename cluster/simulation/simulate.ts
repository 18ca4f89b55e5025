/**
 * A seeded simulation of one region: the product's own placement, detection, succession and take-over under faults.
 *
 * S1. The same options give the same run, record for record: `traceHash` says so.
 * S2. Quiet time is skipped. Once every node is up, linked and counts nothing, every view is the newest, and every stream
 *     has its one owner, nothing but probes that succeed and commits of what is owned can happen until the next fault:
 *     nothing decides anything, so leaving it out changes no decision. Detection's memory is shorter than the 12 s that must
 *     pass first (brake 10 s, void 5 s, accusations 3 s).
 * S3. Liveness: within 150 s after the last fault the region is quiet again; a stream without an owner, or a node that is not
 *     a member again, is a violation as much as a broken invariant (simulated-log.ts).
 */
import { findMember, isLive, join } from '../membership/view.ts';
import { NodeId, StreamId } from '../model/ids.ts';
import { shake, type Shaken } from './faults.ts';
import { Lines } from './lines.ts';
import { Random } from './random.ts';
import { SimulatedLog } from './simulated-log.ts';
import { SimulatedNode, type Region } from './simulated-node.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly streams: number;
  readonly hours: number;
  /** Sabotage that must be found. */
  readonly breaks?: 'fencing';
  readonly onTrace?: (line: string) => void;
  /** Hears each simulated second in which anything may be decided. */
  readonly onSecond?: (nowMs: number) => void;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Of every note of the run. */
  readonly traceHash: string;
  readonly faults: number;
  readonly deaths: number;
  /** Streams that went from one node to another. */
  readonly moves: number;
  /** Streams of the node that owns most of them at the end. */
  readonly mostOwned: number;
  readonly events: number;
}

const hourMs = 3_600_000;
const faultsPerHour = 12;
const tickMs = 250;
const lookEveryMs = 5000;
const quietAfterMs = 12_000;
const healWithinMs = 150_000;
const maxViolations = 20;
/** Rounds of promises that one answer may set off. */
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
    this.#world = new World(this.#random, (line) => this.#note(line));
    this.#log = new SimulatedLog({
      isFenceBroken: options.breaks === 'fencing',
      violate: (what) => this.#violate(what),
      mayLose: (node, bootId) => this.#mayLose(node, bootId),
    });
    this.#streams = Array.from({ length: options.streams }, (_, index) => StreamId.parse(`s${index}`));
    const lines = new Lines(this.#log.holdings);
    const region: Region = {
      ...{ world: this.#world, log: this.#log, nodes: this.#nodes },
      lineFor: (orphan) => lines.lineFor(orphan, this.#world.view),
      onView: () => this.#spreadView(),
    };
    for (let index = 0; index < options.nodes; index += 1) {
      const id = NodeId.parse(`n${index}`);
      this.#nodes.set(id, new SimulatedNode(id, region));
    }
    const nodes = [...this.#nodes.values()];
    this.#shaken = { world: this.#world, nodes, onPublishersLost: (node) => this.#reconnect(node) };
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
      events: this.#events,
    };
  }

  /** All nodes are members, every publisher is connected somewhere, and faults are due. */
  #begin(): void {
    const nodes = this.#shaken.nodes;
    for (const node of nodes) this.#world.view = join(this.#world.view, node.member);
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

  /** S2: probes, commits and looks run while anything may be decided. */
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
      this.#violate(`S3: not quiet ${healWithinMs / 1000} s after the last fault: ${unrest}`);
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
      const counts = [...node.detector.watched.values()];
      if (counts.some(({ p1Failures }) => p1Failures > 0)) return `${node.id} counts failures`;
    }
    return this.#orphan();
  }

  /** What heals by itself at a time that was drawn does not count against the bound of S3. */
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

  /** I3: declared dead, or not that boot any more. A verdict may be overtaken by a rejoin: it stands for the old incarnation. */
  #mayLose(id: NodeId, bootId: string): boolean {
    const node = this.#nodes.get(id);
    const member = findMember(this.#world.view, id);
    if (node === undefined || node.bootId !== bootId) return true;
    return member === undefined || member.bootId !== bootId || !isLive(member) || member.incarnation > 1;
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
