/** One node in the simulator: the product's detector, succession and take-over, on a process that may die or freeze. */
import { errorCodeOf } from '../errors/tangaza-error.ts';
import {
  advance,
  createDetector,
  detectorLimits,
  type Detector,
  type DetectorInput,
} from '../membership/detector.ts';
import {
  declareDead,
  endedLives,
  findMember,
  isLive,
  join,
  type Life,
  type View,
} from '../membership/view.ts';
import type { Member } from '../membership/member-directory.ts';
import { BootId, type Epoch, type NodeId, type StreamId } from '../model/ids.ts';
import { unreachable } from '../model/unreachable.ts';
import type { IndexLog } from '../ownership/index-log.ts';
import type { OwnershipStore } from '../ownership/ownership-store.ts';
import { adoptionWaitMs } from '../ownership/succession.ts';
import { takeOver } from '../ownership/take-over.ts';
import { byOrdinal, type Held } from './holdings.ts';
import type { LogRecord, SimulatedLog } from './simulated-log.ts';
import { logPort, region, storePort } from './simulated-ports.ts';
import { isCut, lossShare, type Process, type World } from './world.ts';

export interface Region {
  readonly world: World;
  readonly log: SimulatedLog;
  readonly nodes: ReadonlyMap<NodeId, SimulatedNode>;
  /** In which order nodes stand for an orphaned stream. */
  readonly lineFor: (orphan: Held) => readonly NodeId[];
  /** The view was changed by compare-and-set. */
  readonly onView: () => void;
}

interface Owned {
  readonly epoch: Epoch;
  sequence: number;
  number: number;
  isAppending: boolean;
}

const commitEveryMs = 10_000;
const retryClaimMs = 1500;

