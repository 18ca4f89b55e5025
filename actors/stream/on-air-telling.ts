/**
 * Tells other regions of the streams that this node owns (R3): when one begins, changes or ends, and every 30 s all of them, in parts. It is
 * asked to look ten times a second, and compares with what it told.
 *
 * A stream that is given to another node, or taken by one, is not told of any more: its next owner tells. Where NATS does not take a message, all
 * of it is told again a second later.
 */
import {
  allToldEveryMs,
  onAir,
  streamsOfPart,
  type StreamOnAir,
} from '../../cluster/contract/regions/on-air.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { OtherRegions } from '../../cluster/region/other-regions.ts';

const againMs = 1000;

/** A stream as its owner knows it, without where the owner is. */
export type OwnedStream = Omit<StreamOnAir, 'rtmpUrl'>;

/** One owner. It can be asked after it is gone, too. */
export interface TellsOfStream {
  readonly stream: StreamId;
  told(): OwnedStream;
}

export class OnAirTelling {
  readonly #others: Pick<OtherRegions, 'publish' | 'regions'>;
  readonly #rtmpUrl: string;
  #told = new Map<StreamId, { readonly owner: TellsOfStream; readonly said: OwnedStream }>();
  #listAtMs = 0;
  #notBeforeMs = 0;

  constructor(others: Pick<OtherRegions, 'publish' | 'regions'>, rtmpUrl: string) {
    this.#others = others;
    this.#rtmpUrl = rtmpUrl;
  }

  /** @param live the owners of this node */
  look(live: readonly TellsOfStream[], nowMs: number): void {
    if (this.#others.regions.length === 0 || nowMs < this.#notBeforeMs) return;
    const isList = nowMs >= this.#listAtMs;
    const now = new Map(live.map((owner) => [owner.stream, { owner, said: owner.told() }]));
    const ended = [...this.#told.values()]
      .filter(({ owner }) => now.get(owner.stream)?.owner !== owner)
      .map(({ owner }) => owner.told())
      .filter(({ isOnAir }) => !isOnAir);
    const news = [...now.values()]
      .filter(({ said }) => isList || isNews(this.#told.get(said.stream)?.said, said))
      .map(({ said }) => said);
    if (!this.#publish([...ended, ...news])) {
      this.#notBeforeMs = nowMs + againMs;
      return;
    }
    if (isList) this.#listAtMs = nowMs + allToldEveryMs;
    // What was told is compared with, so that a number that only grows is no news.
    for (const [stream, { owner, said }] of now) {
      const before = this.#told.get(stream)?.said;
      now.set(stream, {
        owner,
        said: isList || before === undefined || isNews(before, said) ? said : before,
      });
    }
    this.#told = now;
  }

  #publish(streams: readonly OwnedStream[]): boolean {
    for (let from = 0; from < streams.length; from += streamsOfPart) {
      const part = streams.slice(from, from + streamsOfPart);
      const body = { streams: part.map((one) => ({ ...one, rtmpUrl: this.#rtmpUrl })) };
      if (!this.#others.publish(onAir, body)) return false;
    }
    return true;
  }
}

/** Whether other regions should hear of it at once. */
const isNews = (before: OwnedStream | undefined, now: OwnedStream): boolean =>
  before === undefined ||
  before.epoch !== now.epoch ||
  before.isOnAir !== now.isOnAir ||
  before.discontinuities !== now.discontinuities ||
  before.availabilityStartMs !== now.availabilityStartMs ||
  (before.nextNumber === 0) !== (now.nextNumber === 0);
