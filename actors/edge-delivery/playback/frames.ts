/**
 * Serves the video frame API (M16): a piece of the video as one MP4 that starts at time 0, or a description of it as JSON.
 *
 * A clip is made of cached segments. It is kept in the same cache and made once, however many ask for it. Bounds: clips made at once
 * (beyond that: `OVERLOADED`), the length of a clip (the route's schema) and its bytes (the clip maker).
 */
import { hash } from 'node:crypto';
import type { FrameView, FramesQuery, PlaybackParams } from '../../../cluster/contract/api/edge-routes.ts';
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { writeClip, type ClipTrack } from '../../media/cmaf/clip.ts';
import { planFrame, type Frame, type FramePlan, type FrameRequest } from '../../media/timeline/frame-plan.ts';
import { liveEnd90k } from '../../media/timeline/query.ts';
import type { Timeline } from '../../media/timeline/timeline.ts';
import type { Archives } from './archives.ts';
import { makeEntity } from './entity.ts';
import type { EntityCache } from './entity-cache.ts';
import { jsonReply, longestWaitSeconds, type Entity, type HttpRequest, type Reply } from '../http/http.ts';
import type { MediaSource } from './media-source.ts';
import type { StreamFinder } from './stream-finder.ts';
import type { StreamFollower } from './stream-follower.ts';

export interface FramesPorts {
  readonly finder: StreamFinder;
  readonly media: MediaSource;
  readonly cache: EntityCache;
  readonly archives: Archives;
  readonly retentionSeconds: number;
}

type FramesInput = RouteInput<PlaybackParams, FramesQuery>;

const maxClipsAtOnce = 4;

export class Frames {
  readonly #ports: FramesPorts;
  #making = 0;

  constructor(ports: FramesPorts) {
    this.#ports = ports;
  }

  /** @throws TangazaError `RANGE_EXPIRED`, `NOT_PRODUCED_YET`, `OVERLOADED`, those of finding a stream and of the store */
  async serve(request: HttpRequest, input: FramesInput): Promise<Reply> {
    const { id } = input.params;
    const { deviceType, offsetSeconds, durationSeconds } = input.query;
    const follower = await this.#ports.finder.findPlayable(request, id);
    const { retentionSeconds } = this.#ports;
    const wanted = { offsetSeconds, durationSeconds, device: deviceType, retentionSeconds };
    const plan = await this.#plan(follower, wanted);
    const frame = mustBeFrame(plan, id);
    const links = {
      link: `<${nextUrl(input, frame)}>; rel="next"`,
      'tangaza-starts-at': new Date(frame.startsAtMs).toISOString(),
    };
    return prefersJson(request.header('accept'))
      ? jsonReply(200, viewOf(input, frame), { ...links, vary: 'accept' })
      : this.#clip(follower, frame, links);
  }

  /** Plans from the log, or from the archives for what is older than the log and still kept (M16, C7). */
  async #plan({ id, timeline }: StreamFollower, wanted: FrameRequest): Promise<FramePlan> {
    const plan = planFrame(timeline, wanted);
    const offset90k = Math.round(wanted.offsetSeconds * 90_000);
    if (plan.kind !== 'gone' || timeline.firstNumber === 0 || offset90k < keptFrom90k(timeline, wanted))
      return plan;
    const past = await this.#ports.archives.find(id, ({ presentation90k }) => presentation90k <= offset90k);
    if (past === undefined) return plan;
    // How far back media is kept counts from the live end, which lies behind the end of the archive.
    const behindSeconds = (liveEnd90k(timeline) - liveEnd90k(past)) / 90_000;
    const archived = planFrame(past, {
      ...wanted,
      retentionSeconds: wanted.retentionSeconds - behindSeconds,
    });
    return archived.kind === 'frame' || archived.kind === 'missing' ? archived : plan;
  }

  #clip(follower: StreamFollower, frame: Frame, links: Readonly<Record<string, string>>): Promise<Entity> {
    const tag = tagOf(follower.id, frame);
    // The link depends on the request; the bytes depend only on what is in the clip.
    return this.#ports.cache.load(`clip:${follower.id}:${tag}:${links['link']}`, async () => {
      if (this.#making >= maxClipsAtOnce)
        throw new TangazaError('OVERLOADED', 'Too many clips are being made.');
      this.#making++;
      try {
        const [video, audio] = await Promise.all([
          this.#track(follower, frame, 'video'),
          this.#track(follower, frame, 'audio'),
        ]);
        const body = writeClip({
          ...(video === undefined ? {} : { video }),
          ...(audio === undefined ? {} : { audio }),
        });
        return makeEntity(body, {
          contentType: 'video/mp4',
          cacheControl: 'public, max-age=3600',
          tag,
          headers: { ...links, vary: 'accept' },
        });
      } finally {
        this.#making--;
      }
    });
  }

  async #track(
    follower: StreamFollower,
    frame: Frame,
    kind: 'video' | 'audio',
  ): Promise<ClipTrack | undefined> {
    const rendition = trackOf(frame, kind);
    if (rendition === undefined) return undefined;
    const { media } = this.#ports;
    const wanted = frame.segments.flatMap((segment) => segment[kind] ?? []);
    if (wanted.length === 0) return undefined;
    const [init, ...segments] = await Promise.all([
      media.init(follower, frame.period.id, rendition.name),
      ...wanted.map((one) => media.load(follower.id, frame.period, rendition, one)),
    ]);
    return { init: init.body, segments: segments.map((entity) => entity.body) };
  }
}

