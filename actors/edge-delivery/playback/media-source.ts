/**
 * Finds the bytes of segments and inits: from the public name to the log, then to the store key, then to the bytes, which are checked
 * against the hash in the log (M5).
 *
 * A segment that is about to be committed is waited for and not refused. So a player that asks a moment too early gets its media at the
 * moment of the commit.
 */
import { hash } from 'node:crypto';
import type { PulledObject } from '../../../cluster/contract/edge-actions.ts';
import type { StoredMedia } from '../../../cluster/contract/index-records.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import { abortAfter, type Clock } from '../../../cluster/time/clock.ts';
import { PeriodId, type RenditionName, type StreamId } from '../../../cluster/model/ids.ts';
import {
  endOfSegments90k,
  findMedia,
  findPeriod,
  initOf,
  renditionOf,
  storePeriodOf,
} from '../../media/timeline/query.ts';
import type { Timeline, TimelinePeriod } from '../../media/timeline/timeline.ts';
import { beginningOf, type Archives, type Beginning } from './archives.ts';
import { initKey, segmentKey, type SegmentPlace } from '../../segment-store/segment-key.ts';
import type { SegmentStore } from '../../segment-store/segment-store.ts';
import { mediaEntity } from './entity.ts';
import type { EntityCache } from './entity-cache.ts';
import type { Entity, HttpRequest } from '../http/http.ts';
import type { MissingMedia } from './missing-media.ts';
import type { StreamFollower } from './stream-follower.ts';

export interface MediaPorts {
  readonly clock: Clock;
  readonly store: SegmentStore;
  readonly cache: EntityCache;
  readonly archives: Archives;
  readonly missing: MissingMedia;
  /**
   * Brings what this region's store lacks from another region (R5). Absent in a deployment of one region.
   * @throws TangazaError `SEGMENT_NOT_FOUND` where no region has it, `UNAVAILABLE` where that cannot be known now
   */
  readonly bring?: ((object: PulledObject) => Promise<Uint8Array>) | undefined;
  /** How long a request may wait at the live edge; 8 s when undefined. */
  readonly liveEdgeMs?: number | undefined;
}

/** The name of one media segment. `startTime` is in the timescale of the rendition. */
export interface SegmentName {
  readonly period: PeriodId;
  readonly rendition: RenditionName;
  readonly startTime: number;
}

/** What the log says about an object. */
interface ObjectFacts {
  readonly object: PulledObject;
  readonly key: string;
  readonly kind: Rendition['kind'];
}

const defaultLiveEdgeMs = 8000;
/** How far ahead of the last commit a segment may be and still be waited for, in lengths of the longest segment. */
const segmentsAhead = 2;
/** Audio is cut at the frame nearest to the cut (M9), so its start may differ from the picture's by this much. */
const audioSlack90k = 9000;
const storeMs = 10_000;

export class MediaSource {
  readonly #ports: MediaPorts;

  constructor(ports: MediaPorts) {
    this.#ports = ports;
  }

  /** @throws TangazaError `SEGMENT_NOT_FOUND`, `OVERLOADED`, those of the store */
  async segment(request: HttpRequest, follower: StreamFollower, name: SegmentName): Promise<Entity> {
    const find = (timeline: Timeline): StoredMedia | undefined =>
      renditionNamed(timeline, name) === undefined
        ? undefined
        : findMedia(timeline, name.period, name.rendition, name.startTime);
    const live = find(follower.timeline) ?? (await this.#await(request, follower, name, find));
    const timeline = live === undefined ? await this.#past(follower, name) : follower.timeline;
    const media = live ?? find(timeline);
    const rendition = renditionNamed(timeline, name);
    const period = findPeriod(timeline, name.period);
    if (media === undefined || rendition === undefined || period === undefined) {
      throw new TangazaError('SEGMENT_NOT_FOUND', 'The log names no such segment.');
    }
    return this.load(follower.id, period, rendition, media);
  }

  /** @throws TangazaError `SEGMENT_NOT_FOUND`, `OVERLOADED`, those of the store */
  async init(follower: StreamFollower, id: PeriodId, name: RenditionName): Promise<Entity> {
    const known = findPeriod(follower.timeline, id);
    const period =
      known ??
      findPeriod(await this.#past(follower, { period: id, rendition: name, startTime: Infinity }), id);
    const rendition = period === undefined ? undefined : renditionOf(period, name);
    const init = period === undefined ? undefined : initOf(period, name);
    if (init === undefined || rendition === undefined || period === undefined)
      throw new TangazaError('SEGMENT_NOT_FOUND', 'The log names no such init segment.');
    const place = { stream: follower.id, period: id, rendition: name };
    const stored = { ...place, period: storePeriodOf(period) };
    return this.#loadObject(`${publicFolder(place)}/init.mp4`, {
      object: { streamId: follower.id, period: stored.period, rendition: name, media: init },
      kind: rendition.kind,
      key: initKey(stored, init.sha256),
    });
  }

