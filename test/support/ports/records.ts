/** Index-log records and ids for tests, with every field that a test does not care about filled in. */
import type { ClockRecord, IndexRecord } from '../../../cluster/contract/index-records.ts';
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import {
  BootId,
  Epoch,
  NodeId,
  RegionId,
  RenditionName,
  SessionId,
  Sha256,
  StreamId,
} from '../../../cluster/model/ids.ts';

export const stream = StreamId.parse('demo');
export const region = RegionId.parse('eu');

/** A hash that is easy to tell in a failing test: `sha('ab')` is `ababab…`. */
export function sha(hex: string): Sha256 {
  return Sha256.parse(hex.repeat(Math.ceil(64 / hex.length)).slice(0, 64));
}

export interface Author {
  readonly epoch?: number;
  readonly node?: string;
  readonly bootId?: string;
  readonly recordId?: string;
}

export function by({ epoch = 1, node = 'n1', bootId = 'b1', recordId = 'r1' }: Author = {}) {
  return {
    epoch: Epoch.parse(epoch),
    node: NodeId.parse(node),
    region,
    bootId: BootId.parse(bootId),
    recordId,
    atMs: 1_000,
  };
}

export function openRecord(author: Author = {}): IndexRecord {
  return { kind: 'open', ...by(author) };
}

export function endRecord(author: Author = {}): IndexRecord {
  return { kind: 'end', ...by(author), reason: 'test' };
}

const video = (height: number, origin: 'encode' | 'passThrough' | 'sourceOnly'): Rendition => ({
  kind: 'video',
  name: RenditionName.parse(origin === 'sourceOnly' ? 'source' : `h264-${height}p`),
  codecs: 'avc1.64001f',
  width: 2 * Math.round((height * 8) / 9),
  height,
  sampleAspectRatio: [1, 1],
  frameRate: [30, 1],
  bandwidthBps: height * 4_000,
  timescale: 90_000,
  origin:
    origin === 'encode'
      ? {
          kind: 'encode',
          settings: {
            preset: 'veryfast',
            profile: 'high',
            level: 31,
            crf: 24,
            maxrateBps: 1_000_000,
            bufsizeBits: 1_000_000,
          },
        }
      : { kind: origin },
  ...(origin === 'encode' ? {} : { init: { sha256: sha('a0'), bytes: 800 } }),
});

export const audioRendition: Rendition = {
  kind: 'audio',
  name: RenditionName.parse('aac-128k'),
  codecs: 'mp4a.40.2',
  sampleRate: 48_000,
  channels: 2,
  samplesPerFrame: 1024,
  bandwidthBps: 140_000,
  timescale: 48_000,
  init: { sha256: sha('aa'), bytes: 700 },
};

/** 720p passed through, 480p, 360p and 240p encoded, audio. */
export const fullLadder: readonly Rendition[] = [
  video(720, 'passThrough'),
  video(480, 'encode'),
  video(360, 'encode'),
  video(240, 'encode'),
  audioRendition,
];
export const passThroughOnly: readonly Rendition[] = [video(240, 'passThrough'), audioRendition];
export const sourceOnlyLadder: readonly Rendition[] = [
  video(720, 'sourceOnly'),
  video(480, 'encode'),
  video(240, 'encode'),
  audioRendition,
];

export function clockRecord(author: Author = {}, change: Partial<ClockRecord> = {}): ClockRecord {
  return {
    kind: 'clock',
    ...by(author),
    sessionId: SessionId.parse('s1'),
    mediaZero90k: 0,
    presentationZero90k: 0,
    availabilityStartMs: 1_000_000,
    connectionZeroMs: 0,
    sequenceHeaderHash: sha('5e'),
    renditions: [...fullLadder],
    fingerprint: 'test',
    ...change,
  };
}
