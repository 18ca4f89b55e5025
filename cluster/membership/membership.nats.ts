/**
 * Keeps a node's membership of its region: the node joins the view, watches other members, and leaves (C3).
 *
 * J1. Every change of the view is a compare-and-set. Without NATS the view stays as it was last known (C8).
 * J2. A node that reads of its own death gives up what it owns, and rejoins after 1 to 2 s with a higher incarnation. After
 *     three rejoins have failed its process ends, as it can no longer tell the others in what state it is.
 * J3. Members rebuild a view that was emptied or cannot be read. Members of the old view are listed for 5 s more, so that
 *     nobody takes them for dead.
 * J4. A watch may lag behind or fall silent, so each node also reads the view from the leader. A newer view is taken. An older
 *     one comes from a bucket that was lost or restored, or from a deposed leader that does not know it yet. To tell them apart
 *     the node writes: a deposed leader cannot commit. That write also lists this boot again.
 */
import type { NatsConnection } from '@nats-io/transport-node';
import type { BootId, NodeId } from '../model/ids.ts';
import { unreachable } from '../model/unreachable.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { watchFreezes } from '../time/freeze.ts';
import {
  advance,
  createDetector,
  detectorLimits,
  type Detector,
  type DetectorEffect,
  type DetectorInput,
} from './detector.ts';
import { deadlineCheck, type CheckDeadline } from './deadlines.ts';
import { suspectedLives } from './evidence.ts';
import type { Accusation } from './heard.ts';
import { openHearsay, type Hearsay } from './hearsay.nats.ts';
import type { GoneMember, Member, MemberDirectory, Membership } from './member-directory.ts';
import { membershipMetrics, type MembershipMetrics } from './membership-metrics.ts';
import { refuseMisfit } from './may-start.nats.ts';
import { PeerClocks } from './peer-clocks.ts';
import { probeByHttp } from './probe.http.ts';
import { answerProbes, probeByNats } from './probe.nats.ts';
import {
  declareDead,
  emptyView,
  endedLives,
  findMember,
  forgetDead,
  isLive,
  join,
  leave,
  lifeOf,
  listed,
  renewed,
  startDraining,
  withKnown,
  type Life,
  type View,
  type ViewMember,
} from './view.ts';
import { openNatsViewStore } from './view-store.nats.ts';
import { changeView, type StoredView, type ViewStore } from './view-store.ts';

const rebuildGraceMs = 5000;
const forgetDeadMs = 3_600_000;
const checkEveryMs = 1000;
const rejoins = { tries: 3, minDelayMs: 1000, jitterMs: 1000 } as const;

export interface MembershipOptions {
  readonly connection: NatsConnection;
  readonly self: Member;
  /** The hash of the cluster's secret, equal for all members of one cluster. */
  readonly secretHash: string;
  readonly replicas?: number;
  readonly clock: Clock;
  /** Gives a number in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Ends the process, as the node cannot be a member any more (J2). */
  readonly exit: (why: string) => void;
}

/** @throws TangazaError `CONFLICT` when this node may not be a member, with what to do; `LOG_UNAVAILABLE` */
export async function openNatsMembership(options: MembershipOptions): Promise<Membership> {
  const { connection, self, replicas, clock, logger } = options;
  const { region } = self;
  const copies = replicas === undefined ? {} : { replicas };
  const store = await openNatsViewStore({ connection, region, clock, logger, ...copies });
  const membership = new NatsMembership(options, store);
  await membership.start();
  return membership;
}

class NatsMembership implements Membership {
  readonly checkDeadline: CheckDeadline;
  readonly #options: MembershipOptions;
  readonly #store: ViewStore;
  readonly #clocks = new PeerClocks();
  readonly #stops: (() => void)[] = [];
  readonly #goneListeners = new Set<(gone: GoneMember) => void>();
  readonly #deathListeners = new Set<() => void>();
  readonly #meters: MembershipMetrics;
  #view: View;
  #revision = 0;
  #detector: Detector;
  #hearsay: Hearsay | undefined;
  #rebuiltAtMs: number | undefined;
  #isRejoining = false;
  #isClosed = false;

