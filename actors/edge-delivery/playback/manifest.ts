/** Renders manifests by name. Each has one spelling, so that it is made once for each fold (M14). */
import type { DeviceType } from '../../../cluster/contract/api/edge-routes.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { mpd } from '../../media/dash/mpd.ts';
import { mainPlaylist } from '../../media/hls/main-playlist.ts';
import { mediaPlaylist } from '../../media/hls/media-playlist.ts';
import type { ManifestOptions } from '../../media/timeline/manifest-options.ts';
import type { Timeline } from '../../media/timeline/timeline.ts';

export type ManifestKind =
  | { readonly kind: 'dash' }
  | { readonly kind: 'hlsMain' }
  | { readonly kind: 'hlsMedia'; readonly rendition: string; readonly isDelta: boolean };

export const manifestTypes: Readonly<Record<ManifestKind['kind'], string>> = {
  dash: 'application/dash+xml',
  hlsMain: 'application/vnd.apple.mpegurl',
  hlsMedia: 'application/vnd.apple.mpegurl',
};

/** @returns undefined for a rendition that the stream does not have */
export function renderManifest(
  timeline: Timeline,
  what: ManifestKind,
  options: ManifestOptions,
): string | undefined {
  switch (what.kind) {
    case 'dash':
      return mpd(timeline, options);
    case 'hlsMain':
      return mainPlaylist(timeline, options);
    case 'hlsMedia':
      return mediaPlaylist(timeline, what.rendition, { ...options, isDelta: what.isDelta });
    default:
      return unreachable(what);
  }
}

/**
 * The key of a manifest: `path`, or `path?query` with the one parameter that matters. A playlist of one rendition is the same for every
 * device.
 */
export function canonicalTarget(path: string, what: ManifestKind, device: DeviceType | undefined): string {
  if (what.kind === 'hlsMedia') return what.isDelta ? `${path}?_HLS_skip=YES` : path;
  return device === undefined ? path : `${path}?device=${device}`;
}
