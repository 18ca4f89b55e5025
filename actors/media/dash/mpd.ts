/**
 * Writes the MPEG-DASH manifest: dynamic while the stream is live, static when it is over (ISO/IEC 23009-1).
 *
 * Two addresses depend on how players resolve them. dash.js takes a relative steering address as relative to the
 * *page*, so that one is absolute. All players resolve a relative UTCTiming against the manifest or its BaseURL, so
 * that one is relative.
 */
import type { AudioRendition, VideoRendition } from '../../../cluster/contract/renditions.ts';
import {
  holdBackSeconds,
  liveUrl,
  targetSeconds,
  type EdgeAddress,
  type ManifestOptions,
} from '../timeline/manifest-options.ts';
import { regionOfStart, type Timeline } from '../timeline/timeline.ts';
import { windowSeconds } from '../timeline/window.ts';
import { dashPeriods, type DashPeriod, type Track } from './periods.ts';
import { segmentTimeline } from './segment-timeline.ts';
import { element, isoDuration, textElement } from './xml.ts';

/** The text of `manifest.mpd`. While nothing is committed it has no Period: ask `isPlayable` first. */
export function mpd(timeline: Timeline, options: ManifestOptions): string {
  const periods = dashPeriods(timeline, options.dvrWindowSeconds, options.device);
  const root = element('MPD', rootAttributes(timeline, options, periods.at(-1)), [
    ...baseUrls(options),
    ...locations(options),
    ...periods.map(periodElement),
    element('UTCTiming', {
      schemeIdUri: 'urn:mpeg:dash:utc:http-iso:2014',
      value: timeUrl(timeline, options),
    }),
    ...contentSteering(options),
  ]);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
}

/** The clock that `availabilityStartTime` was read from: that of the region in which the stream began, at whichever edge (R12). */
function timeUrl(timeline: Timeline, { hasOtherRegions }: ManifestOptions): string {
  const region = hasOtherRegions === true ? regionOfStart(timeline) : undefined;
  return region === undefined ? '../../v1/time' : `../../v1/time?region=${region}`;
}

const seconds = (value: number): string => isoDuration(Math.round(value * 1e6));

function rootAttributes(timeline: Timeline, options: ManifestOptions, last: DashPeriod | undefined) {
  const isOver = timeline.state === 'ended';
  const target = targetSeconds(timeline);
  const common = {
    xmlns: 'urn:mpeg:dash:schema:mpd:2011',
    profiles: 'urn:mpeg:dash:profile:isoff-live:2011',
    type: isOver ? 'static' : 'dynamic',
    availabilityStartTime: new Date(timeline.availabilityStartMs ?? 0).toISOString(),
    publishTime: new Date(timeline.publishedAtMs).toISOString(),
  };
  const durations = {
    // Up to the next millisecond: nothing may be longer.
    maxSegmentDuration: seconds(Math.max(target, Math.ceil(timeline.longest90k / 90) / 1000)),
    minBufferTime: seconds(target),
  };
  if (isOver) {
    const endUs = last === undefined ? 0 : last.startUs + (last.durationUs ?? 0);
    return { ...common, mediaPresentationDuration: isoDuration(endUs), ...durations };
  }
  return {
    ...common,
    // Half a target: at worst a segment is listed half a segment after its commit, well inside the delay.
    minimumUpdatePeriod: seconds(target / 2),
    timeShiftBufferDepth: seconds(windowSeconds(options.dvrWindowSeconds)),
    suggestedPresentationDelay: seconds(holdBackSeconds(timeline, options)),
    ...durations,
  };
}

/**
 * With one edge a relative address, which holds behind any name or proxy. With more edges one address for each (M14).
 */
function baseUrls({ edges: { edges }, streamId }: ManifestOptions): readonly string[] {
  const urlOf = (edge: EdgeAddress): string => (edges.length === 1 ? './' : liveUrl(edge, streamId));
  return edges.map((edge) => textElement('BaseURL', { serviceLocation: edge.id }, urlOf(edge)));
}

function locations({ edges: { edges }, streamId, device }: ManifestOptions): readonly string[] {
  if (edges.length < 2) return [];
  const query = device === undefined ? '' : `?device=${device}`;
  return edges.map((edge) =>
    textElement('Location', { serviceLocation: edge.id }, `${liveUrl(edge, streamId)}manifest.mpd${query}`),
  );
}

/**
 * The steering element, which players ask before the start, so that viewers do not all begin on the first edge. It
 * names another edge than the first, if the region has one (M14, R11). It comes last, because the 5th edition's schema does not
 * know it.
 *
 * It has no `defaultServiceLocation`. Shaka bans a failed edge by its host name, without the port. Where edges share a
 * host that bans them all, and Shaka then asked the default again for ever, though that was the dead one. Without a
 * default it tries each edge.
 */
