/**
 * Fetches objects from other regions into this region's store: the edge's part that other edges and relayers ask (R5).
 *
 * An object is fetched once, however many ask. It is taken only if its whole hash is the one of the commit, as the store's key holds a
 * part of it. What the store does not take is kept in memory for those who wait. That nobody has an object is remembered for 2 s, so that
 * viewers who ask for it do not ask other regions each time. That a region could not be reached is never remembered.
 *
 * Bounds: how many of each home are fetched at once and how many wait (beyond that: `OVERLOADED`), the time of one, the bytes in memory, and
 * how many objects are remembered as lacking. A home has places of its own, so one whose edges are mute holds up no other one's objects.
 */
import { hash } from 'node:crypto';
import { Gate } from '../../../cluster/bounds/gate.ts';
import type { PulledObject, PullState } from '../../../cluster/contract/edge-actions.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { Gauge, Metrics } from '../../../cluster/observe/metrics.ts';
import type { EdgeElsewhere, Elsewhere } from '../../../cluster/region/elsewhere.ts';
import { abortAfter, type Clock } from '../../../cluster/time/clock.ts';
import { within } from '../../../cluster/time/within.ts';
import { initKey, segmentKey } from '../../segment-store/segment-key.ts';
import type { SegmentStore } from '../../segment-store/segment-store.ts';
import type { Crossings } from './crossings.ts';
import { answerOfError, askInLine, type Answer, type LinePorts } from './ask-in-line.ts';
import type { FetchAcross, ObjectAsked } from './fetch-across.ts';
import type { SilentSources } from './silent-sources.ts';
import { isNowhere, sourcesFor } from './sources.ts';

export interface PullerPorts {
  readonly clock: Clock;
  readonly store: Pick<SegmentStore, 'range' | 'putIfAbsent'>;
  readonly elsewhere: Pick<Elsewhere, 'homeOf' | 'edges'>;
  /** All other regions. */
  readonly regions: readonly RegionId[];
  readonly fetchAcross: Pick<FetchAcross, 'object'>;
  readonly crossings: Crossings;
  readonly silent: SilentSources;
  /** Of the link to that region, as it was measured last. */
  readonly roundTripMs: (region: RegionId) => number | undefined;
  readonly metrics: Metrics;
}

/** Of each home. */
const limits = { running: 16, waiting: 112 };
const pullMs = 10_000;
const storeMs = 5000;
const lackingMs = 2000;
const mostLacking = 10_000;
const mostUnstoredBytes = 67_108_864;

/** Its key in the store. */
export function keyOfPulled({ streamId: stream, period, rendition, media }: PulledObject): string {
  const place = { stream, period, rendition };
  return media.startTime === undefined
    ? initKey(place, media.sha256)
    : segmentKey(place, media.startTime, media.sha256);
}

export class Puller {
  readonly #ports: PullerPorts;
  readonly #waiting: Gauge;
  /** By home, and one for objects whose home is not known; so there are no more of them than regions. */
  readonly #gates = new Map<RegionId | undefined, Gate>();
  readonly #running = new Map<string, Promise<PullState>>();
  /** Until when nobody has it, in monotonic ms; in order of time. */
  readonly #lacking = new Map<string, number>();
  /** What the store did not take, the oldest first. */
  readonly #unstored = new Map<string, Uint8Array>();
  readonly #closing = new AbortController();
  #unstoredBytes = 0;

