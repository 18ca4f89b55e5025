/** Finds the follower of a stream by its id, ready to be read. Every playback request begins here. */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { isPlayable } from '../../media/timeline/query.ts';
import type { Hop } from '../http/caller.ts';
import type { HttpRequest } from '../http/http.ts';
import type { KnownStream, KnownStreams, Standing } from '../public/known-streams.ts';
import type { FarStreams, Glance } from './far-streams.ts';
import type { StreamFollower } from './stream-follower.ts';
import type { StreamFollowers } from './stream-followers.ts';

/** How long a player waits that comes before the first segment. */
export const defaultFirstSegmentMs = 10_000;

export interface FinderOptions {
  /** Streams of other regions; undefined where there are none. */
  readonly far?: FarStreams | undefined;
  readonly firstSegmentMs?: number | undefined;
}

export class StreamFinder {
  readonly #followers: StreamFollowers;
  readonly #knownStreams: KnownStreams;
  readonly #far: FarStreams | undefined;
  readonly #firstSegmentMs: number;

  constructor(
    followers: StreamFollowers,
    knownStreams: KnownStreams,
    { far, firstSegmentMs = defaultFirstSegmentMs }: FinderOptions = {},
  ) {
    this.#followers = followers;
    this.#knownStreams = knownStreams;
    this.#far = far;
    this.#firstSegmentMs = firstSegmentMs;
  }

  /**
   * Gives the stream's follower once all of its log is folded, and has what the log of another region has that is its home (R4). A stream that is followed already is not looked up again, so that edges
   * continue while the registry cannot be reached (C8). A viewer of a stream that was known before does not wait for the registry either.
   *
   * @throws TangazaError `STREAM_NOT_FOUND`, `STREAM_REMOVED`, `LOG_UNAVAILABLE`, `OVERLOADED`, `UNAVAILABLE`
   */
  async find(hop: Hop, id: StreamId): Promise<StreamFollower> {
    if (this.#followers.get(id) === undefined)
      mustBeKnown(id, await this.#knownStreams.standingOrLast(hop, id));
    return this.follow(id);
  }

  /** Like `find`, for a stream that is known. */
  async follow(id: StreamId): Promise<StreamFollower> {
    const follower = this.#followers.open(id);
    follower.touch();
    if (!follower.isCaughtUp) await follower.ready();
    await this.#far?.ready(follower);
    return follower;
  }

  /**
   * For who looks at a stream and does not watch it: makes no region relay the stream. Undefined where it is not on air in another region.
   *
   * @throws TangazaError `STREAM_NOT_FOUND`, `STREAM_REMOVED`
   */
  async glance(hop: Hop, id: StreamId): Promise<Glance | undefined> {
    const glance = this.#far?.glance(id, this.#followers.get(id));
    if (glance !== undefined) mustBeKnown(id, await this.#knownStreams.standingOrLast(hop, id));
    return glance;
  }

  /**
   * Like `find`, but waits until there is something to play, for the first commit if need be.
   *
   * @param waits false for who does not wait for the first commit
   * @throws also `STREAM_NOT_LIVE`
   */
  async findPlayable(request: HttpRequest, id: StreamId, waits = true): Promise<StreamFollower> {
    const follower = await this.find(request, id);
    if (isPlayable(follower.timeline)) return follower;
    const outcome = waits
      ? await follower.hold(request, 'first segment', isPlayable, this.#firstSegmentMs)
      : 'timeOut';
    if (outcome === 'closed') throw new TangazaError('UNAVAILABLE', 'This edge is closing.');
    if (outcome === 'timeOut')
      throw new TangazaError('STREAM_NOT_LIVE', `Nothing of ${id} can be played yet.`);
    return follower;
  }
}

/** @throws TangazaError `STREAM_NOT_FOUND`, `STREAM_REMOVED` */
export function mustBeKnown(id: StreamId, standing: Standing): KnownStream {
  switch (standing.kind) {
    case 'known':
      return standing;
    case 'removed':
      throw new TangazaError('STREAM_REMOVED', `The stream ${id} was removed.`);
    case 'unknown':
      throw new TangazaError('STREAM_NOT_FOUND', `There is no stream ${id}.`);
    default:
      return unreachable(standing);
  }
}
