/**
 * A gateway's client to the NATS of another region: calls go out through it, events come in (R2).
 *
 * It says hello twice a second. It works from the first answer that proves the same secrets on. When no answer has come for 2 s, it is given up
 * and made again, for ever: a half-open connection is found in that way too. Where an answer is overdue it says three hellos at once, as each
 * comes to any node, and one of them may stand still. Certificates and credentials are read again each time.
 *
 * Rejected: the library's own reconnecting. It gives up on a wrong password, does not say why TLS failed, and keeps the files that it has
 * read.
 */
import { randomUUID } from 'node:crypto';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { subjects } from '../../contract/subjects.ts';
import { errorCodeOf, TangazaError } from '../../errors/tangaza-error.ts';
import type { NodeId, RegionId } from '../../model/ids.ts';
import { pauseAfter } from '../../nats/consume.nats.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Clock } from '../../time/clock.ts';
import { connectGateway, isUnserved } from './connect.nats.ts';
import { hello, RegionClock } from './hello.ts';
import { longestPauseMs, ordinalWords, WrongSecret, wordsOf } from './link-faults.ts';
import type { Prover } from './proof.ts';
import type { RegionMetrics } from './region-metrics.ts';
import { Repeats } from './repeats.ts';
import type { Region } from '../topology/topology.ts';
import { jsonOf, readAnswer, textOf } from '../wire.ts';
import { regionNamed } from '../../model/region-words.ts';

const helloEveryMs = 500;
const silentMs = 2000;
const helloWaitsMs = 2000;
/** Without an answer for so long, hellos are said three at once. */
const overdueMs = 900;
const overdueHellos = 3;
const maxHellos = 12;
/** A subscription that another gateway serves by now goes on for so long: events may double then, and none is lost. */
const overlapMs = 1000;
/** Calls under way. What comes beyond is refused. */
const maxCalls = 1000;

export interface ClientOptions {
  readonly node: NodeId;
  readonly region: RegionId;
  readonly other: Region;
  /** Of this region, as its file says it. */
  readonly ordinal: number;
  readonly topologyVersion: number;
  readonly prover: Prover;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RegionMetrics;
  /** Its state has changed. */
  readonly onChange: () => void;
  /** An event came; `topic` is its subject behind `wan`. */
  readonly onEvent: (topic: string, data: Uint8Array) => void;
}

export interface ClientState {
  readonly isUp: boolean;
  readonly roundTripMs?: number;
  readonly offsetMs?: number;
  readonly topologyVersion?: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

interface Carried {
  readonly subscription: Subscription;
  /** Since when nobody wants it here any more. */
  unwantedAtMs: number | undefined;
}

interface Held {
  readonly wasUp: boolean;
  readonly fault: unknown;
}

export class GatewayClient {
  readonly #options: ClientOptions;
  readonly #ended = new AbortController();
  readonly #carried = new Map<string, Carried>();
  #running: Promise<void> = Promise.resolve();
  #connection: NatsConnection | undefined;
  #regionClock = new RegionClock();
  #isUp = false;
  #roundTripMs: number | undefined;
  #topologyVersion: number | undefined;
  #answeredAtMs = 0;
  #saying = 0;
  readonly #repeats = new Repeats();
  #calls = 0;
  #said: string | undefined;
  #bytes = { in: 0, out: 0 };

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run(this.#ended.signal);
  }