  constructor(ports: PullerPorts) {
    this.#ports = ports;
    this.#waiting = ports.metrics.gauge({
      name: 'tangaza_crossing_waiting_pulls',
      help: 'Objects that wait for their turn to be fetched, by their home (none: it is not known); 112 of each at most.',
      labels: ['region'],
    });
  }

  /**
   * Fetches the object, or joins whoever fetches it.
   *
   * @param waitMs after it the answer is `underWay`, and the fetching goes on
   * @throws TangazaError `OVERLOADED`, and those of this region's store
   */
  async pull(object: PulledObject, waitMs: number): Promise<PullState> {
    const key = keyOfPulled(object);
    if ((this.#lacking.get(key) ?? -Infinity) > this.#ports.clock.monotonicMs()) return 'notFound';
    if (this.#unstored.has(key)) return 'unstored';
    const running = this.#running.get(key) ?? this.#begin(key, object);
    return within(running, { clock: this.#ports.clock, ms: waitMs, late: (): PullState => 'underWay' });
  }

  unstored(key: string): Uint8Array | undefined {
    return this.#unstored.get(key);
  }

  close(): void {
    this.#closing.abort(new TangazaError('UNAVAILABLE', 'This edge is closing.'));
  }

  #begin(key: string, object: PulledObject): Promise<PullState> {
    const { signal } = this.#closing;
    const gate = this.#gateOf(this.#homeOf(object));
    const run = gate.run(() => this.#run(key, object), signal).finally(() => this.#running.delete(key));
    run.catch(() => {}); // who waited for it may have gone
    this.#running.set(key, run);
    return run;
  }

  #homeOf({ streamId, home }: PulledObject): RegionId | undefined {
    return this.#ports.elsewhere.homeOf(streamId)?.region ?? home;
  }

  #gateOf(home: RegionId | undefined): Gate {
    const region = home !== undefined && this.#ports.regions.includes(home) ? home : undefined;
    const known = this.#gates.get(region);
    if (known !== undefined) return known;
    const gate = new Gate({
      ...limits,
      about: `objects of ${region ?? 'other regions'}`,
      onWaiting: (count) => this.#waiting.set(count, { region: region ?? 'none' }),
    });
    this.#gates.set(region, gate);
    return gate;
  }

  async #run(key: string, object: PulledObject): Promise<PullState> {
    if (await this.#isStored(key)) return 'stored';
    const body = await this.#fetch(key, object);
    if (body === 'notFound') this.#rememberLacking(key);
    return typeof body === 'string' ? body : this.#keep(key, body);
  }

  /** Another edge may have fetched it meanwhile. */
  async #isStored(key: string): Promise<boolean> {
    using late = abortAfter(this.#ports.clock, storeMs);
    try {
      await this.#ports.store.range(key, 0, 1, late.signal);
      return true;
    } catch (error) {
      if (errorCodeOf(error) === 'SEGMENT_NOT_FOUND') return false;
      throw error;
    }
  }

  /** A region that lacks the object, or has another one, is not asked again. */
  async #fetch(key: string, object: PulledObject): Promise<Uint8Array | 'notFound' | 'unreachable'> {
    const { clock, elsewhere, regions, silent, roundTripMs } = this.#ports;
    const home = this.#homeOf(object);
    const isSilent = (edge: EdgeElsewhere): boolean => silent.isSilent(edge);
    const sources = sourcesFor(key, elsewhere.edges(), { home, isSilent });
    const onFault: LinePorts['onFault'] = (edge, fault) => silent.note(edge, fault);
    const ask: LinePorts['ask'] = ({ region, httpUrl }, signal, onBegin) =>
      this.#ask(region, { httpUrl, key, mostBytes: object.media.bytes, onBegin }, object, signal);
    using late = abortAfter(clock, pullMs);
    const signal = AbortSignal.any([late.signal, this.#closing.signal]);
    const { body, lacking } = await askInLine({ clock, roundTripMs, ask, onFault }, sources, signal);
    if (body !== undefined) return body;
    return isNowhere({ lacking, sources, regions, home }) ? 'notFound' : 'unreachable';
  }

  async #ask(
    region: RegionId,
    asked: ObjectAsked,
    { streamId, media }: PulledObject,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { fetchAcross, crossings } = this.#ports;
    try {
      const body = await fetchAcross.object(asked, signal);
      if (body.byteLength === media.bytes && hash('sha256', body) === media.sha256) {
        crossings.count(region, 'ok', body.byteLength);
        return { kind: 'given', body };
      }
      crossings.damaged(region, streamId, asked.key, body.byteLength);
      return { kind: 'lacks' };
    } catch (error) {
      if (signal.aborted) return { kind: 'silent' }; // another edge sends it, or time is over
      const answer = answerOfError(error);
      crossings.count(region, answer.kind === 'lacks' ? 'notFound' : 'failed');
      return answer;
    }
  }

  /** Whatever the store says, viewers get the object. The store's meter counts its faults and says them. */
  async #keep(key: string, body: Uint8Array): Promise<PullState> {
    using late = abortAfter(this.#ports.clock, storeMs);
    try {
      await this.#ports.store.putIfAbsent(key, body, late.signal);
      return 'stored';
    } catch {
      this.#keepUnstored(key, body);
      return 'unstored';
    }
  }

  #keepUnstored(key: string, body: Uint8Array): void {
    this.#unstored.set(key, body);
    this.#unstoredBytes += body.byteLength;
    for (const [oldest, { byteLength }] of this.#unstored) {
      if (this.#unstoredBytes <= mostUnstoredBytes) return;
      this.#unstored.delete(oldest);
      this.#unstoredBytes -= byteLength;
    }
  }

  #rememberLacking(key: string): void {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#lacking.delete(key);
    this.#lacking.set(key, nowMs + lackingMs);
    for (const [oldest, untilMs] of this.#lacking) {
      if (untilMs > nowMs && this.#lacking.size <= mostLacking) return;
      this.#lacking.delete(oldest);
    }
  }
}