function contentSteering({ edges: { edges }, streamId }: ManifestOptions): readonly string[] {
  const [first, ...others] = edges;
  const server = others.find(({ region }) => region === first?.region) ?? first;
  if (server === undefined) return [];
  return [textElement('ContentSteering', { queryBeforeStart: true }, `${liveUrl(server, streamId)}steering`)];
}

function periodElement(dash: DashPeriod): string {
  const { id, startUs, durationUs, video, audio } = dash;
  return element(
    'Period',
    {
      id,
      start: isoDuration(startUs),
      duration: durationUs === undefined ? undefined : isoDuration(durationUs),
    },
    [
      ...(video === undefined ? [] : [videoSet(dash, video)]),
      ...(audio === undefined ? [] : [audioSet(dash, audio)]),
    ],
  );
}

/** CEA-608 captions in the pictures (SCTE 214-1): first channel, language not named. */
const captions = element('Accessibility', {
  schemeIdUri: 'urn:scte:dash:cc:cea-608:2015',
  value: 'CC1=und',
});

/** The elements that come first in every AdaptationSet. */
function descriptors({ continues }: DashPeriod, accessibility: readonly string[] = []): readonly string[] {
  const scheme = 'urn:mpeg:dash:period-continuity:2015';
  const continuity =
    continues === undefined
      ? []
      : [element('SupplementalProperty', { schemeIdUri: scheme, value: continues })];
  return [
    ...continuity,
    ...accessibility,
    element('Role', { schemeIdUri: 'urn:mpeg:dash:role:2011', value: 'main' }),
  ];
}

function segmentTemplate<R extends { readonly timescale: number }>(
  dash: DashPeriod,
  timescale: number,
  track: Track<R>,
): string {
  return element(
    'SegmentTemplate',
    {
      timescale,
      presentationTimeOffset: track.presentationTimeOffset,
      initialization: `${dash.period.id}/$RepresentationID$/init.mp4`,
      media: `${dash.period.id}/$RepresentationID$/$Time$.m4s`,
    },
    [segmentTimeline(track.segments)],
  );
}

function videoSet(dash: DashPeriod, track: Track<VideoRendition>): string {
  const { renditions } = track;
  const attributes = {
    id: 1,
    contentType: 'video',
    mimeType: 'video/mp4',
    segmentAlignment: true,
    startWithSAP: 1,
    par: renditions[0] === undefined ? undefined : pictureAspectRatio(renditions[0]),
    maxWidth: Math.max(...renditions.map((one) => one.width)),
    maxHeight: Math.max(...renditions.map((one) => one.height)),
  };
  return element('AdaptationSet', attributes, [
    ...descriptors(dash, renditions.some(({ hasCaptions }) => hasCaptions === true) ? [captions] : []),
    segmentTemplate(dash, 90_000, track),
    ...renditions.map(videoRepresentation),
  ]);
}

function videoRepresentation({
  name,
  bandwidthBps,
  codecs,
  width,
  height,
  frameRate,
  sampleAspectRatio,
}: VideoRendition): string {
  return element('Representation', {
    id: name,
    bandwidth: bandwidthBps,
    codecs,
    width,
    height,
    frameRate: frameRate[1] === 1 ? frameRate[0] : frameRate.join('/'),
    sar: sampleAspectRatio.join(':'),
  });
}

function pictureAspectRatio({ width, height, sampleAspectRatio: [across, down] }: VideoRendition): string {
  const [wide, high] = [width * across, height * down];
  const divisor = greatestCommonDivisor(wide, high);
  return `${wide / divisor}:${high / divisor}`;
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}

function audioSet(dash: DashPeriod, track: Track<AudioRendition>): string {
  const attributes = {
    id: 2,
    contentType: 'audio',
    mimeType: 'audio/mp4',
    lang: 'und',
    segmentAlignment: true,
    startWithSAP: 1,
  };
  return element('AdaptationSet', attributes, [
    ...descriptors(dash),
    ...track.renditions.map((one) => segmentTemplate(dash, one.timescale, track)),
    ...track.renditions.map(audioRepresentation),
  ]);
}

function audioRepresentation({ name, bandwidthBps, codecs, sampleRate, channels }: AudioRendition): string {
  const scheme = 'urn:mpeg:dash:23003:3:audio_channel_configuration:2011';
  return element(
    'Representation',
    { id: name, bandwidth: bandwidthBps, codecs, audioSamplingRate: sampleRate },
    [element('AudioChannelConfiguration', { schemeIdUri: scheme, value: channels })],
  );
}