function trackOf({ rendition, audioRendition }: Frame, kind: 'video' | 'audio'): Rendition | undefined {
  return rendition.kind === kind ? rendition : kind === 'audio' ? audioRendition : undefined;
}

const keptFrom90k = (timeline: Timeline, { retentionSeconds }: FrameRequest): number =>
  liveEnd90k(timeline) - retentionSeconds * 90_000;

function mustBeFrame(plan: FramePlan, id: StreamId): Frame {
  switch (plan.kind) {
    case 'frame':
      return plan;
    case 'tooEarly':
      if (plan.retryAfterSeconds > longestWaitSeconds)
        throw new TangazaError(
          'RANGE_AHEAD',
          `${id} reaches the end of that in about ${plan.retryAfterSeconds} s if it stays on air: ask for nothing that is more than ${longestWaitSeconds} s ahead.`,
        );
      throw new TangazaError(
        'NOT_PRODUCED_YET',
        `${id} reaches the end of that in about ${plan.retryAfterSeconds} s.`,
        {
          data: { retryAfterSeconds: plan.retryAfterSeconds },
        },
      );
    case 'gone':
      throw new TangazaError('RANGE_EXPIRED');
    case 'afterEnd':
      throw new TangazaError('RANGE_EXPIRED', `${id} ended before that.`);
    case 'missing':
      throw new TangazaError(
        'RANGE_EXPIRED',
        `Nothing of ${id} was stored there: a gap, or nobody was on air.`,
      );
    default:
      return unreachable(plan);
  }
}

/** Equal for equal segments of equal renditions, on every edge. */
function tagOf(id: StreamId, { period, rendition, audioRendition, segments }: Frame): string {
  const parts = segments.flatMap(({ video, audio }) => [video?.sha256 ?? '', audio?.sha256 ?? '']);
  return hash(
    'sha256',
    [id, period.id, rendition.name, audioRendition?.name ?? '', ...parts].join('\n'),
    'base64url',
  ).slice(0, 27);
}

function nextUrl({ params, query, origin }: FramesInput, { nextOffsetSeconds }: Frame): string {
  const next = new URLSearchParams({
    deviceType: query.deviceType,
    offsetSeconds: decimal(nextOffsetSeconds),
    durationSeconds: decimal(query.durationSeconds),
  });
  return `${origin}/v1/videos/${params.id}/frames?${next.toString()}`;
}

/** At most six decimals, without trailing zeros and without an exponent. */
function decimal(seconds: number): string {
  return seconds.toFixed(6).replace(/\.?0+$/, '');
}

function viewOf(input: FramesInput, frame: Frame): FrameView {
  const { rendition, audioRendition, period, segments } = frame;
  const folder = (name: string): string => `${input.origin}/live/${input.params.id}/${period.id}/${name}`;
  const renditions = audioRendition === undefined ? [rendition] : [rendition, audioRendition];
  return {
    streamId: input.params.id,
    deviceType: input.query.deviceType,
    rendition: rendition.name,
    offsetSeconds: frame.offsetSeconds,
    durationSeconds: frame.durationSeconds,
    ...(rendition.kind === 'video' ? { width: rendition.width, height: rendition.height } : {}),
    codecs: renditions.map(({ codecs }) => codecs).join(','),
    startsAt: new Date(frame.startsAtMs).toISOString(),
    segments: renditions.flatMap(({ name, kind, timescale }) =>
      segments
        .flatMap((segment) => segment[kind] ?? [])
        .map(({ startTime, duration, bytes, sha256 }) => ({
          url: `${folder(name)}/${startTime}.m4s`,
          init: `${folder(name)}/init.mp4`,
          rendition: name,
          startTime,
          durationSeconds: duration / timescale,
          bytes,
          sha256,
        })),
    ),
    next: nextUrl(input, frame),
  };
}

/** Says whether the Accept header names JSON with a higher weight than MP4. A wildcard means MP4, the default. */
export function prefersJson(accept: string): boolean {
  const weightOf = (types: readonly string[]): number => {
    const weights = accept.split(',').flatMap((part) => {
      const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
      return types.includes(type) ? [Number(weight) || 0] : [];
    });
    return Math.max(0, ...weights);
  };
  return weightOf(['application/json']) > weightOf(['video/mp4', 'video/*']);
}
