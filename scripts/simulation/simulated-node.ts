/**
 * One node of the simulation: the product's detector, changes of the view, lines of succession and take-over, in a process that may
 * die or freeze, and whose wall clock may jump.
 *
 * Which node takes over which orphaned stream, and when, is a model of orphans.ts U1 and U2, without their bound.
 */
import { errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import { detectorLimits } from '../../cluster/membership/detector.ts';
import {
  declareDead,
  endedLives,
  findMember,
  forgetDead,
  isLive,
  join,
  type Life,
  type View,
} from '../../cluster/membership/view.ts';
import type { Member } from '../../cluster/membership/member-directory.ts';
import { BootId, type Epoch, type NodeId, type StreamId } from '../../cluster/model/ids.ts';
import type { IndexLog } from '../../cluster/log/index-log.ts';
import type { OwnershipStore } from '../../cluster/ownership/ownership-store.ts';
import { adoptionWaitMs } from '../../cluster/ownership/succession.ts';
import { takeOver } from '../../cluster/ownership/take-over.ts';
import { byOrdinal, type Held } from './holdings.ts';
import { SimulatedEdge, type EdgeRegion } from './simulated-edge.ts';
import type { SimulatedLog } from './simulated-log.ts';
import { SimulatedMonitor, type Monitored } from './simulated-monitor.ts';
import { SimulatedOwner } from './simulated-owner.ts';
import { logPort, storePort } from './simulated-ports.ts';
import { changeSimulatedView, viewPort } from './simulated-view.ts';
import { region, type World } from './world.ts';

export interface Region {
  readonly world: World;
  readonly log: SimulatedLog;
  readonly nodes: ReadonlyMap<NodeId, SimulatedNode>;
  /** The order in which nodes may take an orphaned stream. */
  readonly lineFor: (orphan: Held) => readonly NodeId[];
  /** The connection of its publisher that feeds each stream. */
  readonly connections: Map<StreamId, number>;
  readonly edges: EdgeRegion;
  /** The streams that a node's edge follows. */
  readonly followedBy: (node: NodeId) => readonly StreamId[];
  /** The process ends. Whoever runs it starts it again. */
  readonly onExit: (node: SimulatedNode) => void;
  /** Sabotage: fencing uses wall clocks. */
  readonly isClockTrusted: boolean;
}

const writeEveryMs = 10_000;
const retryClaimMs = 1500;
/** As in membership.nats.ts. */
const rejoins = { tries: 3, minDelayMs: 1000, jitterMs: 1000 } as const;
const forgetDeadMs = 3_600_000;
/** How long a lease lasts by wall clocks, for the sabotage. */
const leaseMs = 10_000;

export class SimulatedNode implements Monitored {
  readonly id: NodeId;
  boot = 1;
  state: Monitored['state'] = 'up';
  isLinked = true;
  inbox: (() => void)[] = [];
  /** How far the wall clock of this host is from the true time. */
  wallOffsetMs = 0;
  readonly owned = new Map<StreamId, SimulatedOwner>();
  /** The streams whose publisher is connected here. */
  readonly sessions = new Set<StreamId>();
  readonly claiming = new Set<StreamId>();
  view: View;
  monitor: SimulatedMonitor;
  #edge: SimulatedEdge;
  #bootId: BootId;
  #bootedAtMs = 0;
  #isRejoining = false;
  #records = 0;
  #passedOver = 0;
  readonly #region: Region;
  readonly #logPort: IndexLog;
  readonly #storePort: OwnershipStore;

  constructor(id: NodeId, sharedRegion: Region) {
    this.id = id;
    this.#bootId = BootId.parse(`${id}-1`);
    this.#region = sharedRegion;
    const { world, log } = sharedRegion;
    this.#logPort = logPort(world, log, this);
    this.#storePort = storePort(world, log, this);
    this.#edge = this.#newEdge();
    this.view = sharedRegion.world.view;
    this.monitor = this.#newMonitor();
  }

  get bootId(): BootId {
    return this.#bootId;
  }

  /** Counts from this boot, as each process has its own zero. */
  get monotonicMs(): number {
    return this.#region.world.nowMs - this.#bootedAtMs;
  }

  get utcMs(): number {
    return Math.round(this.#region.world.nowMs + this.wallOffsetMs);
  }

  get member(): Member {
    const { id, bootId } = this;
    const urls = { httpUrl: id, rtmpUrl: id };
    const process = { host: 'h', pid: 1, bootId, startedAt: '' };
    return { id, region, roles: ['ingest'], ...urls, ...process, weight: 1, protocol: 1 };
  }

  isAliveInView(node: NodeId, bootId: BootId): boolean {
    const { nodes, isClockTrusted } = this.#region;
    const member = findMember(this.view, node);
    const isAlive = member?.bootId === bootId && isLive(member);
    if (!isAlive || !isClockTrusted) return isAlive;
    return this.utcMs - (nodes.get(node)?.utcMs ?? this.utcMs) < leaseMs;
  }

  #newEdge(): SimulatedEdge {
    const { followedBy, edges } = this.#region;
    return new SimulatedEdge(this.id, followedBy(this.id), edges);
  }

  #newMonitor(): SimulatedMonitor {
    const { world, nodes } = this.#region;
    const declare = (life: Life): void => void this.#declareDead(life);
    return new SimulatedMonitor({ self: this, world, nodes, declareDead: declare }, this.view);
  }

  async #declareDead(life: Life): Promise<void> {
    this.#region.world.note(`${this.id} declares ${life.id} dead`);
    await this.#changeView((view) => declareDead(view, life, this.utcMs));
  }

  /** Begins a new boot: it joins, and takes up what the last boot owned (stream-actor.ts N1). */
  start(): void {
    this.boot += 1;
    this.#bootId = BootId.parse(`${this.id}-${this.boot}`);
    this.#bootedAtMs = this.#region.world.nowMs;
    this.state = 'up';
    this.inbox = [];
    this.owned.clear();
    this.claiming.clear();
    this.sessions.clear();
    this.#isRejoining = false;
    this.#edge = this.#newEdge();
    this.view = this.#region.world.view;
    this.monitor = this.#newMonitor();
    void this.#joinFirst();
  }

  /** Ends the process: what it held in memory is gone. */
  die(): void {
    this.state = 'killed';
    this.inbox = [];
    this.owned.clear();
  }

  async #joinFirst(): Promise<void> {
    const { boot } = this;
    if (await this.#join()) return;
    if (this.boot === boot) this.#later(() => this.#joinFirst());
  }

  /** Joins again after its own death was declared (membership.nats.ts J2). */
  async #rejoin(attempt = 1): Promise<void> {
    const { boot } = this;
    if ((await this.#join()) || this.boot !== boot || this.state === 'killed') return;
    if (attempt === rejoins.tries) this.#region.onExit(this);
    else this.#later(() => this.#rejoin(attempt + 1));
  }

  #later(run: () => Promise<void>): void {
    const { world } = this.#region;
    world.inProcess(this, rejoins.minDelayMs + world.random.next() * rejoins.jitterMs, () => void run());
  }

  async #join(): Promise<boolean> {
    const { boot } = this;
    const isJoined = await this.#changeView((view) => join(view, this.member));
    if (!isJoined || this.boot !== boot) return isJoined;
    this.#isRejoining = false;
    for (const { stream } of this.#region.log.holdings.heldByOthers(this.id, this.bootId)) this.claim(stream);
    return true;
  }

  /** @returns whether the answer arrived that the bucket took it */
  #changeView(transition: (view: View) => View): Promise<boolean> {
    const { world, nodes } = this.#region;
    return changeSimulatedView({ world, process: this, nodes: nodes.size }, transition);
  }

  tick(): void {
    const { world } = this.#region;
    this.monitor.feed({ kind: 'tick' });
    this.#writeSome();
    if (world.reachesNats(this)) this.#edge.read();
  }

  /**
   * Each owner writes with the same chance at each tick. What is drawn is only how many owners are passed over until the next one writes.
   */
  #writeSome(): void {
    const { random } = this.#region.world;
    const share = detectorLimits.probeEveryMs / writeEveryMs;
    if (this.#passedOver >= this.owned.size) {
      this.#passedOver -= this.owned.size;
      return;
    }
    for (const owner of this.owned.values()) {
      this.#passedOver -= 1;
      if (this.#passedOver >= 0) continue;
      owner.write();
      this.#passedOver = random.failures(share);
    }
  }

  /** Writes at once all that was waiting to be written. */
  writeAll(): void {
    for (const owner of this.owned.values()) owner.write();
  }

  /** The watch of the bucket brings a new view. */
  onView(view: View): void {
    if (view.version <= this.view.version) return;
    const before = this.view;
    this.view = view;
    this.monitor.feed({ kind: 'view', view });
    const own = findMember(view, this.id);
    if (own?.bootId === this.bootId && !isLive(own)) this.#onDeclaredDead();
    for (const gone of endedLives(before, view))
      if (gone.bootId !== this.bootId) this.#lineUp(this.#region.log.holdings.heldBy(gone.bootId));
  }

  #onDeclaredDead(): void {
    if (this.#isRejoining) return;
    const { world } = this.#region;
    world.note(`${this.id} reads that it is dead`);
    this.#isRejoining = true;
    this.owned.clear();
    this.#later(() => this.#rejoin());
  }

  /** Looks after the view, as each member does: a node that is not in it joins, and a member that has been dead for long is forgotten. */
  #check(): void {
    if (this.#isRejoining) return;
    if (findMember(this.view, this.id) === undefined) void this.#join();
    const { utcMs } = this;
    if (forgetDead(this.view, utcMs, forgetDeadMs) !== this.view)
      void this.#changeView((view) => forgetDead(view, utcMs, forgetDeadMs));
  }

  /**
   * Looks for streams whose owner is gone (orphans.ts U2), and for sessions whose owner no longer answers to that name. Those sessions
   * attach again, so that it takes up its own streams.
   */
  look(): void {
    const { log, nodes, world } = this.#region;
    if (!world.reachesNats(this)) return;
    this.#check();
    this.#lineUp(log.holdings.orphansIn(this.view));
    for (const { stream, record } of this.#concerns()) {
      const asked = nodes.get(record.owner);
      if (this.#isOwn(record) || !this.isAliveInView(record.owner, record.bootId)) this.claim(stream);
      else if (asked !== undefined) world.send(this, asked, () => asked.takeUp(stream));
    }
  }

  #isOwn({ owner, bootId }: Held['record']): boolean {
    return owner === this.id && bootId === this.bootId;
  }

  /** The streams that belong to this boot and that it does not write, and those that its sessions need others to write. */
  #concerns(): readonly Held[] {
    const { holdings } = this.#region.log;
    const concerns = holdings.heldBy(this.bootId).filter(({ stream }) => !this.owned.has(stream));
    for (const stream of this.sessions) {
      const held = holdings.of(stream);
      if (held !== undefined && !this.#isOwn(held.record)) concerns.push(held);
    }
    return concerns.toSorted(byOrdinal);
  }

  /** Attaches a session to the owner that the record names. */
  takeUp(stream: StreamId): void {
    const { record } = this.#region.log.record(stream);
    if (record?.owner === this.id) this.claim(stream);
  }

  /**
   * Waits for its place in line, and takes the stream over (orphans.ts U1). @param orphans streams whose owner is no live member in this
   * node's view
   */
  #lineUp(orphans: readonly Held[]): void {
    const { log, world, lineFor } = this.#region;
    if (!world.reachesNats(this)) return;
    for (const held of orphans) {
      const { stream, record } = held;
      if (this.sessions.has(stream)) {
        this.claim(stream);
        continue;
      }
      const place = lineFor(held).indexOf(this.id);
      if (place < 0) continue;
      world.inProcess(this, adoptionWaitMs(place), () => {
        const now = log.record(stream).record;
        if (now?.epoch === record.epoch && !this.isAliveInView(now.owner, now.bootId)) this.claim(stream);
      });
    }
  }

  /** A publisher has come. This node claims its stream, unless a living node owns it. */
  connect(stream: StreamId): void {
    const { connections } = this.#region;
    this.sessions.add(stream);
    connections.set(stream, (connections.get(stream) ?? 0) + 1);
    const { record } = this.#region.log.record(stream);
    if (record === undefined || !this.isAliveInView(record.owner, record.bootId)) this.claim(stream);
  }

  /** Asked, as in the product, before a stream is taken from a boot that this node's view does not know. */
  async #isAliveNow(node: NodeId, bootId: BootId): Promise<boolean> {
    if (this.isAliveInView(node, bootId)) return true;
    const { view } = await viewPort(this.#region.world, this).read();
    if (view !== undefined) this.onView(view);
    return this.isAliveInView(node, bootId);
  }

  /** The product's own take-over (C1), on ports that take time and lose answers. */
  claim(stream: StreamId): void {
    if (this.claiming.has(stream) || this.owned.has(stream) || this.#isRejoining) return;
    this.claiming.add(stream);
    const { boot } = this;
    const isSame = (): boolean => this.boot === boot && this.state !== 'killed';
    void this.#takeOver(stream, isSame).finally(() => {
      if (this.boot === boot) this.claiming.delete(stream);
    });
  }

  async #takeOver(stream: StreamId, isSame: () => boolean): Promise<void> {
    const { world } = this.#region;
    try {
      const { epoch, openSequence } = await takeOver(this.#logPort, this.#storePort, {
        stream,
        node: this.id,
        region,
        bootId: this.bootId,
        regionOrdinal: 0,
        reason: () => 'simulated',
        mayTakeFrom: async ({ owner, bootId }) =>
          owner === this.id || !(await this.#isAliveNow(owner, bootId)),
        utcMs: () => this.utcMs,
        newRecordId: () => this.#newRecordId(),
      });
      if (!isSame() || this.#isRejoining) return;
      world.note(`${this.id} owns ${stream} at epoch ${epoch}`);
      this.owned.set(stream, this.#newOwner(stream, epoch, openSequence));
    } catch (error) {
      const mayTryAgain = isSame() && errorCodeOf(error) !== 'NOT_OWNER' && this.sessions.has(stream);
      if (mayTryAgain) world.inProcess(this, retryClaimMs, () => this.claim(stream));
    }
  }

  #newOwner(stream: StreamId, epoch: Epoch, openSequence: number): SimulatedOwner {
    const { world, log, connections } = this.#region;
    const owner: SimulatedOwner = new SimulatedOwner(
      {
        world,
        log,
        process: this,
        stream,
        author: { epoch, node: this.id, bootId: this.bootId },
        utcMs: () => this.utcMs,
        newRecordId: () => this.#newRecordId(),
        connection: () => connections.get(stream) ?? 0,
        onFenced: () => {
          if (this.owned.get(stream) === owner) this.owned.delete(stream);
        },
      },
      openSequence,
    );
    return owner;
  }

  #newRecordId(): string {
    this.#records += 1;
    return `${this.bootId}-${this.#records}`;
  }
}