  state(): ClientState {
    const stats = this.#connection?.stats();
    const offsetMs = this.#regionClock.offsetMs();
    return {
      isUp: this.#isUp,
      ...(this.#isUp && this.#roundTripMs !== undefined ? { roundTripMs: this.#roundTripMs } : {}),
      ...(this.#isUp && offsetMs !== undefined ? { offsetMs } : {}),
      ...(this.#topologyVersion === undefined ? {} : { topologyVersion: this.#topologyVersion }),
      bytesIn: this.#bytes.in + (stats?.inBytes ?? 0),
      bytesOut: this.#bytes.out + (stats?.outBytes ?? 0),
    };
  }

  /**
   * Asks the other region.
   *
   * @returns its answer as text; nobody has looked at it
   * @throws TangazaError `UNAVAILABLE`, `OVERLOADED`
   */
  async call(name: string, params: string, withinMs: number): Promise<string> {
    const { other } = this.#options;
    if (!this.#isUp) throw new TangazaError('UNAVAILABLE', `No link to ${regionNamed(other.id)} works.`);
    if (this.#calls >= maxCalls)
      throw new TangazaError(
        'OVERLOADED',
        `${maxCalls} calls to ${regionNamed(other.id)} are under way already.`,
      );
    this.#calls += 1;
    try {
      return await this.#askAgain(name, params, withinMs);
    } catch (error) {
      throw new TangazaError(
        'UNAVAILABLE',
        `No answer of ${regionNamed(other.id)} to ${name}: ${messageOf(error)}.`,
        {
          cause: error,
        },
      );
    } finally {
      this.#calls -= 1;
    }
  }

  /** Hears these topics, too. */
  carryAlso(topics: Iterable<string>): void {
    if (this.#isUp) for (const topic of topics) if (!this.#carried.has(topic)) this.#subscribe(topic);
  }

  /** From now on hears these topics and no others. Called again and again, as what is not wanted any more ends a second later. */
  carry(topics: ReadonlySet<string>): void {
    const nowMs = this.#options.clock.runningMs();
    this.carryAlso(topics);
    for (const [topic, carried] of this.#carried) {
      carried.unwantedAtMs = topics.has(topic) ? undefined : (carried.unwantedAtMs ?? nowMs);
      if (carried.unwantedAtMs === undefined || nowMs - carried.unwantedAtMs < overlapMs) continue;
      carried.subscription.unsubscribe();
      this.#carried.delete(topic);
    }
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#connection?.close();
    await this.#running;
  }

  #subscribe(topic: string): void {
    const { other, onEvent } = this.#options;
    const subscription = this.#connection?.subscribe(subjects.wanEvent(other.id, topic), {
      callback: (error, message) => {
        if (error === null) onEvent(topic, message.data);
        else this.#say(error);
      },
    });
    if (subscription !== undefined) this.#carried.set(topic, { subscription, unwantedAtMs: undefined });
  }

  /** Connects again and again until it is closed. */
  async #run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      const { wasUp, fault } = await this.#hold(signal).catch((error: unknown) => ({
        wasUp: false,
        fault: error,
      }));
      if (fault !== undefined) this.#say(fault);
      if (wasUp) failures = 0;
      await pauseAfter(failures, signal, longestPauseMs(fault));
    }
  }

  /** One connection, from its first byte to its last. @returns whether it ever worked, and what ended it. @throws why there was none */
  async #hold(signal: AbortSignal): Promise<Held> {
    const { clock, region, node, other } = this.#options;
    const connection = await connectGateway(other, region, node);
    this.#connection = connection;
    this.#answeredAtMs = clock.runningMs();
    const over = Promise.withResolvers<boolean>();
    let wasUp = false;
    const stop = clock.every(helloEveryMs, () => {
      wasUp ||= this.#isUp;
      if (clock.runningMs() - this.#answeredAtMs > silentMs)
        over.reject(new Error(`no answer for ${silentMs / 1000} s`));
      else this.#sayHellos(connection, over.reject);
    });
    const end = (): void => over.resolve(wasUp);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    void this.#watch(connection);
    void connection
      .closed()
      .then((error) => (error instanceof Error ? over.reject(error) : over.resolve(wasUp)));
    this.#sayHello(connection, over.reject);
    try {
      return { wasUp: await over.promise, fault: undefined };
    } catch (fault) {
      return { wasUp, fault };
    } finally {
      stop();
      signal.removeEventListener('abort', end);
      this.#end(connection);
    }
  }

  #end(connection: NatsConnection): void {
    const { inBytes, outBytes } = connection.stats();
    this.#bytes = { in: this.#bytes.in + inBytes, out: this.#bytes.out + outBytes };
    this.#connection = undefined;
    this.#carried.clear();
    this.#regionClock = new RegionClock();
    void connection.close();
    this.#turn(false);
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) if (status.type === 'error') this.#say(status.error);
  }

  #sayHellos(connection: NatsConnection, giveUp: (error: unknown) => void): void {
    const isOverdue = this.#options.clock.runningMs() - this.#answeredAtMs > overdueMs;
    for (let left = isOverdue ? overdueHellos : 1; left > 0; left--) this.#sayHello(connection, giveUp);
  }

  #sayHello(connection: NatsConnection, giveUp: (error: unknown) => void): void {
    if (this.#saying >= maxHellos) return;
    this.#saying += 1;
    void this.#greet()
      .catch((error: unknown) => {
        if (connection !== this.#connection || connection.isClosed()) return;
        if (errorCodeOf(error) === 'FORBIDDEN' || error instanceof WrongSecret) giveUp(error);
        else if (isUnserved(error)) this.#unserved(error);
      })
      .finally(() => {
        this.#saying -= 1;
      });
  }

  /** That region's NATS is there, and none of its nodes. */
  #unserved(error: unknown): void {
    this.#answeredAtMs = this.#options.clock.runningMs();
    this.#say(error);
    this.#turn(false);
  }

  async #greet(): Promise<void> {
    const { clock, prover, other, ordinal, topologyVersion } = this.#options;
    const nonce = randomUUID();
    const [sentMs, sentUtcMs] = [clock.monotonicMs(), clock.utcMs()];
    const text = await this.#ask(hello.name, textOf({ nonce, topologyVersion, ordinal }), helloWaitsMs);
    const roundTripMs = clock.monotonicMs() - sentMs;
    const answer = readAnswer(hello, jsonOf(text));
    if (!prover.isSigned(`hello:${other.id}:${nonce}`, answer.proof)) throw new WrongSecret();
    const { ordinal: its = other.ordinal } = answer;
    if (its !== other.ordinal)
      throw new TangazaError('FORBIDDEN', ordinalWords(other.id, { its, ours: other.ordinal }));
    this.#answeredAtMs = clock.runningMs();
    this.#regionClock.note(sentUtcMs, roundTripMs, answer.utcMs);
    this.#roundTripMs = Math.round(roundTripMs * 10) / 10;
    this.#topologyVersion = answer.topologyVersion;
    this.#turn(true);
  }

  #askAgain(name: string, params: string, withinMs: number): Promise<string> {
    const { clock, metrics, other } = this.#options;
    return this.#repeats.run((leftMs) => this.#ask(name, params, leftMs), {
      withinMs,
      roundTripMs: this.#roundTripMs ?? 0,
      clock,
      onRepeat: () => metrics.repeated(other.id),
    });
  }

  async #ask(name: string, params: string, withinMs: number): Promise<string> {
    const { prover, region, other, clock } = this.#options;
    const connection = this.#connection;
    if (connection === undefined) throw new Error('the link was cut');
    const deadlineUtcMs = clock.utcMs() + (this.#regionClock.offsetMs() ?? 0) + withinMs;
    const head = { from: region, to: other.id, name, deadlineUtcMs };
    const text = prover.write({ head, params });
    const reply = await connection.request(subjects.wanCall(other.id, name), text, {
      timeout: Math.max(1, withinMs),
    });
    return reply.string();
  }

  #turn(isUp: boolean): void {
    if (this.#isUp === isUp) return;
    this.#isUp = isUp;
    const { logger, other, onChange } = this.#options;
    if (isUp) {
      this.#said = undefined;
      logger.info({ to: other.id, roundTripMs: this.#roundTripMs }, 'the link to another region works');
    } else {
      for (const { subscription } of this.#carried.values()) subscription.unsubscribe();
      this.#carried.clear();
    }
    onChange();
  }

  /** Says each fault once, until the link works again. */
  #say(error: unknown): void {
    if (this.#ended.signal.aborted) return;
    const { logger, other } = this.#options;
    const why = errorCodeOf(error) === 'FORBIDDEN' ? messageOf(error) : wordsOf(error, other);
    if (why === this.#said) return;
    this.#said = why;
    logger.warn({ to: other.id, why }, 'the link to another region does not work');
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'no answer');
