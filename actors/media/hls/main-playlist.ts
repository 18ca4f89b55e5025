/**
 * Writes the HLS main playlist: the rungs of the newest period, and one audio group beside them.
 *
 * Its addresses are relative, so they are those of the edge that was asked, behind any name or proxy. steering.ts tells
 * players of the other edges, as clones. A stream whose renditions changed lists those of its newest period. Their
 * media playlists show the older periods by the nearest rendition that these have (rung.ts), and the playlists of
 * vanished rungs go on in the same way.
 */
import type { AudioRendition, Rendition, VideoRendition } from '../../../cluster/contract/renditions.ts';
import type { RenditionName } from '../../../cluster/model/ids.ts';
import { renditionsForDevice } from '../timeline/devices.ts';
import type { ManifestOptions } from '../timeline/manifest-options.ts';
import { mediaOf } from '../timeline/query.ts';
import { basePathway } from '../timeline/steering.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { windowOf, type WindowPart } from '../timeline/window.ts';
import { quoted, tag } from './attributes.ts';

const audioGroupId = 'audio';
const captionGroupId = 'captions';

/** The text of `main.m3u8`; it has no variants while no period is open. */
export function mainPlaylist(timeline: Timeline, options: ManifestOptions): string {
  const part = windowOf(timeline, options.dvrWindowSeconds).at(-1);
  const period = part?.period ?? timeline.periods.at(-1);
  const renditions = period === undefined ? [] : renditionsForDevice(period, options.device);
  const isSteered = options.edges.edges.length > 0;
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...(isSteered ? [steering(options)] : []),
    ...variants(isSteered ? quoted(basePathway) : undefined, renditions, part),
    '',
  ].join('\n');
}

/**
 * The steering tag (M14). It names the server by path, because each edge has one; the reply's order is the viewer's
 * own. It says that the base pathway is the edge that is asked, because the playlist came from there.
 */
function steering({ streamId }: ManifestOptions): string {
  return tag('EXT-X-CONTENT-STEERING', {
    'SERVER-URI': quoted(`/live/${streamId}/steering?base=${basePathway}`),
    'PATHWAY-ID': quoted(basePathway),
  });
}

function variants(
  pathway: string | undefined,
  renditions: readonly Rendition[],
  part: WindowPart | undefined,
): readonly string[] {
  const audio = renditions.find((one) => one.kind === 'audio');
  const video = renditions.filter((one) => one.kind === 'video');
  if (video.length === 0) return audio === undefined ? [] : audioVariant(pathway, audio, part);
  const group = audio === undefined ? [] : [audioGroup(audio)];
  const captions = video.some(({ hasCaptions }) => hasCaptions === true) ? [captionGroup()] : [];
  return [...group, ...captions, ...video.flatMap((one) => videoVariant(pathway, one, audio, part))];
}

function audioGroup(audio: AudioRendition): string {
  return tag('EXT-X-MEDIA', {
    TYPE: 'AUDIO',
    'GROUP-ID': quoted(audioGroupId),
    NAME: quoted('Main'),
    DEFAULT: 'YES',
    AUTOSELECT: 'YES',
    CHANNELS: quoted(String(audio.channels)),
    'STABLE-RENDITION-ID': quoted(audio.name),
    URI: quoted(`${audio.name}.m3u8`),
  });
}

/** Announces the first channel of the first field, where captions are. Players find the others by themselves. */
function captionGroup(): string {
  return tag('EXT-X-MEDIA', {
    TYPE: 'CLOSED-CAPTIONS',
    'GROUP-ID': quoted(captionGroupId),
    NAME: quoted('Captions'),
    DEFAULT: 'NO',
    AUTOSELECT: 'YES',
    'INSTREAM-ID': quoted('CC1'),
  });
}

function audioVariant(
  pathway: string | undefined,
  audio: AudioRendition,
  part: WindowPart | undefined,
): readonly string[] {
  const line = tag('EXT-X-STREAM-INF', {
    BANDWIDTH: audio.bandwidthBps,
    'AVERAGE-BANDWIDTH': averageBps(part, [audio], audio.bandwidthBps),
    CODECS: quoted(audio.codecs),
    'STABLE-VARIANT-ID': quoted(audio.name),
    'PATHWAY-ID': pathway,
  });
  return [line, `${audio.name}.m3u8`];
}

/** The bandwidths of a variant: BANDWIDTH is the rung's peak and the audio's (M8). */
function videoVariant(
  pathway: string | undefined,
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
    'CLOSED-CAPTIONS': video.hasCaptions === true ? quoted(captionGroupId) : 'NONE',
    AUDIO: audio === undefined ? undefined : quoted(audioGroupId),
    'STABLE-VARIANT-ID': quoted(video.name),
    'PATHWAY-ID': pathway,
  });
  return [line, `${video.name}.m3u8`];
}

/** The size to display, in square pixels. */
function resolution({ width, height, sampleAspectRatio: [across, down] }: VideoRendition): string {
  return `${Math.round((width * across) / down)}x${height}`;
}

/**
 * Measured over the newest period's part of the window, and never above the peak. Undefined while nothing is measured.
 */
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
