/**
 * The feed of a node: tells its sockets, and the other nodes of the region, what the comments actors have accepted (A7).
 *
 * A stream is kept up with while it has listeners, and for a minute after that, or after somebody has commented or read here: guards count what is said at
 * other nodes. Bound: 2,000 streams. At the bound, the one that was idle longest goes;
 * where all are in use, a page of another stream is refused.
 */
import { Gate } from '../../../cluster/bounds/gate.ts';
import type {
  AudienceFeed,
  AudienceListener,
  FollowedStream,
} from '../../../cluster/contract/audience/audience-feed.ts';
import type { CommentMode } from '../../../cluster/contract/api/audience-views.ts';
import { allStreams } from '../../../cluster/contract/api/moderation-views.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { MemberDirectory } from '../../../cluster/membership/member-directory.ts';
import type { BootId, NodeId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import { noOtherRegions, type OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { AudienceEvents, ReadEvent } from './audience-events.ts';
import { streamOf, type Change, type ChangeOutlet } from './change.ts';
import { feedMetrics } from './feed-metrics.ts';
import { hidingActOf, KeptHides } from './kept-hides.ts';
import { HeardNumbers, SentNumbers } from './numbers.ts';
import type { ReadableStore } from './store-reads.ts';
import { StreamFeed, type StreamFeedPorts } from './stream-feed.ts';
import { WrittenHere } from '../regions/written-here.ts';
import type { StoredComment } from '../store/comment-store.ts';

export interface FeedPorts {
  readonly node: NodeId;
  readonly region: RegionId;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: ReadableStore;
  readonly events: AudienceEvents;
  readonly members: Pick<MemberDirectory, 'onGone' | 'onDeclaredDead'>;
  readonly show: StreamFeedPorts['show'];
  readonly count: StreamFeedPorts['count'];
  readonly changedCounts?: StreamFeedPorts['changedCounts'];
  readonly recount?: StreamFeedPorts['recount'];
  readonly isSharedByRegions: boolean;
  /** Those that share the database; absent where there are none. */
  readonly regions?: Pick<OtherRegions, 'regions' | 'listen' | 'publish'>;
  readonly lag?: StreamFeedPorts['lag'];
  /** True where another region keeps copies, and authors are told when it has (A6). */
  readonly hasReplication: boolean;
}

const mostStreams = 2000;
const idleMs = 60_000;
/** How many reads for pages run at once, and how many wait. */
const reads = { running: 8, waiting: 2000 };
/** Of each stream at most three: one for its comments, one for its mode, and one for what other regions have counted. */
const backgroundReads = { running: 4, waiting: 3 * mostStreams };

export class Feed implements AudienceFeed, ChangeOutlet {
  readonly hasReplication: boolean;
  readonly #ports: FeedPorts;
  readonly #ofEach: StreamFeedPorts;
  readonly #streams = new Map<StreamId, StreamFeed>();
  readonly #heardListeners = new Set<(change: Change) => void>();
  readonly #hides = new KeptHides();
  readonly #sent = new SentNumbers();
  /** Of what concerns all streams. */
  readonly #heardOfAll = new HeardNumbers();
  readonly #writtenHere: WrittenHere | undefined;
  readonly #stops: readonly (() => void)[];

  constructor(ports: FeedPorts) {
    this.#ports = ports;
    this.hasReplication = ports.hasReplication;
    const { regions = noOtherRegions } = ports;
    this.#writtenHere = regions.regions.length === 0 ? undefined : new WrittenHere(regions);
    this.#ofEach = {
      ...ports,
      regions,
      metrics: feedMetrics(ports.metrics),
      hides: this.#hides,
      gate: new Gate({ about: 'the comments of a page', ...reads }),
      background: new Gate({ about: 'what may have been missed', ...backgroundReads }),
      onHeard: (change) => this.#heard(change),
      onFound: (change) => {
        this.#heard(change);
        this.#tellOthers(change);
      },
      tellRead: (stream, readToMs) => {
        const { node, bootId, clock, events } = ports;
        events.publish(stream, { node, bootId, ...this.#sent.head(stream, clock.utcMs()), readToMs });
      },
    };
    const { members, events } = ports;
    this.#stops = [
      members.onGone(() => this.doubt('death')),
      members.onDeclaredDead(() => this.doubt('death')),
      events.onBack(() => this.doubt('reconnect')),
      events.listen(allStreams, { hear: (read) => this.#hearOfAll(read) }).stop,
    ];
  }

  follow(stream: StreamId, listener: AudienceListener): FollowedStream {
    const feed = this.#open(stream);
    if (feed === undefined) throw tooMany();
    const leave = feed.attach(listener);
    return {
      resume: (from) => feed.resume(from),
      changesSince: (atMs) => feed.changesSince(atMs),
      known: () => feed.known(),
      close: leave,
    };
  }

  told(change: Change): void {
    const stream = streamOf(change);
    this.#keepHide(change);
    // What nobody follows here is read when somebody does.
    const isForFollowers = change.kind === 'unsure' || change.kind === 'replicated';
    if (stream === allStreams) this.#takeOfAll(change);
    else (isForFollowers ? this.#streams.get(stream) : this.#open(stream))?.take(change);
    this.#tellOthers(change);
    this.#writtenHere?.note(change);
  }

  /** Tells other regions that share the database what was written here since the last time. */
  tellRegions(): void {
    this.#writtenHere?.tell();
  }

  found(change: Change): void {
    const stream = streamOf(change);
    this.#keepHide(change);
    if (stream === allStreams) this.#takeOfAll(change);
    else this.#streams.get(stream)?.take(change);
    this.#tellOthers(change);
  }

  onHeard(listener: (change: Change) => void): () => void {
    this.#heardListeners.add(listener);
    return () => this.#heardListeners.delete(listener);
  }

  /**
   * Keeps up with a stream for a minute from now on, also without sockets: for guards, which count comments that are accepted elsewhere.
   *
   * @returns the newest comments, in order, where the ring has been read; undefined where it has not, or does not reach so far
   */
  newest(stream: StreamId, limit: number): readonly StoredComment[] | undefined {
    return this.#open(stream)?.newest(limit);
  }

  /** How the stream takes comments, as the feed knows it. @throws TangazaError as the store throws it; `OVERLOADED` */
  mode(stream: StreamId): Promise<CommentMode> {
    const feed = this.#open(stream);
    return feed === undefined ? Promise.reject(tooMany()) : feed.mode();
  }

  /** An event may have been lost: the store is read for each stream (A7). @param fromMs since when, UTC, where that is known */
  doubt(why: string, fromMs?: number): void {
    for (const feed of this.#streams.values()) feed.doubt(why, fromMs);
  }

  /** Repeats the heads, reads what is due, and drops idle streams. To be called each second. */
  tick(): void {
    const { node, bootId, clock, events } = this.#ports;
    const beforeMs = clock.runningMs() - idleMs;
    for (const [stream, feed] of this.#streams) {
      if (feed.usedMs < beforeMs) this.#drop(stream);
      else feed.tick();
    }
    for (const { stream, ...head } of this.#sent.heads(clock.utcMs()))
      events.publish(stream, { node, bootId, ...head, isHead: true });
    this.#ofEach.metrics.streams.set(this.#streams.size);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    for (const stream of this.#streams.keys()) this.#drop(stream);
  }

  #tellOthers(change: Change): void {
    const { node, bootId, clock, events } = this.#ports;
    const stream = streamOf(change);
    const numbered = this.#sent.next(stream, clock.utcMs());
    const isSent = events.publish(stream, { node, bootId, ...numbered, change });
    this.#ofEach.metrics.events.add(1, { event: isSent ? 'sent' : 'unsent' });
  }

  /** What another node tells counts for hides and guards whether or not it was told before. */
  #heard(change: Change): void {
    this.#keepHide(change);
    for (const listener of this.#heardListeners) listener(change);
  }

  #hearOfAll(read: ReadEvent): void {
    const { node, bootId, clock } = this.#ports;
    const { events } = this.#ofEach.metrics;
    if (read.kind !== 'event') return events.add(1, { event: read.kind });
    const { event } = read;
    if (event.node === node && event.bootId === bootId) return;
    const nowMs = clock.utcMs();
    const verdict =
      'change' in event
        ? this.#heardOfAll.event(event, event, nowMs)
        : this.#heardOfAll.head(event, event, nowMs);
    if ('change' in event) {
      events.add(1, { event: verdict.kind === 'again' ? 'again' : 'heard' });
      this.#heard(event.change);
      this.#takeOfAll(event.change);
    }
    if (verdict.kind === 'gap' || verdict.kind === 'unknown') this.doubt(verdict.kind);
  }

  /** No stream has this name: a comment of it is none of theirs. */
  #takeOfAll(change: Change): void {
    if (change.kind !== 'ban' && change.kind !== 'erased') return;
    for (const feed of this.#streams.values()) feed.take(change);
  }

  #keepHide(change: Change): void {
    if (change.kind !== 'hiding') return;
    this.#hides.keep(change.id, hidingActOf(change), this.#ports.clock.utcMs());
  }

  #open(stream: StreamId): StreamFeed | undefined {
    const known = this.#streams.get(stream);
    if (known !== undefined) return known;
    if (this.#streams.size >= mostStreams && !this.#makeRoom()) return undefined;
    const feed = new StreamFeed(stream, this.#ofEach);
    this.#streams.set(stream, feed);
    feed.tick();
    return feed;
  }

  #makeRoom(): boolean {
    let oldest: StreamFeed | undefined;
    for (const feed of this.#streams.values())
      if (!feed.isUsed && (oldest === undefined || feed.usedMs < oldest.usedMs)) oldest = feed;
    if (oldest === undefined) return false;
    this.#drop(oldest.stream);
    return true;
  }

  #drop(stream: StreamId): void {
    this.#streams.get(stream)?.close();
    this.#streams.delete(stream);
  }
}

const tooMany = (): TangazaError =>
  new TangazaError(
    'OVERLOADED',
    `This node keeps up with ${mostStreams} streams already: come back in a minute.`,
  );
