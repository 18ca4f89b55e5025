/**
 * Regions that are joined in memory: the port of the other regions without NATS, for tests of what crosses (R2).
 *
 * Everything is delivered later than it was sent, in order. Each direction of a link can be cut: the link of `eu` to `us` carries the calls of
 * `eu` to `us`, and the events of `us` that somebody in `eu` listens to.
 */
import { allowList, type AllowList } from '../../../cluster/contract/regions/allow-list.ts';
import type { RegionCall, RegionEvent } from '../../../cluster/contract/regions/crossing.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { order } from '../../../cluster/partition/rendezvous.ts';
import { Buckets } from '../../../cluster/bounds/buckets.ts';
import type { CallAcross, OtherRegions, RegionLink } from '../../../cluster/region/other-regions.ts';
import {
  answerText,
  eventText,
  jsonOf,
  paramsText,
  readAnswer,
  readEvent,
  readParams,
  refusalOf,
} from '../../../cluster/region/wire.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { within } from '../../../cluster/time/within.ts';

interface JoinOptions {
  /** 2 or 3 ids, in the order of the topology. */
  readonly regions: readonly string[];
  readonly clock?: Clock;
  /** How long answers take; 1 ms at least. */
  readonly roundTripMs?: number;
  /** What may cross; by default what the product allows. */
  readonly allowed?: AllowList;
}

type Serve = (text: string, from: RegionId) => Promise<string>;
type Hear = (text: string) => void;

export class MemoryRegions {
  readonly #regions: readonly RegionId[];
  readonly #clock: Clock;
  readonly #allowed: AllowList;
  readonly roundTripMs: number;
  readonly #nodes = new Map<string, MemoryNode>();
  readonly #cuts = new Map<string, number>();
  readonly #rates = new Map<string, Buckets>();

  constructor({ regions, clock = systemClock, allowed = allowList, roundTripMs = 1 }: JoinOptions) {
    this.roundTripMs = roundTripMs;
    this.#regions = regions.map((region) => RegionId.parse(region));
    this.#clock = clock;
    this.#allowed = allowed;
  }

  /** The port as one node of the region has it; the same one for the same names. */
  of(region: string, node = 'n1'): OtherRegions {
    const key = `${region}/${node}`;
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const made = new MemoryNode(this, RegionId.parse(region), node);
    this.#nodes.set(key, made);
    return made;
  }

  /** The node is gone: it serves nothing and hears nothing. */
  leave(region: string, node: string): void {
    this.#nodes.delete(`${region}/${node}`);
  }