  constructor(options: MembershipOptions, store: ViewStore) {
    this.#options = options;
    this.#store = store;
    this.#view = emptyView(options.secretHash);
    const { metrics, self, clock } = options;
    this.#detector = createDetector(self.id, this.#view);
    this.checkDeadline = deadlineCheck({
      self: self.id,
      nowMs: () => clock.monotonicMs(),
      clockOffsetMs: (node) => this.clockOffsetMs(node),
    });
    this.#meters = membershipMetrics(metrics);
  }

  async start(): Promise<void> {
    const { connection, self, secretHash, clock } = this.#options;
    await refuseMisfit((await this.#store.read()).view, { self, secretHash, place: this.#place() });
    // The node answers probes before it joins the view: a member that does not answer is suspected.
    this.#stops.push(answerProbes(this.#place(), self.id, self.bootId));
    await this.#change((view) => join(view, self));
    this.#take(await this.#store.read());
    this.#hearsay = openHearsay({
      connection,
      region: self.region,
      onAccusation: (accusation) => this.#hear(accusation),
      onRelease: ({ lives }) => this.#feed({ kind: 'release', lives }),
      onBad: () => this.#meters.events.add(1, { event: 'badAccusation' }),
    });
    this.#stops.push(() => this.#hearsay?.close());
    this.#stops.push(watchFreezes(clock, () => this.#feed({ kind: 'lagged' }), detectorLimits.maxLagMs));
    this.#stops.push(clock.every(detectorLimits.probeEveryMs, () => this.#feed({ kind: 'tick' })));
    this.#stops.push(clock.every(checkEveryMs, () => this.refresh()));
    void this.#follow();
    void this.#noteReconnects();
  }

