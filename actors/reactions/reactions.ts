/**
 * Reactions of a node, and how many are in its audiences (A5, A10).
 *
 * A tap is an addition. Every 250 ms this node tells the others of its region its sum of each stream, and its own sockets the sum of the
 * regions that it hears, with the seconds of media that they were given at: what it costs grows with windows and nodes, never with taps or viewers. A reaction that is lost on the way is gone; what
 * remains of it is a count for a minute.
 */
import {
  nobody,
  viewersOf,
  type AudienceCounts,
  type KeepReactions,
  type ReactBody,
  type ReactionListener,
  type ReactionSums,
  type Reactions,
} from '../../cluster/contract/audience/reactions.ts';
import type { MovingPlayers } from '../../cluster/contract/audience/audience-feed.ts';
import { StreamId, type BootId, type NodeId, type RegionId } from '../../cluster/model/ids.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Metrics } from '../../cluster/observe/metrics.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { MinuteCounts } from './minute-counts.ts';
import { PeerCounts, plus, type CountsByStream } from './peer-counts.ts';
import type { CountsEvent, ReactionEvents, WindowEvent } from './reaction-events.ts';
import { entriesOf, WindowSums } from './window-sums.ts';

export interface ReactionPorts {
  readonly node: NodeId;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly events: ReactionEvents;
  /** Undefined where nothing is kept. */
  readonly keep: () => KeepReactions | undefined;
  /** The audience of this edge alone, by stream. */
  readonly ownCounts: () => CountsByStream;
  /** The players of this edge, who move; undefined on a node without an edge. */
  readonly players: () => MovingPlayers | undefined;
}

export const windowMs = 250;
export const tellEveryMs = 2000;
export const keepEveryMs = 10_000;
/** Of sessions with 64 characters, these are 67 kB: NATS takes 1 MB in a message. */
const movedInEvent = 1000;
/** The most streams that have reactions in one window. */
const mostStreams = 10_000;

interface Followed {
  readonly listeners: Set<ReactionListener>;
  readonly stop: () => void;
  viewers: number;
}

export class NodeReactions implements Reactions {
  readonly #ports: ReactionPorts;
  /** Taps at this node, and those of the whole region, since the last window. */
  readonly #own = new WindowSums(mostStreams);
  readonly #region = new WindowSums(mostStreams);
  readonly #minutes: MinuteCounts;
  readonly #peers = new PeerCounts();
  readonly #followed = new Map<StreamId, Followed>();
  readonly #stopHearing: readonly (() => void)[];
  readonly #taps;
  readonly #lost;

  constructor(ports: ReactionPorts) {
    this.#ports = ports;
    this.#minutes = new MinuteCounts(`${ports.node}.${ports.bootId}`);
    this.#taps = ports.metrics.counter({
      name: 'tangaza_reactions_total',
      help: 'Reactions that this node counted, by kind.',
      labels: ['kind'],
    });
    this.#lost = ports.metrics.counter({
      name: 'tangaza_reactions_lost_total',
      help: 'Reactions or their sums that were dropped: over a bound, untold to other nodes, or not kept yet.',
      labels: ['why'],
    });
    this.#stopHearing = [
      ports.events.onCounts((event, from) => this.#hearCounts(event, from)),
      ports.events.onMoved(ports.node, ({ sessions }) => {
        for (const session of sessions) ports.players()?.left(session);
      }),
    ];
  }

  react(stream: StreamId, { kind, mediaTime }: ReactBody): void {
    if (!this.#own.add(stream, kind, mediaTime)) this.#lost.add(1, { why: 'bound' });
  }

  follow(stream: StreamId, listener: ReactionListener): () => void {
    const followed = this.#followed.get(stream) ?? this.#begin(stream);
    followed.listeners.add(listener);
    return () => {
      followed.listeners.delete(listener);
      if (followed.listeners.size > 0 || this.#followed.get(stream) !== followed) return;
      followed.stop();
      this.#followed.delete(stream);
    };
  }

  countsOf(stream: StreamId): AudienceCounts {
    const own = this.#ports.ownCounts().get(stream) ?? nobody;
    return plus(own, this.#peers.sum(stream, this.#ports.clock.monotonicMs()));
  }

  /** Ends a window, and tells other edges which of their players are counted here. To be called every 250 ms. */
  endWindow(): void {
    const { clock, events, node, bootId, players } = this.#ports;
    const nowMs = clock.utcMs();
    // Untold, they count there until they have been silent for too long.
    for (const [edge, sessions] of players()?.takeMoved() ?? [])
      for (let first = 0; first < sessions.length; first += movedInEvent)
        events.publishMoved(edge, { node, bootId, sessions: sessions.slice(first, first + movedInEvent) });
    for (const [stream, sums] of this.#own.take()) {
      for (const [kind, count] of entriesOf(sums.counts)) this.#taps.add(count, { kind });
      if (!events.publishWindow(stream, { node, bootId, ...sums })) this.#lost.add(1, { why: 'untold' });
      this.#addToRegion(stream, sums);
      const left = this.#minutes.add(stream, sums.counts, nowMs);
      if (left > 0) this.#lost.add(left, { why: 'bound' });
    }
    for (const [stream, sums] of this.#region.take())
      for (const listener of this.#followed.get(stream)?.listeners ?? []) listener.reactions(sums, windowMs);
  }

  /** Tells the other nodes this one's numbers, and its sockets those of the region. To be called every 2 s. */
  tell(): void {
    const { node, bootId, events, ownCounts } = this.#ports;
    events.publishCounts({ node, bootId, streams: Object.fromEntries(ownCounts()) });
    for (const [stream, followed] of this.#followed) {
      const viewers = viewersOf(this.countsOf(stream));
      if (viewers === followed.viewers) continue;
      followed.viewers = viewers;
      for (const listener of followed.listeners) listener.viewers(viewers);
    }
  }

  /** Writes what has changed of the minutes. To be called every 10 s, and at the end. */
  async keep(): Promise<void> {
    const { keep, clock, logger } = this.#ports;
    const write = keep();
    if (write === undefined) return;
    const failed = await this.#minutes.write(write, clock.utcMs());
    if (failed === 0) return;
    this.#lost.add(failed, { why: 'unkept' });
    logger.warn({ failed }, 'counts of reactions could not be kept: they are written again in 10 s');
  }

  close(): void {
    for (const stop of this.#stopHearing) stop();
    for (const { stop } of this.#followed.values()) stop();
    this.#followed.clear();
  }

  #begin(stream: StreamId): Followed {
    const stop = this.#ports.events.listen(stream, (event, from) => this.#hear(stream, event, from));
    const followed = { listeners: new Set<ReactionListener>(), stop, viewers: -1 };
    this.#followed.set(stream, followed);
    return followed;
  }

  #hearCounts({ node, streams }: CountsEvent, from: RegionId | undefined): void {
    if (from === undefined && node === this.#ports.node) return;
    const counts = new Map<StreamId, AudienceCounts>();
    for (const [stream, one] of Object.entries(streams)) counts.set(StreamId.parse(stream), one);
    this.#peers.note(from === undefined ? node : `${from}/${node}`, counts, this.#ports.clock.monotonicMs());
  }

  #hear(stream: StreamId, event: WindowEvent, from: RegionId | undefined): void {
    if (from !== undefined || event.node !== this.#ports.node) this.#addToRegion(stream, event);
  }

  #addToRegion(stream: StreamId, sums: ReactionSums): void {
    if (!this.#followed.has(stream)) return;
    if (!this.#region.addSums(stream, sums)) this.#lost.add(1, { why: 'bound' });
  }
}
