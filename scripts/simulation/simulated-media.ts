/** What the segments of a simulated broadcast are: one rendition, whose bytes are named and never made. */
import { createHash } from 'node:crypto';
import type { Rendition } from '../../cluster/contract/renditions.ts';
import { RenditionName, Sha256 } from '../../cluster/model/ids.ts';

export const segment90k = 180_000;
export const rendition = RenditionName.parse('h264-720p');

export const hashOf = (text: string): Sha256 => Sha256.parse(createHash('sha256').update(text).digest('hex'));

export const init = { sha256: hashOf('init'), bytes: 1 };

export const video: Rendition = {
  kind: 'video',
  name: rendition,
  codecs: 'avc1.64001f',
  width: 1280,
  height: 720,
  sampleAspectRatio: [1, 1],
  frameRate: [25, 1],
  bandwidthBps: 1_000_000,
  timescale: 90_000,
  origin: { kind: 'passThrough' },
  init,
};
