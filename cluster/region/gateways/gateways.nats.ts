/**
 * The port of the other regions over NATS (R2).
 *
 * Every node knows from announcements which gateways work, brings its calls to the one that serves the key, tells all gateways what it listens
 * to, and hears it on its own NATS. A node that is chosen as a gateway also holds clients (`gateway.nats.ts`).
 */
import type { NatsConnection } from '@nats-io/transport-node';
import { allowList, type AllowList } from '../../contract/regions/allow-list.ts';
import type { RegionCall, RegionEvent } from '../../contract/regions/crossing.ts';
import { subjects } from '../../contract/subjects.ts';
import { TangazaError } from '../../errors/tangaza-error.ts';
import type { Membership } from '../../membership/member-directory.ts';
import type { BootId, NodeId, RegionId } from '../../model/ids.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Clock } from '../../time/clock.ts';
import { Answering } from './answering.nats.ts';
import { isUnserved } from './connect.nats.ts';
import { CrossingGuard } from './crossing-guard.ts';
import { bringCall, Gateway, longestCallMs, withHello } from './gateway.nats.ts';
import {
  beyondBound,
  boundedTopics,
  Interest,
  Interests,
  leftOutWords,
  partsOf,
  tellEveryMs,
  topicOf,
} from './interests.ts';
import { KnownLinks } from './known-links.ts';
import { Listening } from './listening.nats.ts';
import type { CallAcross, OtherRegions, RegionLink } from '../other-regions.ts';
import { Prover } from './proof.ts';
import { leftOutMetric, regionMetrics, type RegionMetrics } from './region-metrics.ts';
import { announceEveryMs, Announcement, chosenGateways, Serving } from './serving.ts';
import { ordinalOf, type Region, type Topology } from '../topology/topology.ts';
import { eventText, jsonOf, paramsText, readAnswer, readEvent } from '../wire.ts';
import { regionNamed } from '../../model/region-words.ts';

const lookEveryMs = 250;
/** A gateway that leaves carries on for so long, until the other one has taken over. */
const handOverMs = 300;

export interface RegionsOptions {
  readonly connection: NatsConnection;
  readonly isConnected: () => boolean;
  readonly node: NodeId;
  readonly bootId: BootId;
  readonly region: RegionId;
  readonly topology: Topology;
  readonly members: Pick<Membership, 'list' | 'onGone' | 'clockOffsetMs'>;
  /** All regions of the deployment share it. */
  readonly secret: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What may cross; by default what the product allows. */
  readonly allowed?: AllowList;
}

/** The topology has at least one other region. */
export function openNatsRegions(options: RegionsOptions): OtherRegions & { close(): Promise<void> } {
  const regions = new NatsRegions(options);
  regions.open();
  return regions;
}

/** What this node carries of a region. It is worked out again when something has changed, and every 2 s. */
interface Carried {
  readonly of: string;
  readonly atMs: number;
  readonly topics: ReadonlySet<string>;
}

class NatsRegions implements OtherRegions {
  readonly regions: readonly RegionId[];
  readonly #options: RegionsOptions;
  readonly #others: ReadonlyMap<RegionId, Region>;
  readonly #allowed: AllowList;
  readonly #guard: CrossingGuard;
  readonly #prover: Prover;
  readonly #serving = new Serving();
  readonly #links: KnownLinks;
  readonly #interests = new Map<RegionId, Interests>();
  /** How many topics of a region did not fit into this node's last list. */
  readonly #beyond = new Map<RegionId, number>();
  readonly #gateways = new Map<RegionId, Gateway>();
  readonly #carried = new Map<RegionId, Carried>();
  readonly #listening: Listening;
  readonly #metrics: RegionMetrics;
  readonly #answering: Answering;
  readonly #closing: (() => void)[] = [];
  #toldAtMs = -Infinity;
  #announcedAtMs = -Infinity;
  #isLeaving = false;

