/**
 * Streams whose home is another region, as an edge sees them: says that they are needed, and waits until they are relayed (R4).
 *
 * Everything that viewers get comes from the log of this edge's own region, as for any stream. Only the first request waits: until that log has
 * what the home's has, or for 5 s, as a 404 is final for hls.js. While the home is cut off, the log stands still, and this says for how long.
 *
 * A stream that no other region tells of is never said to be needed. The registry comes first, so requests for streams that exist nowhere cross
 * nowhere.
 */
import { relayMessages, type RelayedStream } from '../../../cluster/contract/relay-needs.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Elsewhere, StreamElsewhere } from '../../../cluster/region/elsewhere.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { RelayNeeds } from '../../../cluster/region/relay-needs.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { StreamFollower } from './stream-follower.ts';

export interface FarPart {
  readonly clock: Clock;
  readonly elsewhere: Pick<Elsewhere, 'homeOf' | 'ask'>;
  readonly others: Pick<OtherRegions, 'links'>;
  readonly needs: RelayNeeds;
}

/** Times in ms. */
const limits = {
  readyMs: 5000,
  lookMs: 20,
  /** A need that nobody has answered is said again. */
  sayAgainMs: 1000,
  /** A relayer answers each need; without an answer for so long, the log may stand still. */
  silentMs: 12_000,
} as const;

/** A stream that is on air in another region, for who does not watch it. */
export interface Glance {
  readonly home: RegionId;
  /** Of the stream, if somebody watches it here. */
  readonly follower: StreamFollower | undefined;
}

interface Asked {
  readonly follower: StreamFollower;
  /** Resolves once viewers may be shown what the log has; undefined while the home is here, or nowhere. */
  ready: Promise<void> | undefined;
  isReady: boolean;
  told: RelayedStream | undefined;
  /** When this region's log last was told to have what the home's has. */
  atHeadMs: number;
}

export class FarStreams {
  readonly #part: FarPart;
  readonly #asked = new Map<StreamId, Asked>();
  readonly #stop: () => void;
  #saidMs: number;
  #isClosed = false;

  constructor(part: FarPart) {
    this.#part = part;
    this.#saidMs = part.clock.monotonicMs();
    this.#stop = part.needs.onRelayed((told) => this.#note(told));
  }

  /** Resolves when a stream of another region is relayed up to its home's head, or after 5 s; else at once. */
  async ready(follower: StreamFollower): Promise<void> {
    const known = this.#askedOf(follower);
    if (known === undefined) await this.#findHome(follower);
    const asked = this.#askedOf(follower) ?? this.#ask(follower);
    this.#look(asked);
    if (!asked.isReady) await asked.ready;
  }

  /** For who looks at a stream and does not watch it: says of it no need. @param follower of it, if there is one */
  glance(id: StreamId, follower: StreamFollower | undefined): Glance | undefined {
    const home = follower === undefined ? this.#part.elsewhere.homeOf(id) : this.#homeOf(follower);
    if (home?.isOnAir !== true) return undefined;
    const isWatched = follower !== undefined && this.#askedOf(follower)?.isReady === true;
    return { home: home.region, follower: isWatched ? follower : undefined };
  }

  /** For how long this region's log of the stream has stood still, as its home cannot be heard; 0 while it can. */
  staleSeconds(follower: StreamFollower): number {
    const asked = this.#askedOf(follower);
    const home = this.#homeOf(follower);
    if (asked === undefined || home === undefined || follower.timeline.state === 'ended') return 0;
    const nowMs = this.#part.clock.monotonicMs();
    const cutMs = this.#cutMs(home);
    const silentMs = nowMs - asked.atHeadMs;
    return Math.max(cutMs, silentMs > limits.silentMs ? silentMs : 0) / 1000;
  }

  /** Says what is needed, forgets what is no longer followed, and notices homes that changed. To be called a few times a second. */
  tick(): void {
    for (const [id, asked] of this.#asked) {
      if (asked.follower.isClosed) this.#asked.delete(id);
      else this.#look(asked);
    }
    if (this.#part.clock.monotonicMs() - this.#saidMs < relayMessages.needEveryMs) return;
    this.#saidMs = this.#part.clock.monotonicMs();
    const all = [...this.#asked.values()].map(({ follower }) => follower);
    this.#say(all.filter((one) => this.#homeOf(one) !== undefined).map(({ id }) => id));
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  /** A node that has just started has not heard of all streams. Who comes first asks, unless this region has the stream on air. */
  async #findHome({ id, timeline }: StreamFollower): Promise<void> {
    const { elsewhere } = this.#part;
    if (timeline.state !== 'live' && elsewhere.homeOf(id) === undefined) await elsewhere.ask(id);
  }

  #askedOf(follower: StreamFollower): Asked | undefined {
    const asked = this.#asked.get(follower.id);
    return asked?.follower === follower ? asked : undefined;
  }

  #ask(follower: StreamFollower): Asked {
    const atHeadMs = this.#part.clock.monotonicMs();
    const asked: Asked = { follower, ready: undefined, isReady: true, told: undefined, atHeadMs };
    this.#asked.set(follower.id, asked);
    return asked;
  }

  /** Begins to need a stream, as soon as another region is its home. */
  #look(asked: Asked): void {
    const isFar = this.#homeOf(asked.follower) !== undefined;
    if (!isFar) asked.ready = undefined;
    if (!isFar || asked.ready !== undefined) return;
    asked.isReady = false;
    asked.told = undefined;
    asked.atHeadMs = this.#part.clock.monotonicMs();
    asked.ready = this.#arrive(asked);
  }

  async #arrive(asked: Asked): Promise<void> {
    const { clock } = this.#part;
    const untilMs = clock.runningMs() + limits.readyMs;
    let sayAtMs = clock.runningMs();
    while (!this.#isThere(asked) && clock.runningMs() < untilMs) {
      if (clock.runningMs() >= sayAtMs) {
        this.#say([asked.follower.id]);
        sayAtMs += limits.sayAgainMs;
      }
      await clock.sleep(limits.lookMs);
    }
    asked.isReady = true;
  }

  /** Whether there is nothing to wait for: all of the home's log is folded, or the home has been away for long. */
  #isThere({ follower, told }: Asked): boolean {
    const home = this.#homeOf(follower);
    if (home === undefined || follower.isClosed || this.#isClosed) return true;
    if (this.#cutMs(home) > limits.readyMs) return true;
    return told?.isAtHead === true && follower.timeline.lastSequence >= told.sequence;
  }

  /** The home, if that is another region: an owner of this region has a higher epoch than a home of before. */
  #homeOf({ id, timeline }: StreamFollower): StreamElsewhere | undefined {
    const home = this.#part.elsewhere.homeOf(id);
    return home !== undefined && home.epoch >= timeline.epoch ? home : undefined;
  }

  #cutMs({ region }: StreamElsewhere): number {
    const { others, clock } = this.#part;
    const link = others.links().find((one) => one.region === region);
    return link === undefined || link.isUp ? 0 : Math.max(1, clock.monotonicMs() - link.sinceMs);
  }

  #note(told: RelayedStream): void {
    const asked = this.#asked.get(told.stream);
    if (asked === undefined) return;
    asked.told = told;
    if (told.isAtHead) asked.atHeadMs = this.#part.clock.monotonicMs();
  }

  #say(streams: readonly StreamId[]): void {
    if (streams.length > 0 && !this.#isClosed) this.#part.needs.need(streams);
  }
}