export class SimulatedNode implements Process {
  readonly id: NodeId;
  boot = 1;
  state: Process['state'] = 'up';
  isLinked = true;
  inbox: (() => void)[] = [];
  readonly owned = new Map<StreamId, Owned>();
  /** Streams whose publisher is connected here. */
  readonly sessions = new Set<StreamId>();
  readonly claiming = new Set<StreamId>();
  view: View;
  detector: Detector;
  #bootId: BootId;
  #isRejoining = false;
  #records = 0;
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
    this.view = sharedRegion.world.view;
    this.detector = createDetector(id, this.view);
  }

  get bootId(): BootId {
    return this.#bootId;
  }

  get member(): Member {
    const { id, bootId } = this;
    return {
      ...{ id, region, host: 'h', pid: 1, bootId, roles: ['ingest'], httpUrl: id, rtmpUrl: id },
      ...{ startedAt: '', weight: 1, protocol: 1 },
    };
  }

  isAliveInView(node: NodeId, bootId: BootId): boolean {
    const member = findMember(this.view, node);
    return member?.bootId === bootId && isLive(member);
  }

  /** A new boot: joins, and takes up what the last one owned (N4). */
  start(): void {
    this.boot += 1;
    this.#bootId = BootId.parse(`${this.id}-${this.boot}`);
    this.state = 'up';
    this.inbox = [];
    this.owned.clear();
    this.claiming.clear();
    this.sessions.clear();
    this.#isRejoining = false;
    this.view = this.#region.world.view;
    this.detector = createDetector(this.id, this.view);
    this.#join();
  }

  #join(): void {
    const { world, log } = this.#region;
    if (!this.changeView((view) => join(view, this.member)))
      return world.inProcess(this, world.random.between(1000, 2000), () => this.#join());
    this.#isRejoining = false;
    for (const { stream } of log.holdings.heldByOthers(this.id, this.bootId)) this.claim(stream);
  }

  /** @returns whether the bucket took it */
  changeView(transition: (view: View) => View): boolean {
    const { world, onView } = this.#region;
    if (!world.takesWrites(this)) return false;
    const after = transition(world.view);
    if (after === world.view) return true;
    world.view = after;
    onView();
    return true;
  }

  tick(): void {
    this.feed({ kind: 'tick' });
    const isDue = (): boolean =>
      this.#region.world.random.chance(detectorLimits.probeEveryMs / commitEveryMs);
    for (const [stream, owned] of this.owned) if (isDue()) this.#commit(stream, owned);
  }

  /** What was waiting to be written goes out at once. */
  commitAll(): void {
    for (const [stream, owned] of this.owned) this.#commit(stream, owned);
  }

  feed(input: DetectorInput): void {
    const { world } = this.#region;
    const { detector, effects } = advance(this.detector, input, world.nowMs);
    this.detector = detector;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'probe':
          this.#probe(effect.path, effect.member);
          break;
        case 'tell':
          for (const other of this.#region.nodes.values())
            if (other !== this)
              world.send(this, other, () =>
                other.feed({ kind: 'accusation', accusation: effect.accusation }),
              );
          break;
        case 'declareDead':
          world.note(`${this.id} declares ${effect.life.id} dead`);
          this.changeView((view) => declareDead(view, effect.life, world.nowMs));
          break;
        default:
          unreachable(effect);
      }
    }
  }

  #probe(path: 'p1' | 'p2', life: Life): void {
    const target = this.#region.nodes.get(life.id);
    if (path === 'p1') this.#probeP1(target, life);
    else this.#probeP2(target, life);
  }

  #probeP1(target: SimulatedNode | undefined, life: Life): void {
    const { world } = this.#region;
    const isThatBoot = target !== undefined && target.state !== 'killed' && target.bootId === life.bootId;
    if (isThatBoot && target.state === 'up' && this.#isHeardBy(target))
      return this.feed({ kind: 'p1', life, isOk: true });
    const afterMs = isThatBoot ? detectorLimits.p1TimeoutMs : world.delayMs();
    world.inProcess(this, afterMs, () => this.feed({ kind: 'p1', life, isOk: false }));
  }

  /** A request over NATS, and its answer. */
  #isHeardBy(target: SimulatedNode): boolean {
    const { world } = this.#region;
    const { cutNats } = world;
    const isReached =
      world.reachesNats(this) &&
      world.reachesNats(target) &&
      !isCut(cutNats, this.id, target.id) &&
      !isCut(cutNats, target.id, this.id);
    return isReached && !world.random.chance(lossShare);
  }

  #probeP2(target: SimulatedNode | undefined, life: Life): void {
    const { world } = this.#region;
    const state = isCut(world.cutHttp, this.id, life.id) ? 'frozen' : target?.state;
    const result = state === 'killed' ? 'refused' : state === 'up' ? 'ok' : 'timedOut';
    const afterMs = result === 'timedOut' ? detectorLimits.p2TimeoutMs : 1;
    world.inProcess(this, afterMs, () => this.feed({ kind: 'p2', life, result }));
  }

  /** The bucket's watch tells of a new view. */
  onView(view: View): void {
    if (view.version <= this.view.version) return;
    const before = this.view;
    this.view = view;
    this.feed({ kind: 'view', view });
    const own = findMember(view, this.id);
    if (own?.bootId === this.bootId && !isLive(own)) this.#onDeclaredDead();
    for (const gone of endedLives(before, view))
      if (gone.bootId !== this.bootId) this.#mourn(this.#region.log.holdings.heldBy(gone.bootId));
  }

  #onDeclaredDead(): void {
    if (this.#isRejoining) return;
    const { world } = this.#region;
    world.note(`${this.id} reads that it is dead`);
    this.#isRejoining = true;
    this.owned.clear();
    world.inProcess(this, world.random.between(1000, 2000), () => this.#join());
  }

  /** O4, and sessions whose owner does not answer to that name: they attach again, which makes it take up what is its own. */
  look(): void {
    const { log, nodes, world } = this.#region;
    if (!world.reachesNats(this)) return;
    this.#mourn(log.holdings.orphansIn(this.view));
    for (const { stream, record } of this.#concerns()) {
      const asked = nodes.get(record.owner);
      if (this.#isOwn(record)) this.claim(stream);
      else if (asked !== undefined) world.send(this, asked, () => asked.takeUp(stream));
    }
  }

  #isOwn({ owner, bootId }: Held['record']): boolean {
    return owner === this.id && bootId === this.bootId;
  }

  /** What is this boot's own and it does not write, and what its sessions need others to write. */
  #concerns(): readonly Held[] {
    const { holdings } = this.#region.log;
    const concerns = holdings.heldBy(this.bootId).filter(({ stream }) => !this.owned.has(stream));
    for (const stream of this.sessions) {
      const held = holdings.of(stream);
      if (held !== undefined && !this.#isOwn(held.record)) concerns.push(held);
    }
    return concerns.toSorted(byOrdinal);
  }

  /** A session attaches to the owner that the record names. */
  takeUp(stream: StreamId): void {
    const { record } = this.#region.log.record(stream);
    if (record?.owner === this.id) this.claim(stream);
  }

  /** O1. @param orphans their owner is no live member in this node's view */
  #mourn(orphans: readonly Held[]): void {
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

  /** A publisher has come: its stream is claimed here unless a living node owns it. */
  connect(stream: StreamId): void {
    this.sessions.add(stream);
    const { record } = this.#region.log.record(stream);
    if (record === undefined || !this.isAliveInView(record.owner, record.bootId)) this.claim(stream);
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
    const { world, log } = this.#region;
    try {
      const { epoch, openSequence } = await takeOver(this.#logPort, this.#storePort, {
        ...{ stream, node: this.id, region, bootId: this.bootId, regionOrdinal: 0 },
        reason: () => 'simulated',
        mayTakeFrom: async ({ owner, bootId }) => owner === this.id || !this.isAliveInView(owner, bootId),
        utcMs: () => world.nowMs,
        newRecordId: () => this.#newRecordId(),
      });
      if (!isSame() || this.#isRejoining) return;
      world.note(`${this.id} owns ${stream} at epoch ${epoch}`);
      const { nextNumber } = log.of(stream);
      this.owned.set(stream, { epoch, sequence: openSequence, number: nextNumber, isAppending: false });
    } catch (error) {
      const mayTryAgain = isSame() && errorCodeOf(error) !== 'NOT_OWNER' && this.sessions.has(stream);
      if (mayTryAgain) world.inProcess(this, retryClaimMs, () => this.claim(stream));
    }
  }

  #newRecordId(): string {
    this.#records += 1;
    return `${this.bootId}-${this.#records}`;
  }

  /** A commit each 10 s of each stream, spread over them: fewer than in life, and every one checked. */
  #commit(stream: StreamId, owned: Owned): void {
    if (owned.isAppending) return;
    owned.isAppending = true;
    const { world, log } = this.#region;
    const record: LogRecord = {
      ...{ kind: 'commit', epoch: owned.epoch, node: this.id, bootId: this.bootId },
      ...{ recordId: this.#newRecordId(), number: owned.number },
    };
    world.request(this, 'write', {
      apply: () => log.append(stream, record, owned.sequence),
      done: (sequence) => {
        owned.sequence = sequence;
        owned.number += 1;
        owned.isAppending = false;
      },
      failed: () => this.#readTail(stream, owned),
    });
  }

  /** C1: refused or unanswered, the tail decides: it is foreign, or our own last one. */
  #readTail(stream: StreamId, owned: Owned): void {
    const { world } = this.#region;
    world.request(this, 'read', {
      apply: () => this.#tailOf(stream, owned),
      done: (tail) => {
        owned.isAppending = false;
        if (tail !== 'fenced') Object.assign(owned, tail);
        else if (this.owned.get(stream) === owned) this.owned.delete(stream);
      },
      failed: () => {
        owned.isAppending = false;
      },
    });
  }

  #tailOf(stream: StreamId, { epoch, number }: Owned): 'fenced' | Pick<Owned, 'sequence' | 'number'> {
    const { tail, sequence } = this.#region.log.of(stream);
    if (tail?.epoch !== epoch || tail.bootId !== this.bootId) return 'fenced';
    return { sequence, number: tail.number === undefined ? number : tail.number + 1 };
  }
}
