/**
 * What a node does as a gateway: for each other region that it was chosen for it holds a client, carries the calls that nodes of its region bring
 * to it, and publishes here what it hears there (R2).
 */
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { z } from 'zod';
import type { AllowList } from '../../contract/regions/allow-list.ts';
import { subjects } from '../../contract/subjects.ts';
import { TangazaError } from '../../errors/tangaza-error.ts';
import { NodeId, type BootId, type RegionId } from '../../model/ids.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Clock } from '../../time/clock.ts';
import { GatewayClient, type ClientState } from './client.nats.ts';
import { CrossingGuard } from './crossing-guard.ts';
import { hello } from './hello.ts';
import { partsOf } from './interests.ts';
import type { Prover } from './proof.ts';
import type { RegionMetrics } from './region-metrics.ts';
import type { Region } from '../topology/topology.ts';
import { bytesOf, jsonOf, refusalOf, textOf } from '../wire.ts';
import { regionNamed } from '../../model/region-words.ts';

/** Nobody waits longer for another region. */
export const longestCallMs = 60_000;

/** In front of the parameters of a call that a node brings to its gateway. */
const Brought = z.object({
  from: NodeId,
  name: z.string(),
  withinMs: z.number().positive().max(longestCallMs),
  /** On the monotonic clock of that node. */
  deadlineMs: z.number(),
});

export const bringCall = (head: z.infer<typeof Brought>, params: string): string =>
  `${JSON.stringify(head)}\n${params}`;

export interface GatewayOptions {
  /** The own region's. */
  readonly connection: NatsConnection;
  readonly isConnected: () => boolean;
  readonly node: NodeId;
  readonly bootId: BootId;
  readonly region: RegionId;
  readonly other: Region;
  readonly ordinal: number;
  readonly topologyVersion: number;
  readonly allowed: AllowList;
  readonly prover: Prover;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RegionMetrics;
  /** The peer's monotonic clock minus ours (C6). */
  readonly clockOffsetMs: (node: NodeId) => number | undefined;
  readonly onChange: () => void;
}

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #client: GatewayClient;
  readonly #guard: CrossingGuard;
  readonly #maxResult: ReadonlyMap<string, number>;
  readonly #calls: Subscription;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { connection, allowed, region, node, bootId, other } = options;
    this.#guard = new CrossingGuard(allowed);
    this.#maxResult = new Map(allowed.calls.map(({ name, maxResultBytes }) => [name, maxResultBytes]));
    this.#client = new GatewayClient({ ...options, onEvent: (topic, data) => this.#relay(topic, data) });
    this.#calls = connection.subscribe(subjects.gatewayCalls(region, node, bootId, other.id), {
      callback: (error, message) => {
        if (error === null) void this.#answer(message);
      },
    });
    this.#client.start();
  }

  state(): ClientState {
    return this.#client.state();
  }

  carry(topics: ReadonlySet<string>): void {
    this.#client.carry(topics);
  }

  carryAlso(topics: Iterable<string>): void {
    this.#client.carryAlso(topics);
  }

  /** Carries a call of this node, or of another one. @returns the answer as text. @throws TangazaError */
  async call(name: string, params: string, withinMs: number): Promise<string> {
    const { clock, metrics, other } = this.#options;
    this.#guard.call(name, bytesOf(params), clock.monotonicMs(), (reason) =>
      metrics.refused(other.id, 'call', reason),
    );
    const answer = await this.#client.call(name, params, withinMs);
    metrics.crossed(other.id, 'call', 'out');
    if (bytesOf(answer) <= (this.#maxResult.get(name) ?? 0) + maxEnvelope) return answer;
    metrics.refused(other.id, 'call', 'answer_too_long');
    throw new TangazaError(
      'INTERNAL',
      `The answer of ${regionNamed(other.id)} to ${name} is longer than may cross.`,
    );
  }

  async close(): Promise<void> {
    this.#calls.unsubscribe();
    await this.#client.close();
  }

  async #answer(message: Msg): Promise<void> {
    let answer: string;
    try {
      const { name, params, withinMs } = this.#read(message.string());
      answer = await this.call(name, params, withinMs);
    } catch (error) {
      answer = textOf(refusalOf(error));
    }
    if (!this.#options.connection.isClosed()) message.respond(answer);
  }

  /** A node whose clock is not known here yet is trusted to wait for as long as it says. */
  #read(text: string): { readonly name: string; readonly params: string; readonly withinMs: number } {
    const { clock, clockOffsetMs } = this.#options;
    const at = text.indexOf('\n');
    const head = Brought.parse(jsonOf(text.slice(0, Math.max(0, at))));
    const offsetMs = clockOffsetMs(head.from);
    const leftMs = offsetMs === undefined ? head.withinMs : head.deadlineMs - offsetMs - clock.monotonicMs();
    if (leftMs <= 0) throw new TangazaError('DEADLINE_EXCEEDED');
    return { name: head.name, params: text.slice(at + 1), withinMs: Math.min(leftMs, head.withinMs) };
  }

  /** Publishes here what another region said, under the same subject. What is not allowed is dropped and counted. */
  #relay(topic: string, data: Uint8Array): void {
    const { clock, metrics, other, connection, isConnected } = this.#options;
    const refusal = this.#guard.event(partsOf(topic).name, data.length, clock.monotonicMs());
    const reason = refusal ?? (isConnected() && !connection.isClosed() ? undefined : 'own_nats_away');
    if (reason !== undefined) {
      metrics.refused(other.id, 'event', reason);
      return;
    }
    connection.publish(subjects.wanEvent(other.id, topic), data);
    metrics.crossed(other.id, 'event', 'in');
  }
}

/** Around a result, or the longest error. */
const maxEnvelope = 4000;

/** Hello is no call of an actor, so it is not in the allow-list of the product. */
export const withHello = (allowed: AllowList): AllowList => ({
  ...allowed,
  calls: [...allowed.calls, hello],
});
