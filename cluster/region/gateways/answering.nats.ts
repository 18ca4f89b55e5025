/**
 * Answers calls of other regions: every node answers hello, and what its actors serve. Nothing runs before size, signature, regions, rate and
 * deadline were checked (R2).
 *
 * A caller chooses where the answer goes, and NATS asks nobody whether it may: the answer is sent with the rights of this node. So only what
 * asks to be answered in the inbox of a region is answered, and a signed call in the inbox of its own region alone.
 */
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { RegionCall } from '../../contract/regions/crossing.ts';
import { subjects } from '../../contract/subjects.ts';
import { TangazaError } from '../../errors/tangaza-error.ts';
import type { NodeId, RegionId } from '../../model/ids.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Clock } from '../../time/clock.ts';
import type { CrossingGuard } from './crossing-guard.ts';
import { hello, maxSkewMs } from './hello.ts';
import { ordinalWords } from './link-faults.ts';
import { maxHeadBytes, type Prover, type SignedCall } from './proof.ts';
import type { RegionMetrics } from './region-metrics.ts';
import { ordinalOf, type Topology } from '../topology/topology.ts';
import { answerText, bytesOf, jsonOf, readParams, refusalOf } from '../wire.ts';
import { regionNamed } from '../../model/region-words.ts';

/** One queue for all: each call comes to one node of those that serve it. */
const queue = 'serve';
/** Calls that run at once, of all regions and names. */
const maxRunning = 1000;
/** Strangers that are said once each; behind that, none. */
const maxSaid = 64;

export interface AnsweringOptions {
  readonly connection: NatsConnection;
  readonly node: NodeId;
  readonly region: RegionId;
  readonly topology: Topology;
  readonly prover: Prover;
  readonly guard: CrossingGuard;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RegionMetrics;
}

export class Answering {
  readonly #options: AnsweringOptions;
  readonly #said = new Set<string>();
  #running = 0;

  constructor(options: AnsweringOptions) {
    this.#options = options;
  }

  /** @returns what ends it */
  serve<P, R>(call: RegionCall<P, R>, run: (params: P, from: RegionId) => Promise<R>): () => void {
    const { connection, region } = this.#options;
    const subscription = connection.subscribe(subjects.wanCall(region, call.name), {
      queue,
      callback: (error, message) => {
        if (error === null) void this.#answer(call, run, message);
      },
    });
    return () => subscription.unsubscribe();
  }

  answerHellos(): () => void {
    const { node, region, prover, topology, clock } = this.#options;
    const own = ordinalOf(topology, region);
    return this.serve(hello, async ({ nonce, ordinal: its }, from) => {
      const ours = ordinalOf(topology, from);
      if (its !== undefined && its !== ours)
        throw new TangazaError('FORBIDDEN', ordinalWords(from, { its, ours }));
      const proof = prover.answer(region, nonce);
      return { node, proof, utcMs: clock.utcMs(), topologyVersion: topology.version, ordinal: own };
    });
  }

  async #answer<P, R>(
    call: RegionCall<P, R>,
    run: (params: P, from: RegionId) => Promise<R>,
    message: Msg,
  ): Promise<void> {
    if (!this.#isForAnInbox(message)) return;
    this.#running += 1;
    try {
      const { head, params } = this.#read(call, message);
      const result = await run(readParams(call, jsonOf(params)), head.from);
      this.#options.metrics.crossed(head.from, 'call', 'in');
      this.#respond(message, answerText(call, { result }));
    } catch (error) {
      this.#respond(message, answerText(call, refusalOf(error)));
    } finally {
      this.#running -= 1;
    }
  }

  /** Nothing of a message with another reply subject is read, as nobody may be told anything there. */
  #isForAnInbox({ reply }: Msg): boolean {
    const { region } = this.#options;
    if (reply?.startsWith(subjects.wanInboxes(region)) === true) return true;
    const why = 'it asks for its answer outside of the inboxes of regions, where nodes alone may write';
    this.#say('a client with the rights of gateways', 'reply', why);
    return false;
  }

  #respond(message: Msg, text: string): void {
    if (!this.#options.connection.isClosed()) message.respond(text);
  }

  /** @throws TangazaError for what this region does not answer */
  #read(call: { readonly name: string; readonly maxBytes: number }, message: Msg): SignedCall {
    const { guard, clock, metrics } = this.#options;
    const refuse = (reason: string): void => metrics.refused('other', 'call', reason);
    if (this.#running > maxRunning) {
      refuse('overloaded');
      throw new TangazaError('OVERLOADED', `${maxRunning} calls of other regions run on this node already.`);
    }
    if (message.data.length > call.maxBytes + maxHeadBytes) {
      refuse('too_long');
      throw new TangazaError('BODY_TOO_LARGE', `The call ${call.name} is longer than may cross.`);
    }
    const signed = this.#proven(message.string(), call.name, message.reply ?? '');
    guard.call(call.name, bytesOf(signed.params), clock.monotonicMs(), refuse);
    const lateMs = clock.utcMs() - signed.head.deadlineUtcMs;
    // A hello is what measures the clocks, so it comes before they are known.
    if (lateMs <= maxSkewMs || call.name === hello.name) return signed;
    refuse('late');
    throw new TangazaError('DEADLINE_EXCEEDED', `The call came ${Math.round(lateMs)} ms after its deadline.`);
  }

  #proven(text: string, name: string, reply: string): SignedCall {
    const { prover, region, topology, metrics } = this.#options;
    const signed = prover.read(text);
    if (signed === 'garbage') {
      metrics.refused('other', 'call', 'garbage');
      throw new TangazaError('BAD_REQUEST', 'This is no call of a gateway.');
    }
    if (signed === 'stranger') {
      this.#say('a gateway', 'stranger', 'it does not have the shared secrets of this deployment');
      const detail = `${regionNamed(region)} has other shared secrets: give the nodes of both regions one secrets.json, unless it is somebody else's cluster`;
      throw new TangazaError('FORBIDDEN', detail);
    }
    const { from, to } = signed.head;
    const isFromThere = from !== region && reply.startsWith(`${subjects.wanInbox(region, from)}.`);
    if (to !== region || signed.head.name !== name || !isFromThere) {
      metrics.refused('other', 'call', 'misdirected');
      throw new TangazaError(
        'FORBIDDEN',
        `this is ${regionNamed(region)}, and the call is of ${from} to ${to}: compare natsUrls and TANGAZA_REGION with the topology`,
      );
    }
    if (!topology.regions.some(({ id }) => id === from)) {
      this.#say(
        from,
        'unknown_region',
        'that region is not in the topology of this node: give all nodes the same file',
      );
      throw new TangazaError(
        'FORBIDDEN',
        `${regionNamed(region)} has version ${topology.version} of the topology, in which there is no ${regionNamed(from)}: give its nodes the new file`,
      );
    }
    return signed;
  }

  #say(who: string, reason: string, why: string): void {
    this.#options.metrics.refused('other', 'call', reason);
    if (this.#said.has(who) || this.#said.size >= maxSaid) return;
    this.#said.add(who);
    this.#options.logger.warn(
      { who, why },
      'a call from another region is refused, and so are all further ones of that kind',
    );
  }
}
