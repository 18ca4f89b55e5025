/** Makes what a session stores and offers: init segments and segments, with their hashes and keys (M5, M6). */
import { createHash } from 'node:crypto';
import type { SourceOffer } from '../../../cluster/contract/index-records.ts';
import type { InitSegment } from '../../../cluster/contract/renditions.ts';
import type { OpenPeriodReply } from '../../../cluster/contract/stream-actions.ts';
import {
  Sha256,
  type PeriodId,
  type RenditionName,
  type SessionId,
  type StreamId,
} from '../../../cluster/model/ids.ts';
import type { AudioTrack, Track, VideoTrack } from '../../media/cmaf/cmaf.ts';
import { writeInit, writeSegment } from '../../media/cmaf/writer.ts';
import { segmentKey } from '../../segment-store/segment-key.ts';
import type { PeriodDescription, SegmentAudio, SegmentVideo, SourceSegment } from '../ingest-events.ts';

export interface StoredTrack<T extends Track> {
  readonly track: T;
  readonly rendition: RenditionName;
}

/** A period as the owner opened it: its tracks, and the names under which they are stored. */
export interface OpenedPeriod {
  readonly id: PeriodId;
  readonly video?: StoredTrack<VideoTrack>;
  readonly audio?: StoredTrack<AudioTrack>;
}

export interface StoreObject {
  readonly key: string;
  readonly body: Uint8Array;
}

export interface MadeInit {
  readonly body: Uint8Array;
  readonly init: InitSegment;
}

export interface OfferPlace {
  readonly streamId: StreamId;
  readonly sessionId: SessionId;
  readonly period: OpenedPeriod;
}

/** @throws TangazaError `MEDIA_INVALID` */
export function makeInit(track: Track): MadeInit {
  const body = writeInit(track);
  return { body, init: { sha256: hashOf(body), bytes: body.length } };
}

export function openedPeriod({ video, audio }: PeriodDescription, reply: OpenPeriodReply): OpenedPeriod {
  return {
    id: reply.period,
    ...(video === undefined || reply.video === undefined
      ? {}
      : { video: { track: video.track, rendition: reply.video } }),
    ...(audio === undefined || reply.audio === undefined
      ? {}
      : { audio: { track: audio.track, rendition: reply.audio } }),
  };
}

/**
 * Makes the segment's CMAF bytes, and the offer that names them.
 *
 * @throws TangazaError `MEDIA_INVALID` when the samples make no segment
 */
export function makeOffer(
  place: OfferPlace,
  segment: SourceSegment,
): { readonly offer: SourceOffer; readonly objects: StoreObject[] } {
  const { start90k, duration90k, times90k, keyFrameHash, audioFrameHash } = segment;
  const { period } = place;
  const video = makeMedia(place, period.video, segment.video);
  const audio = makeMedia(place, period.audio, segment.audio);
  const offer: SourceOffer = {
    sessionId: place.sessionId,
    period: period.id,
    start90k,
    duration90k,
    times90k: [...times90k],
    ...(keyFrameHash === undefined ? {} : { keyFrameHash }),
    ...(audioFrameHash === undefined ? {} : { audioFrameHash }),
    ...(video === undefined ? {} : { video: video.media }),
    ...(audio === undefined ? {} : { audio: audio.media }),
  };
  return { offer, objects: [video, audio].flatMap((made) => (made === undefined ? [] : [made.object])) };
}

type Part = Pick<SegmentVideo | SegmentAudio, 'samples' | 'startTime' | 'end'>;

function makeMedia(
  { streamId, period }: OfferPlace,
  stored: StoredTrack<Track> | undefined,
  part: Part | undefined,
) {
  if (stored === undefined || part === undefined) return undefined;
  const { rendition, track } = stored;
  const { startTime, end, samples } = part;
  const body = writeSegment(track, samples, end);
  const sha256 = hashOf(body);
  const key = segmentKey({ stream: streamId, period: period.id, rendition }, startTime, sha256);
  const media = {
    rendition,
    startTime,
    duration: end - startTime,
    sha256,
    bytes: body.length,
    frames: samples.length,
  };
  return { object: { key, body }, media };
}

function hashOf(body: Uint8Array): Sha256 {
  return Sha256.parse(createHash('sha256').update(body).digest('hex'));
}
