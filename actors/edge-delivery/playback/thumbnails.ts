/**
 * Makes the newest picture of a stream as JPEG, on request, from the newest segment of its smallest rendition.
 *
 * One picture of a stream is made at a time, and all who ask meanwhile get that one. A picture is served for 10 s. At most `maxRuns`
 * decoders run on a node. Beyond that a stream's last picture is served again; without one the answer is `OVERLOADED`.
 *
 * The picture of a stream that is on air in another region and that nobody watches here comes from there, and makes no region relay it (R5): a page that lists
 * streams asks for the picture of each. Of each home so many are fetched at once, so one whose edges are mute keeps no other one's pictures
 * away. That a home has none, or does not answer, is remembered for 10 s; while it does not answer, the last picture is served.
 */
import { hash } from 'node:crypto';
import type { PlaybackParams } from '../../../cluster/contract/api/edge-routes.ts';
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import type { StoredMedia } from '../../../cluster/contract/index-records.ts';
import { errorCodeOf, isAbsence, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { initOf, mediaOf, servedVideo } from '../../media/timeline/query.ts';
import type { Timeline, TimelinePeriod } from '../../media/timeline/timeline.ts';
import { asksAcross } from '../crossing/object-pass.ts';
import { makeEntity } from './entity.ts';
import type { Entity, HttpRequest } from '../http/http.ts';
import type { MediaSource } from './media-source.ts';
import type { StreamFinder } from './stream-finder.ts';
import type { StreamFollower } from './stream-follower.ts';

/** Makes a JPEG of the first picture in a CMAF file (init and segment). @throws TangazaError `MEDIA_INVALID` */
export type MakeThumbnail = (file: Uint8Array) => Promise<Uint8Array>;

export interface ThumbnailPorts {
  readonly clock: Clock;
  readonly finder: Pick<StreamFinder, 'findPlayable' | 'glance'>;
  readonly media: Pick<MediaSource, 'init' | 'load'>;
  readonly makeThumbnail: MakeThumbnail;
  /** Undefined in a deployment of one region. @throws TangazaError `NOT_FOUND`, `STREAM_NOT_LIVE`, `OVERLOADED`, `UNAVAILABLE` */
  readonly pictureOfHome?: PictureOfHome | undefined;
}

type PictureOfHome = (home: RegionId, stream: StreamId) => Promise<Uint8Array>;

interface Picture {
  readonly madeMs: number;
  readonly entity: Entity;
}

/** What a home gave in the place of a picture. */
interface Refusal {
  readonly home: RegionId;
  readonly atMs: number;
  readonly error: unknown;
}

interface Runs {
  readonly all: Map<StreamId, Promise<Entity>>;
  readonly most: number;
}

const freshMs = 10_000;
const maxRuns = 2;
/** How many pictures of each other region are fetched at once. */
const maxFetches = 16;
/** How many streams have their last picture kept, and of how many it is remembered that their home gave none. The oldest one goes first. */
const maxPictures = 500;

export class Thumbnails {
  readonly #ports: ThumbnailPorts;
  readonly #pictures = new Map<StreamId, Picture>();
  readonly #runs: Runs = { all: new Map(), most: maxRuns };
  /** By home; there are no more of them than regions. */
  readonly #fetches = new Map<RegionId, Runs>();
  readonly #refusals = new Map<StreamId, Refusal>();

  constructor(ports: ThumbnailPorts) {
    this.#ports = ports;
  }

  /**
   * A request of another region's edge is never passed on to a third one, and does not wait for the first segment.
   *
   * @throws TangazaError `NOT_FOUND` for a stream without pictures, `OVERLOADED`, and errors of finding a stream and of the store
   */
  async serve(request: HttpRequest, { params: { id } }: RouteInput<PlaybackParams>): Promise<Entity> {
    const { finder, pictureOfHome } = this.#ports;
    const isAcross = asksAcross(request.header('authorization'));
    const glance = pictureOfHome === undefined || isAcross ? undefined : await finder.glance(request, id);
    if (glance !== undefined && glance.follower === undefined && pictureOfHome !== undefined)
      return this.#ofHome(glance.home, id, pictureOfHome);
    const follower = glance?.follower ?? (await finder.findPlayable(request, id, !isAcross));
    return this.#serve(id, this.#runs, () => this.#make(follower));
  }

  /** While the home cannot be asked, its last picture is served. */
  async #ofHome(home: RegionId, id: StreamId, fetchPicture: PictureOfHome): Promise<Entity> {
    try {
      this.#throwRefusal(home, id);
      return await this.#serve(id, this.#fetchesOf(home), () =>
        fetchPicture(home, id).catch((error: unknown) => this.#refused(home, id, error)),
      );
    } catch (error) {
      const known = this.#pictures.get(id);
      if (known === undefined || isAbsence(error)) throw error;
      return known.entity;
    }
  }

  #fetchesOf(home: RegionId): Runs {
    const known = this.#fetches.get(home);
    if (known !== undefined) return known;
    const fetches = { all: new Map<StreamId, Promise<Entity>>(), most: maxFetches };
    this.#fetches.set(home, fetches);
    return fetches;
  }

  #throwRefusal(home: RegionId, id: StreamId): void {
    const known = this.#refusals.get(id);
    if (known?.home === home && this.#ports.clock.monotonicMs() - known.atMs < freshMs) throw known.error;
  }

  /** A home that is busy may be asked again at once, as it answers at once. */
  #refused(home: RegionId, id: StreamId, error: unknown): never {
    if (errorCodeOf(error) === 'OVERLOADED') throw error;
    this.#refusals.delete(id);
    this.#refusals.set(id, { home, atMs: this.#ports.clock.monotonicMs(), error });
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > maxPictures && oldest !== undefined) this.#refusals.delete(oldest);
    throw error;
  }

  async #serve(id: StreamId, runs: Runs, make: () => Promise<Uint8Array>): Promise<Entity> {
    const known = this.#pictures.get(id);
    if (known !== undefined && this.#ports.clock.monotonicMs() - known.madeMs < freshMs) return known.entity;
    const running = runs.all.get(id);
    if (running !== undefined) return running;
    if (runs.all.size >= runs.most) {
      if (known !== undefined) return known.entity;
      throw new TangazaError('OVERLOADED', 'Too many pictures are being made.');
    }
    const run = make()
      .then((body) => this.#keep(id, body))
      .finally(() => runs.all.delete(id));
    runs.all.set(id, run);
    return run;
  }

  async #make(follower: StreamFollower): Promise<Uint8Array> {
    const newest = newestPicture(follower.timeline);
    if (newest === undefined) throw new TangazaError('NOT_FOUND', 'The stream has no picture.');
    const { media, makeThumbnail } = this.#ports;
    const [init, segment] = await Promise.all([
      media.init(follower, newest.period.id, newest.rendition.name),
      media.load(follower.id, newest.period, newest.rendition, newest.media),
    ]);
    return makeThumbnail(Buffer.concat([init.body, segment.body]));
  }

  #keep(id: StreamId, body: Uint8Array): Entity {
    const tag = hash('sha256', body, 'base64url').slice(0, 27);
    const entity = makeEntity(body, { contentType: 'image/jpeg', cacheControl: 'public, max-age=5', tag });
    this.#refusals.delete(id);
    this.#pictures.delete(id);
    this.#pictures.set(id, { madeMs: this.#ports.clock.monotonicMs(), entity });
    const [oldest] = this.#pictures.keys();
    if (this.#pictures.size > maxPictures && oldest !== undefined) this.#pictures.delete(oldest);
    return entity;
  }
}

interface NewestPicture {
  readonly period: TimelinePeriod;
  readonly rendition: Rendition;
  readonly media: StoredMedia;
}

/** How many segments back from the live edge a picture is looked for. */
const maxSegmentsBack = 30;

/** The newest segment that has any rung, by its lowest rung (renditions are listed best first). */
export function newestPicture(timeline: Timeline): NewestPicture | undefined {
  const period = timeline.periods.findLast(({ segments }) => segments.length > 0);
  if (period === undefined) return undefined;
  const rungs = servedVideo(period)
    .filter(({ name }) => initOf(period, name) !== undefined)
    .toReversed();
  for (const segment of period.segments.slice(-maxSegmentsBack).toReversed()) {
    for (const rendition of rungs) {
      const media = mediaOf(segment, rendition.name);
      if (media !== undefined) return { period, rendition, media };
    }
  }
  return undefined;
}