  list(): ReturnType<MemberDirectory['list']> {
    const { edgeRevision: revision, members } = this.#view;
    return { revision, members: members.map(listed), readAtMs: this.#store.answeredAtMs };
  }

  isAlive(node: NodeId, bootId: BootId): boolean {
    const member = findMember(this.#view, node);
    return member?.bootId === bootId && isLive(member);
  }

  onGone(listener: (gone: GoneMember) => void): () => void {
    this.#goneListeners.add(listener);
    return () => this.#goneListeners.delete(listener);
  }

  onDeclaredDead(listener: () => void): () => void {
    this.#deathListeners.add(listener);
    return () => this.#deathListeners.delete(listener);
  }

  async setDraining(): Promise<void> {
    const { id, bootId } = this.#options.self;
    await this.#change((view) => startDraining(view, id, bootId));
  }

  clockOffsetMs(node: NodeId): number | undefined {
    if (node === this.#options.self.id) return 0;
    const member = findMember(this.#view, node);
    if (member === undefined) return undefined;
    const offsetMs = this.#clocks.offsetMs(node, member.bootId);
    if (offsetMs === undefined) void this.#measure(member);
    return offsetMs;
  }

  suspects(): readonly NodeId[] {
    return this.#suspected().map(({ id }) => id);
  }

  async release(): Promise<readonly NodeId[]> {
    await this.#store.read();
    const lives = this.#suspected();
    const suspects = lives.map(({ id }) => id);
    this.#options.logger.warn(
      { suspects },
      'an operator lifts the brake: suspected members are declared dead now',
    );
    this.#hearsay?.release({ lives });
    return suspects;
  }

  warnings(): readonly string[] {
    return this.#clocks.warnings((node) => findMember(this.#view, node) !== undefined);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const { id, bootId } = this.#options.self;
    await this.#change((view) => leave(view, id, bootId)).catch((error: unknown) => {
      const { logger } = this.#options;
      logger.warn(
        { err: error },
        'could not leave the membership view; the other nodes will notice by themselves',
      );
    });
    for (const stop of this.#stops) stop();
    await this.#store.close();
  }

  #suspected(): readonly Life[] {
    return suspectedLives(this.#detector, this.#options.clock.monotonicMs());
  }

  #place() {
    const { connection, clock, self } = this.#options;
    return { connection, clock, region: self.region };
  }

  /** Changes the view by compare-and-set (J1). @throws TangazaError `LOG_UNAVAILABLE`, or `CONFLICT` when others win too often */
  #change(transition: (view: View) => View): Promise<void> {
    const { clock, random, secretHash } = this.#options;
    const pause = (attempt: number): Promise<void> => clock.sleep(random() * 10 * attempt);
    return changeView(this.#store, { empty: emptyView(secretHash), pause }, transition);
  }

  async #follow(): Promise<void> {
    for await (const stored of this.#store.watch()) {
      if (this.#isClosed) return;
      this.#take(stored);
    }
  }

  /** @param isOther true for a bucket that was lost and made again, whose revisions begin again */
  #take({ view, revision }: StoredView, isOther = false): void {
    if (revision < this.#revision && !isOther) return;
    // The bucket may have been emptied without a trace. The first view written there does not descend from ours, and its version may be as
    // high.
    const leastVersion = this.#view.version + (revision > this.#revision ? 1 : 0);
    this.#revision = revision;
    const { clock, logger } = this.#options;
    if (isOther || view === undefined || view.version < leastVersion) {
      logger.warn(
        { revision, isOther },
        'the membership view was emptied or restored from a backup; the members rebuild it',
      );
      this.#rebuiltAtMs = clock.monotonicMs();
    }
    if (view === undefined) return void this.refresh();
    this.#show(this.#rebuiltAtMs === undefined ? view : withKnown(view, this.#view));
  }

  #show(view: View): void {
    const before = this.#view;
    this.#view = view;
    this.#meters.alive.set(view.members.filter(isLive).length);
    this.#feed({ kind: 'view', view });
    const { id, bootId } = this.#options.self;
    for (const gone of endedLives(before, view)) if (gone.bootId !== bootId) this.#tell(gone);
    const own = findMember(view, id);
    if (own?.bootId === bootId && !isLive(own)) void this.#rejoin();
  }

  #tell(gone: GoneMember): void {
    const { node: member, ...rest } = gone;
    this.#options.logger.warn({ member, ...rest }, 'a member is gone');
    this.#meters.events.add(1, { event: gone.why });
    for (const listener of this.#goneListeners) listener(gone);
  }