  /** Cuts the link that `from` holds to `to`; the other direction stays as it is. */
  cut(from: string, to: string): void {
    if (this.#cuts.has(`${from}>${to}`)) return;
    this.#cuts.set(`${from}>${to}`, this.#clock.monotonicMs());
    this.#tell(from, to);
  }

  heal(from: string, to: string): void {
    if (this.#cuts.delete(`${from}>${to}`)) this.#tell(from, to);
  }

  #tell(from: string, to: string): void {
    const nodes = this.nodesOf(RegionId.parse(from));
    queueMicrotask(() => nodes.forEach((node) => node.tellLink(this.link(node.region, RegionId.parse(to)))));
  }

  get clock(): Clock {
    return this.#clock;
  }

  others(region: RegionId): readonly RegionId[] {
    return this.#regions.filter((other) => other !== region);
  }

  nodesOf(region: RegionId): readonly MemoryNode[] {
    return [...this.#nodes.values()].filter((node) => node.region === region);
  }

  link(from: RegionId, to: RegionId): RegionLink {
    const cutAtMs = this.#cuts.get(`${from}>${to}`);
    const isUp = cutAtMs === undefined && this.#regions.includes(to);
    const measured = isUp ? { roundTripMs: this.roundTripMs, offsetMs: 0, topologyVersion: 1 } : unmeasured;
    const gateways = isUp ? this.nodesOf(from).map((node) => node.id) : [];
    return { region: to, isUp, sinceMs: cutAtMs ?? 0, ...measured, gateways, bytesIn: 0, bytesOut: 0 };
  }

  allowsCall = (name: string): boolean => this.#allowed.calls.some((call) => call.name === name);
  allowsEvent = (name: string): boolean => this.#allowed.events.some((event) => event.name === name);

  hasTurn(from: RegionId, to: RegionId, { name, perSecond }: { name: string; perSecond: number }): boolean {
    const key = `${from}>${to}`;
    const buckets =
      this.#rates.get(`${key} ${name}`) ?? new Buckets({ burst: perSecond, perSecond, most: 1 });
    this.#rates.set(`${key} ${name}`, buckets);
    return buckets.take(key, this.#clock.monotonicMs()) === 0;
  }
}

const unmeasured = { roundTripMs: undefined, offsetMs: undefined, topologyVersion: undefined };

const later = (): Promise<void> => new Promise((resolve) => queueMicrotask(resolve));

class MemoryNode implements OtherRegions {
  readonly region: RegionId;
  readonly id: NodeId;
  readonly #world: MemoryRegions;
  readonly #serving = new Map<string, Serve>();
  readonly #hearing = new Map<string, Set<Hear>>();
  readonly #linkListeners = new Set<(link: RegionLink) => void>();

  constructor(world: MemoryRegions, region: RegionId, node: string) {
    this.#world = world;
    this.region = region;
    this.id = NodeId.parse(node);
  }

  get regions(): readonly RegionId[] {
    return this.#world.others(this.region);
  }

  async call<P, R>(
    region: RegionId,
    call: RegionCall<P, R>,
    params: P,
    { withinMs }: CallAcross,
  ): Promise<R> {
    const text = paramsText(call, params);
    this.#mustCross(region, call);
    const serving = this.#world.nodesOf(region).map((node) => node.#serving.get(call.name));
    const serve = serving.find((one) => one !== undefined);
    if (serve === undefined)
      throw new TangazaError('UNAVAILABLE', `No node of ${region} serves ${call.name}.`);
    const asked = later().then(() => this.#answer(region, serve(text, this.region)));
    const late = (): never => {
      throw new TangazaError('UNAVAILABLE', `${region} did not answer ${call.name} within ${withinMs} ms.`);
    };
    return readAnswer(call, jsonOf(await within(asked, { clock: this.#world.clock, ms: withinMs, late })));
  }

  #mustCross(region: RegionId, call: { name: string; perSecond: number }): void {
    if (!this.#world.allowsCall(call.name))
      throw new TangazaError('FORBIDDEN', `The call ${call.name} is not in the allow-list of regions.`);
    if (!this.#world.link(this.region, region).isUp)
      throw new TangazaError('UNAVAILABLE', `No link to ${region} works.`);
    if (!this.#world.hasTurn(this.region, region, call))
      throw new TangazaError('OVERLOADED', `${call.name} is asked of ${region} too often.`);
  }

  /** An answer that comes while the link is cut is lost. */
  async #answer(region: RegionId, serving: Promise<string>): Promise<string> {
    const answer = await serving;
    const { roundTripMs, clock } = this.#world;
    await (roundTripMs > 1 ? clock.sleep(roundTripMs) : later());
    return this.#world.link(this.region, region).isUp ? answer : new Promise<never>(() => {});
  }

  serve<P, R>(call: RegionCall<P, R>, run: (params: P, from: RegionId) => Promise<R>): () => void {
    const serve: Serve = async (text, from) => {
      try {
        return answerText(call, { result: await run(readParams(call, jsonOf(text)), from) });
      } catch (error) {
        return answerText(call, refusalOf(error));
      }
    };
    this.#serving.set(call.name, serve);
    return () => {
      if (this.#serving.get(call.name) === serve) this.#serving.delete(call.name);
    };
  }

  publish<E>(event: RegionEvent<E>, body: E, of?: string): boolean {
    const text = eventText(event, body);
    if (text === undefined || !this.#world.allowsEvent(event.name)) return false;
    for (const region of [this.region, ...this.regions]) {
      const nodes = this.#world
        .nodesOf(region)
        .filter((node) => node.#hearing.has(keyOf(this.region, event, of)));
      if (nodes.length === 0) continue;
      if (region !== this.region && !this.#world.hasTurn(this.region, region, event)) continue;
      queueMicrotask(() => {
        if (region !== this.region && !this.#world.link(region, this.region).isUp) return;
        for (const node of nodes) node.#hear(keyOf(this.region, event, of), text);
      });
    }
    return true;
  }

  warnings(): readonly string[] {
    return [];
  }

  #hear(key: string, text: string): void {
    for (const hear of this.#hearing.get(key) ?? []) hear(text);
  }

  listen<E>(
    region: RegionId,
    event: RegionEvent<E>,
    listener: (body: E, region: RegionId) => void,
    of?: string,
  ): () => void {
    const key = keyOf(region, event, of);
    const hear: Hear = (text) => {
      const body = readEvent(event, text);
      if (body !== undefined) listener(body, region);
    };
    const hearing = this.#hearing.get(key) ?? new Set();
    this.#hearing.set(key, hearing.add(hear));
    return () => {
      hearing.delete(hear);
      if (hearing.size === 0 && this.#hearing.get(key) === hearing) this.#hearing.delete(key);
    };
  }

  links(): readonly RegionLink[] {
    return this.regions.map((region) => this.#world.link(this.region, region));
  }

  onLink(listener: (link: RegionLink) => void): () => void {
    this.#linkListeners.add(listener);
    return () => void this.#linkListeners.delete(listener);
  }

  tellLink(link: RegionLink): void {
    for (const listener of this.#linkListeners) listener(link);
  }

  isServedHere(region: RegionId, key: string): boolean {
    if (!this.#world.link(this.region, region).isUp) return false;
    const nodes = this.#world.nodesOf(this.region).map((node) => ({ id: node.id, weight: 1 }));
    return order(key, nodes).at(0)?.id === this.id;
  }
}

const keyOf = (region: RegionId, event: { readonly name: string }, of: string | undefined): string =>
  [region, event.name, ...(of === undefined ? [] : [of])].join('.');
