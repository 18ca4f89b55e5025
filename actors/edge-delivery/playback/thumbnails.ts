/**
 * Makes the newest picture of a stream as JPEG, on request, from the newest segment of its smallest rendition.
 *
 * One picture of a stream is made at a time, and all who ask meanwhile get that one. A picture is served for 10 s. At most `maxRuns`
 * decoders run on a node. Beyond that a stream's last picture is served again; without one the answer is `OVERLOADED`.
 *
 * The picture of a stream that is on air in another region and that nobody watches here comes from there, and makes no region relay it (R5): a page that lists
 * streams asks for the picture of each.
 */
import { hash } from 'node:crypto';
import type { PlaybackParams } from '../../../cluster/contract/api/edge-routes.ts';
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import type { StoredMedia } from '../../../cluster/contract/index-records.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
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
  /** Undefined in a deployment of one region. @throws TangazaError `UNAVAILABLE` */
  readonly pictureOfHome?: ((home: RegionId, stream: StreamId) => Promise<Uint8Array>) | undefined;
}

interface Picture {
  readonly madeMs: number;
  readonly entity: Entity;
}

interface Runs {
  readonly all: Map<StreamId, Promise<Entity>>;
  readonly most: number;
}

const freshMs = 10_000;
const maxRuns = 2;
/** How many pictures are fetched from other regions at once. */
const maxFetches = 16;
/** How many streams have their last picture kept. The one that was made longest ago goes first. */
const maxPictures = 500;

export class Thumbnails {
  readonly #ports: ThumbnailPorts;
  readonly #pictures = new Map<StreamId, Picture>();
  readonly #runs: Runs = { all: new Map(), most: maxRuns };
  readonly #fetches: Runs = { all: new Map(), most: maxFetches };

  constructor(ports: ThumbnailPorts) {
    this.#ports = ports;
  }

  /** @throws TangazaError `NOT_FOUND` for a stream without pictures, `OVERLOADED`, and errors of finding a stream and of the store */
  async serve(request: HttpRequest, { params: { id } }: RouteInput<PlaybackParams>): Promise<Entity> {
    const { finder, pictureOfHome } = this.#ports;
    const isPassedOn = pictureOfHome === undefined || asksAcross(request.header('authorization'));
    const glance = isPassedOn ? undefined : await finder.glance(request, id);
    if (glance !== undefined && glance.follower === undefined && pictureOfHome !== undefined)
      return this.#lastOr(id, () => this.#serve(id, this.#fetches, () => pictureOfHome(glance.home, id)));
    const follower = glance?.follower ?? (await finder.findPlayable(request, id));
    return this.#serve(id, this.#runs, () => this.#make(follower));
  }

  /** While the home cannot be asked, its last picture is served. */
  async #lastOr(id: StreamId, serve: () => Promise<Entity>): Promise<Entity> {
    try {
      return await serve();
    } catch (error) {
      const known = this.#pictures.get(id);
      if (known === undefined) throw error;
      return known.entity;
    }
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