  /** The archived fold around a time before the log's first segment (C7), or the live fold when there is none. */
  async #past({ id, timeline }: StreamFollower, name: SegmentName): Promise<Timeline> {
    const first = beginningOf(timeline);
    if (timeline.firstNumber === 0 || first === undefined || isAtOrAfter(first, name)) return timeline;
    return (await this.#ports.archives.find(id, (beginning) => isAtOrAfter(beginning, name))) ?? timeline;
  }

  /** Loads the bytes of a segment that the log names. */
  load(stream: StreamId, period: TimelinePeriod, rendition: Rendition, media: StoredMedia): Promise<Entity> {
    const { sha256, startTime } = media;
    const { name, kind } = rendition;
    const target = `${publicFolder({ stream, period: period.id, rendition: name })}/${startTime}.m4s`;
    const stored = { stream, period: storePeriodOf(period), rendition: name };
    const key = segmentKey(stored, startTime, sha256);
    const object = { streamId: stream, period: stored.period, rendition: name, media };
    return this.#loadObject(target, { object, key, kind });
  }

  async #await(
    request: HttpRequest,
    follower: StreamFollower,
    name: SegmentName,
    find: (timeline: Timeline) => StoredMedia | undefined,
  ): Promise<StoredMedia | undefined> {
    if (!isAhead(follower.timeline, name)) return undefined;
    const isSettled = (timeline: Timeline): boolean =>
      find(timeline) !== undefined || !isAhead(timeline, name);
    const key = `${name.period}/${name.rendition}/${name.startTime}`;
    const { liveEdgeMs = defaultLiveEdgeMs } = this.#ports;
    const outcome = await follower.hold(request, key, isSettled, liveEdgeMs);
    if (outcome === 'closed') throw new TangazaError('UNAVAILABLE', 'This edge is closing.');
    return find(follower.timeline);
  }

  #loadObject(target: string, { object, key, kind }: ObjectFacts): Promise<Entity> {
    const { sha256, bytes } = object.media;
    return this.#ports.cache.load(target, async () => {
      const body = await this.#read(key, object).catch((error: unknown) => {
        throw errorCodeOf(error) === 'SEGMENT_NOT_FOUND'
          ? this.#ports.missing.found(object.streamId, target, key)
          : error;
      });
      if (body.byteLength !== bytes || hash('sha256', body) !== sha256) {
        throw new TangazaError('STORE_UNAVAILABLE', 'The stored object is not the one that was committed.', {
          data: { key },
        });
      }
      return mediaEntity(body, { contentType: `${kind}/mp4`, tag: sha256.slice(0, 32) });
    });
  }

  /** From this region's store, or from another region what that lacks (R5). */
  async #read(key: string, object: PulledObject): Promise<Uint8Array> {
    const { clock, store, bring } = this.#ports;
    using late = abortAfter(clock, storeMs);
    try {
      return await store.get(key, late.signal);
    } catch (error) {
      if (bring === undefined || errorCodeOf(error) !== 'SEGMENT_NOT_FOUND') throw error;
    }
    return await bring(object);
  }
}

function publicFolder({ stream, period, rendition }: SegmentPlace): string {
  return `/live/${stream}/${period}/${rendition}`;
}

function renditionNamed(
  timeline: Timeline,
  name: Pick<SegmentName, 'period' | 'rendition'>,
): Rendition | undefined {
  const period = findPeriod(timeline, name.period);
  return period === undefined ? undefined : renditionOf(period, name.rendition);
}

/** Says whether a fold that begins here holds the segment, or ends before it. */
function isAtOrAfter({ period, start90k, timescales }: Beginning, name: SegmentName): boolean {
  if (name.period !== period) return name.period > period;
  const timescale = timescales[name.rendition];
  return timescale !== undefined && (name.startTime * 90_000) / timescale >= start90k - audioSlack90k;
}

/** Says whether the period may still get this segment soon. */
function isAhead(timeline: Timeline, name: SegmentName): boolean {
  const { period: id, startTime } = name;
  const period = findPeriod(timeline, id);
  const rendition = renditionNamed(timeline, name);
  const newest = timeline.periods.findLast(({ segments }) => segments.length > 0);
  if (period === undefined || rendition === undefined || timeline.state !== 'live') return false;
  if (newest !== undefined && newest.id > id) return false;
  const start90k = (startTime * 90_000) / rendition.timescale;
  const end90k = endOfSegments90k(period);
  const target90k = Math.max(180_000, timeline.longest90k);
  return start90k >= end90k - audioSlack90k && start90k <= end90k + segmentsAhead * target90k;
}

/** @returns undefined for a number that no period can have */
export function periodIdOf(number: number): PeriodId | undefined {
  const parsed = PeriodId.safeParse(number);
  return parsed.success ? parsed.data : undefined;
}
