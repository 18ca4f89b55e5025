/**
 * The HLS main playlist: the rungs of the newest period, one audio group beside them, one copy of all for each edge.
 *
 * A stream whose renditions changed lists those of its newest period; their media playlists show the older periods by the
 * nearest rendition that these have (rung.ts), and the playlists of vanished rungs go on in the same way.
 */
import type { AudioRendition, Rendition, VideoRendition } from '../../../cluster/contract/renditions.ts';
import type { RenditionName } from '../../../cluster/model/ids.ts';
import { renditionsForDevice } from '../timeline/devices.ts';
import { liveUrl, type EdgeAddress, type ManifestOptions } from '../timeline/manifest-options.ts';
import { mediaOf } from '../timeline/query.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { windowOf, type WindowPart } from '../timeline/window.ts';
import { quoted, tag } from './attributes.ts';

/** Where the copies of one edge point: nothing for relative ones. */
interface Pathway {
  readonly id: string | undefined;
  readonly prefix: string;
  readonly audioGroup: string;
}

/** The text of `main.m3u8`; without variants while no period has opened. Its URIs are relative unless there are two edges. */
export function mainPlaylist(timeline: Timeline, options: ManifestOptions): string {
  const part = windowOf(timeline, options.dvrWindowSeconds).at(-1);
  const period = part?.period ?? timeline.periods.at(-1);
  const renditions = period === undefined ? [] : renditionsForDevice(period, options.device);
  const lines = pathways(options).flatMap((pathway) => pathwayLines(pathway, renditions, part));
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...steering(options),
    ...lines,
    '',
  ].join('\n');
}

/** M14. The server is named by path: each edge has one, and the order inside of the reply is the viewer's. */
function steering({ edges: { edges }, streamId }: ManifestOptions): readonly string[] {
  const first = edges[0];
  if (first === undefined) return [];
  return [
    tag('EXT-X-CONTENT-STEERING', {
      'SERVER-URI': quoted(`/live/${streamId}/steering`),
      'PATHWAY-ID': quoted(first.id),
    }),
  ];
}

function pathways({ edges: { edges }, streamId }: ManifestOptions): readonly Pathway[] {
  const [first, ...others] = edges;
  if (first === undefined) return [{ id: undefined, prefix: '', audioGroup: 'audio' }];
  // A single edge needs no address: a relative one holds behind any name or proxy.
  if (others.length === 0) return [{ id: first.id, prefix: '', audioGroup: 'audio' }];
  return edges.map((edge: EdgeAddress) => ({
    id: edge.id,
    prefix: liveUrl(edge, streamId),
    audioGroup: `audio-${edge.id}`,
  }));
}

function pathwayLines(
  pathway: Pathway,
  renditions: readonly Rendition[],
  part: WindowPart | undefined,
): readonly string[] {
  const audio = renditions.find((one) => one.kind === 'audio');
  const video = renditions.filter((one) => one.kind === 'video');
  if (video.length === 0) return audio === undefined ? [] : audioVariant(pathway, audio, part);
  const group = audio === undefined ? [] : [audioGroup(pathway, audio)];
  return [...group, ...video.flatMap((one) => videoVariant(pathway, one, audio, part))];
}

function audioGroup({ prefix, audioGroup: group }: Pathway, audio: AudioRendition): string {
  return tag('EXT-X-MEDIA', {
    TYPE: 'AUDIO',
    'GROUP-ID': quoted(group),
    NAME: quoted('Main'),
    DEFAULT: 'YES',
    AUTOSELECT: 'YES',
    CHANNELS: quoted(String(audio.channels)),
    URI: quoted(`${prefix}${audio.name}.m3u8`),
  });
}

function audioVariant(
  { id, prefix }: Pathway,
  audio: AudioRendition,
  part: WindowPart | undefined,
): readonly string[] {
  const line = tag('EXT-X-STREAM-INF', {
    BANDWIDTH: audio.bandwidthBps,
    'AVERAGE-BANDWIDTH': averageBps(part, [audio], audio.bandwidthBps),
    CODECS: quoted(audio.codecs),
    'PATHWAY-ID': id === undefined ? undefined : quoted(id),
  });
  return [line, `${prefix}${audio.name}.m3u8`];
}

/** M8: BANDWIDTH is the rung's peak and the audio's. */
function videoVariant(
  { id, prefix, audioGroup: group }: Pathway,
  video: VideoRendition,
  audio: AudioRendition | undefined,
  part: WindowPart | undefined,
): readonly string[] {
  const bandwidthBps = video.bandwidthBps + (audio?.bandwidthBps ?? 0);
  const renditions: readonly Rendition[] = audio === undefined ? [video] : [video, audio];
  const line = tag('EXT-X-STREAM-INF', {
    BANDWIDTH: bandwidthBps,
    'AVERAGE-BANDWIDTH': averageBps(part, renditions, bandwidthBps),
    CODECS: quoted(renditions.map((one) => one.codecs).join(',')),
    RESOLUTION: resolution(video),
    'FRAME-RATE': (video.frameRate[0] / video.frameRate[1]).toFixed(3),
    'VIDEO-RANGE': 'SDR',
    'CLOSED-CAPTIONS': 'NONE',
    AUDIO: audio === undefined ? undefined : quoted(group),
    'PATHWAY-ID': id === undefined ? undefined : quoted(id),
  });
  return [line, `${prefix}${video.name}.m3u8`];
}

/** The size to display, square pixels. */
function resolution({ width, height, sampleAspectRatio: [across, down] }: VideoRendition): string {
  return `${Math.round((width * across) / down)}x${height}`;
}

/** Measured over the newest period's part of the window; never above the peak. Undefined while nothing is measured. */
function averageBps(
  part: WindowPart | undefined,
  renditions: readonly Rendition[],
  peakBps: number,
): number | undefined {
  if (part === undefined) return undefined;
  const averages = renditions.map((one) => averageOf(part, one.name, one.timescale));
  if (averages.some((bps) => bps === 0)) return undefined;
  return Math.min(
    peakBps,
    averages.reduce((sum, bps) => sum + bps, 0),
  );
}

function averageOf({ segments }: WindowPart, name: RenditionName, timescale: number): number {
  const media = segments.map((segment) => mediaOf(segment, name)).filter((one) => one !== undefined);
  const bytes = media.reduce((sum, one) => sum + one.bytes, 0);
  const ticks = media.reduce((sum, one) => sum + one.duration, 0);
  return ticks === 0 ? 0 : Math.ceil((bytes * 8 * timescale) / ticks);
}