  /** Gives up what this node owns, and joins again (J2). */
  async #rejoin(): Promise<void> {
    if (this.#isRejoining || this.#isClosed) return;
    this.#isRejoining = true;
    const { logger, clock, random, self, exit } = this.#options;
    logger.error({}, 'this node was declared dead: it gives up what it owns and rejoins');
    for (const listener of this.#deathListeners) listener();
    for (let attempt = 1; attempt <= rejoins.tries; attempt += 1) {
      await clock.sleep(rejoins.minDelayMs + random() * rejoins.jitterMs);
      try {
        await this.#change((view) => join(view, self));
        this.#isRejoining = false;
        return;
      } catch (error) {
        logger.warn({ err: error, attempt }, 'this node could not rejoin');
      }
    }
    exit('declared dead, and could not rejoin');
  }

  /**
   * Reads the view: rebuilds it where it is gone (J3), takes an older one only when a change proves it (J4), and forgets members that are
   * long dead.
   */
  async refresh(): Promise<void> {
    const { clock, self, logger } = this.#options;
    if (this.#isClosed || this.#isRejoining || this.#options.connection.isClosed()) return;
    const knownRevision = this.#revision;
    try {
      const stored = await this.#store.read();
      const { view, revision } = stored;
      if (revision > this.#revision) this.#take(stored);
      if (revision < knownRevision) return await this.#goBack(knownRevision);
      if (view === undefined || findMember(view, self.id) === undefined)
        await this.#change((now) => join(now, self));
      if (this.#rebuiltAtMs !== undefined && clock.monotonicMs() - this.#rebuiltAtMs > rebuildGraceMs) {
        this.#rebuiltAtMs = undefined;
        if (view !== undefined) this.#show(view);
      }
      const utcMs = clock.utcMs();
      if (view !== undefined && forgetDead(view, utcMs, forgetDeadMs) !== view)
        await this.#change((now) => forgetDead(now, utcMs, forgetDeadMs));
    } catch (error) {
      logger.debug({ err: error }, 'the membership view cannot be checked now');
    }
  }

  /** The view that was read is older than the known one. A change shows whether it is the true one (J4). */
  async #goBack(knownRevision: number): Promise<void> {
    await this.#change((now) => {
      const joined = join(now, this.#options.self);
      return joined === now ? renewed(now) : joined; // one step for each change, so that no version is ahead of the members in it
    });
    const stored = await this.#store.read();
    if (stored.revision < knownRevision) this.#take(stored, true);
  }

  #feed(input: DetectorInput): void {
    const { detector, effects } = advance(this.#detector, input, this.#options.clock.monotonicMs());
    this.#detector = detector;
    this.#meters.held.set(detector.heldCount);
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: DetectorEffect): void {
    switch (effect.kind) {
      case 'probe':
        return void (effect.path === 'p1' ? this.#probeP1(effect.member) : this.#probeP2(effect.member));
      case 'tell':
        return this.#publish(effect.accusation);
      case 'declareDead':
        return void this.#declare(effect.life);
      default:
        return unreachable(effect);
    }
  }

  async #probeP1(member: ViewMember): Promise<void> {
    const isOk = await this.#measure(member);
    if (!isOk) this.#meters.events.add(1, { event: 'p1Failed' });
    this.#feed({ kind: 'p1', life: lifeOf(member), isOk });
  }

  async #probeP2(member: ViewMember): Promise<void> {
    const result = await probeByHttp(member.httpUrl, detectorLimits.p2TimeoutMs);
    if (result !== 'ok') this.#meters.events.add(1, { event: 'p2Failed' });
    this.#feed({ kind: 'p2', life: lifeOf(member), result });
  }

  async #measure(member: ViewMember): Promise<boolean> {
    const { id, bootId } = member;
    const sample = await probeByNats(this.#place(), member, detectorLimits.p1TimeoutMs);
    if (sample === undefined) return false;
    this.#clocks.note(id, bootId, sample);
    const skewMs = this.#clocks.noteWall(id, sample.utcMs - this.#options.clock.utcMs());
    if (skewMs !== undefined)
      this.#options.logger.warn({ member: id, skewMs }, 'the wall clock of a member is off: use NTP');
    return true;
  }

  #publish(accusation: Accusation): void {
    const { logger } = this.#options;
    logger.warn({ ...accusation }, accusation.holds ? 'a member is accused' : 'an accusation is taken back');
    this.#meters.events.add(1, { event: accusation.holds ? 'accused' : 'withdrawn' });
    this.#hearsay?.accuse(accusation);
  }

  #hear(accusation: Accusation): void {
    if (accusation.from !== this.#options.self.id) this.#feed({ kind: 'accusation', accusation });
  }

  async #declare(life: Life): Promise<void> {
    const { clock, logger } = this.#options;
    try {
      await this.#change((view) => declareDead(view, life, clock.utcMs()));
      logger.warn({ member: life.id, incarnation: life.incarnation }, 'a member is declared dead');
    } catch (error) {
      logger.warn({ err: error, member: life.id }, 'a death could not be carried out');
    }
  }

  /** After an outage of its own, this monitor first waits until it hears from the others (detector.ts D3). */
  async #noteReconnects(): Promise<void> {
    for await (const status of this.#options.connection.status()) {
      if (status.type === 'disconnect' || status.type === 'reconnect') this.#feed({ kind: 'reconnected' });
    }
  }
}
