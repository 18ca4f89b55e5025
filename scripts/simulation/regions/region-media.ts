/** The media of the simulated encoder: segments of two seconds of wall time, of which each region's session sends what it has. */
import { createHash } from 'node:crypto';
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import { RenditionName, SessionId, Sha256 } from '../../../cluster/model/ids.ts';

export const segmentMs = 2000;
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

/** One connection of the encoder to one region. Twins of one encoder have one `encoder`, and differ by up to 1 ms (M2). */
export interface Session {
  readonly encoder: number;
  readonly jitter90k: number;
}

export const sessionId = ({ encoder }: Session): SessionId => SessionId.parse(`e${encoder}`);
