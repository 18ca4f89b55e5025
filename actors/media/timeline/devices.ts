/** Says which renditions a kind of device can use (`?device=` of a manifest, `deviceType` of the frames API). */
import type { Rendition, VideoRendition } from '../../../cluster/contract/renditions.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { servedRenditions } from './query.ts';
import type { TimelinePeriod } from './timeline.ts';

export const deviceTypes = ['phone', 'tablet', 'desktop', 'tv'] as const;
export type DeviceType = (typeof deviceTypes)[number];

/** Lines as in `720p`: the shorter side, so that an upright picture counts like one that lies. */
function lines({ width, height }: VideoRendition): number {
  return Math.min(width, height);
}

function suits(rendition: VideoRendition, device: DeviceType): boolean {
  switch (device) {
    case 'phone':
      return lines(rendition) <= 720;
    case 'tablet':
      return lines(rendition) <= 1080;
    case 'desktop':
      return true;
    case 'tv':
      return lines(rendition) >= 360;
    default:
      return unreachable(device);
  }
}

/**
 * The served renditions of the period for the device, best first, audio last; all of them without a device.
 *
 * A period with video always has some. When none suits, it is the one that comes nearest: the lowest when all are too
 * big, the highest when all are too small.
 */
export function renditionsForDevice(
  period: TimelinePeriod,
  device: DeviceType | undefined,
): readonly Rendition[] {
  const served = servedRenditions(period);
  if (device === undefined) return served;
  const video = served.filter((one) => one.kind === 'video');
  const suitable = video.filter((one) => suits(one, device));
  const nearest = device === 'tv' ? video.slice(0, 1) : video.slice(-1);
  const chosen: readonly Rendition[] = suitable.length > 0 ? suitable : nearest;
  return [...chosen, ...served.filter((one) => one.kind === 'audio')];
}