  constructor(options: RegionsOptions) {
    const { topology, region, allowed = allowList, secret, clock } = options;
    this.#options = options;
    this.#others = new Map(
      topology.regions.filter(({ id }) => id !== region).map((other) => [other.id, other]),
    );
    this.regions = [...this.#others.keys()];
    this.#allowed = withHello(allowed);
    this.#guard = new CrossingGuard(this.#allowed);
    this.#prover = new Prover(secret);
    for (const other of this.regions) this.#interests.set(other, new Interests());
    this.#links = new KnownLinks({
      ...options,
      regions: this.regions,
      serving: this.#serving,
      alsoWrong: (other) => leftOutWords(other, this.#leftOut(other)),
    });
    const carried = () => [...this.#gateways].map(([id, gateway]) => ({ region: id, ...gateway.state() }));
    this.#metrics = regionMetrics(options.metrics, () => this.links(), carried);
    leftOutMetric(options.metrics, () => this.regions.map((id) => ({ region: id, ...this.#leftOut(id) })));
    this.#listening = new Listening(options);
    const guard = new CrossingGuard(this.#allowed);
    this.#answering = new Answering({
      ...options,
      clock,
      prover: this.#prover,
      guard,
      metrics: this.#metrics,
    });
  }

  open(): void {
    const { connection, region, members, clock } = this.#options;
    const hear = (subject: string, run: (json: unknown) => void): void => {
      const subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) run(jsonOf(message.string()));
        },
      });
      this.#closing.push(() => subscription.unsubscribe());
    };
    hear(subjects.gateways(region), (json) => this.#heardGateway(json));
    hear(subjects.interests(region), (json) => this.#heardInterest(json));
    this.#closing.push(
      this.#answering.answerHellos(),
      members.onGone(({ node, bootId }) => this.#forget(node, bootId)),
      clock.every(lookEveryMs, () => this.#look()),
    );
    this.#look();
  }

  async call<P, R>(region: RegionId, call: RegionCall<P, R>, params: P, options: CallAcross): Promise<R> {
    const text = paramsText(call, params);
    if (!this.#allowed.calls.some(({ name }) => name === call.name))
      throw new TangazaError('FORBIDDEN', `The call ${call.name} is not in the allow-list of regions.`);
    return readAnswer(call, jsonOf(await this.#ask(region, call.name, text, options)));
  }

  /** Asks the gateway that serves the key; where that one has just gone, the next. */
  async #ask(region: RegionId, name: string, params: string, { key, withinMs }: CallAcross): Promise<string> {
    const { clock, node: self, bootId, connection, region: own } = this.#options;
    const untilMs = clock.monotonicMs() + Math.min(withinMs, longestCallMs);
    for (const { node, bootId: boot } of this.#serving.line(region, key, clock.runningMs())) {
      const leftMs = untilMs - clock.monotonicMs();
      const gateway = this.#gateways.get(region);
      if (node === self && boot === bootId && gateway !== undefined)
        return gateway.call(name, params, leftMs);
      const text = bringCall({ from: self, name, withinMs: leftMs, deadlineMs: untilMs }, params);
      try {
        const subject = subjects.gatewayCalls(own, node, boot, region);
        return (await connection.request(subject, text, { timeout: Math.max(1, leftMs) })).string();
      } catch (error) {
        if (isUnserved(error)) continue;
        throw new TangazaError('UNAVAILABLE', `No answer of ${regionNamed(region)} to ${name} in time.`, {
          cause: error,
        });
      }
    }
    this.#metrics.refused(region, 'call', 'no_link');
    throw new TangazaError('UNAVAILABLE', `No link to ${regionNamed(region)} works.`);
  }

  serve<P, R>(call: RegionCall<P, R>, run: (params: P, from: RegionId) => Promise<R>): () => void {
    return this.#answering.serve(call, run);
  }

  publish<E>(event: RegionEvent<E>, body: E, of?: string): boolean {
    const { connection, isConnected, region } = this.#options;
    const text = eventText(event, body);
    if (text === undefined || !this.#guard.allowsEvent(event.name)) {
      this.#metrics.refused(region, 'event', text === undefined ? 'too_long' : 'unknown');
      return false;
    }
    if (!isConnected() || connection.isClosed()) return false;
    connection.publish(subjects.wanEvent(region, topicOf(event.name, of)), text);
    return true;
  }

  listen<E>(
    region: RegionId,
    event: RegionEvent<E>,
    listener: (body: E, region: RegionId) => void,
    of?: string,
  ): () => void {
    const topic = topicOf(event.name, of);
    const subject = subjects.wanEvent(region, topic);
    const hear = (text: string): void => {
      const body = readEvent(event, text);
      if (body === undefined) this.#metrics.refused(region, 'event', 'shape');
      else listener(body, region);
    };
    const isFirst = !this.#listening.has(subject);
    const stop = this.#listening.on(subject, hear);
    if (isFirst && this.#others.has(region)) this.#tellInterest(region, [topic], false);
    return stop;
  }

  links(): readonly RegionLink[] {
    return this.#links.all();
  }

  onLink(listener: (link: RegionLink) => void): () => void {
    return this.#links.onChange(listener);
  }

  isServedHere(region: RegionId, key: string): boolean {
    const [first] = this.#serving.line(region, key, this.#options.clock.runningMs());
    return first?.node === this.#options.node && first.bootId === this.#options.bootId;
  }

  warnings(): readonly string[] {
    return this.#links.warnings();
  }

  async close(): Promise<void> {
    const { clock, node } = this.#options;
    const nowMs = clock.runningMs();
    const mayHandOver = [...this.#gateways.keys()].some((other) =>
      this.#serving.working(other, nowMs).some((gateway) => gateway.node !== node),
    );
    this.#isLeaving = true;
    this.#announce();
    if (mayHandOver) await clock.sleep(handOverMs);
    for (const close of this.#closing) close();
    await Promise.all([...this.#gateways.values()].map((gateway) => gateway.close()));
    this.#listening.close();
  }

  /** What has to be done again and again, and at each change. */
  #look(): void {
    const nowMs = this.#options.clock.runningMs();
    if (!this.#isLeaving) this.#choose(nowMs);
    if (nowMs - this.#announcedAtMs >= announceEveryMs) this.#announce();
    if (nowMs - this.#toldAtMs >= tellEveryMs) this.#tellAll();
    this.#carry(nowMs);
    this.#links.look();
  }

  #choose(nowMs: number): void {
    const { members } = this.#options.members.list();
    const { node } = this.#options;
    for (const [id, other] of this.#others) {
      // Nothing reaches such a region; it may reach others.
      if (other.gateway.natsUrls.length === 0) continue;
      const gateway = this.#gateways.get(id);
      if (chosenGateways(id, members).includes(node)) {
        if (gateway === undefined) this.#gateways.set(id, this.#openGateway(other));
      } else if (gateway !== undefined && this.#hasOthers(id, nowMs)) {
        this.#gateways.delete(id);
        this.#tell(subjects.gateways(this.#options.region), { ...this.#about(id, gateway), isUp: false });
        void this.#options.clock.sleep(handOverMs).then(() => gateway.close());
      }
    }
  }

  #hasOthers(region: RegionId, nowMs: number): boolean {
    return this.#serving.working(region, nowMs).some(({ node }) => node !== this.#options.node);
  }

  #openGateway(other: Region): Gateway {
    const { members, topology, region } = this.#options;
    return new Gateway({
      ...this.#options,
      other,
      ordinal: ordinalOf(topology, region),
      topologyVersion: topology.version,
      allowed: this.#allowed,
      prover: this.#prover,
      metrics: this.#metrics,
      clockOffsetMs: (node) => (node === this.#options.node ? 0 : members.clockOffsetMs(node)),
      onChange: () => {
        this.#announce();
        this.#look();
      },
    });
  }

  #about(other: RegionId, gateway: Gateway): Announcement {
    const { node, bootId } = this.#options;
    const state = gateway.state();
    const down = this.#links.whileDown(other);
    return { node, bootId, other, ...state, ...down, isUp: state.isUp && !this.#isLeaving };
  }

  #announce(): void {
    this.#announcedAtMs = this.#options.clock.runningMs();
    for (const [other, gateway] of this.#gateways) {
      const announcement = this.#about(other, gateway);
      this.#serving.note(announcement, this.#announcedAtMs);
      this.#tell(subjects.gateways(this.#options.region), announcement);
    }
  }

  #heardGateway(json: unknown): void {
    const parsed = Announcement.safeParse(json);
    if (!parsed.success || !this.#others.has(parsed.data.other)) return;
    const { node, bootId, other, downForMs, offsetMs } = parsed.data;
    if (node === this.#options.node && bootId === this.#options.bootId) return;
    const nowMs = this.#options.clock.runningMs();
    if (this.#serving.note(parsed.data, nowMs)) this.#tellWhole(other);
    if (downForMs !== undefined) this.#links.heardDown(other, downForMs, offsetMs);
    this.#carry(nowMs);
    this.#links.look();
  }

  #heardInterest(json: unknown): void {
    const parsed = Interest.safeParse(json);
    if (!parsed.success) return;
    const { other } = parsed.data;
    const nowMs = this.#options.clock.runningMs();
    const topics = this.#interests.get(other)?.note(parsed.data, nowMs) ?? [];
    if (parsed.data.isWhole) return;
    const isMine = this.#isCarriedHere(other);
    this.#gateways.get(other)?.carryAlso(topics.filter(isMine));
  }

  #forget(node: NodeId, bootId: BootId): void {
    this.#serving.forget(node, bootId);
    for (const interests of this.#interests.values()) interests.forget(node, bootId);
    this.#look();
  }

  /** Subscribes there to what is listened to here and served by this node. */
  #carry(nowMs: number): void {
    // A gateway that leaves goes on with what it carries until the other one does.
    if (this.#isLeaving) return;
    for (const [other, gateway] of this.#gateways) {
      const known = this.#carried.get(other);
      const revision = this.#interests.get(other)?.revision;
      const workers = this.#serving.working(other, nowMs).map(({ node, bootId }) => `${node}/${bootId}`);
      const of = [revision, ...workers].join(' ');
      const isSame = known?.of === of && nowMs - known.atMs < tellEveryMs;
      const carried = isSame ? known : { of, atMs: nowMs, topics: this.#carriedHere(other, nowMs) };
      this.#carried.set(other, carried);
      gateway.carry(carried.topics);
    }
  }

  #carriedHere(other: RegionId, nowMs: number): ReadonlySet<string> {
    const topics = [...(this.#interests.get(other)?.all(nowMs) ?? [])];
    return new Set(topics.filter(this.#isCarriedHere(other)));
  }

  #isCarriedHere(other: RegionId): (topic: string) => boolean {
    return (topic) => {
      const { name, key } = partsOf(topic);
      return this.#guard.allowsEvent(name) && this.isServedHere(other, key);
    };
  }

  #tellAll(): void {
    this.#toldAtMs = this.#options.clock.runningMs();
    for (const other of this.regions) this.#tellWhole(other);
  }

  #tellWhole(other: RegionId): void {
    const topics = this.#listening.behind(subjects.wanEvent(other, ''));
    this.#beyond.set(other, beyondBound(topics));
    this.#tellInterest(other, topics, true);
  }

  /** Only a gateway makes the list of the whole region. */
  #leftOut(other: RegionId): { readonly byNode: number; readonly byRegion: number } {
    const byRegion = this.#gateways.has(other) ? (this.#interests.get(other)?.leftOut ?? 0) : 0;
    return { byNode: this.#beyond.get(other) ?? 0, byRegion };
  }

  #tellInterest(other: RegionId, topics: readonly string[], isWhole: boolean): void {
    const { node, bootId, region } = this.#options;
    this.#tell(subjects.interests(region), { node, bootId, other, topics: boundedTopics(topics), isWhole });
  }

  #tell(subject: string, message: Announcement | Interest): void {
    const { connection, isConnected } = this.#options;
    if (isConnected() && !connection.isClosed()) connection.publish(subject, JSON.stringify(message));
  }
}
