/** Reads script data of FLV and RTMP: `onMetaData`, what an encoder claims about its feed. None of it is trusted. */
import type { Amf } from './amf.ts';
import { Amf0Reader } from './amf0.ts';

export interface FeedMetadata {
  /** Frames per second, as told. */
  readonly frameRate?: number;
  readonly videoBitrateBps?: number;
  readonly audioBitrateBps?: number;
  /** Whether a track is announced. A feed that announces neither leaves it open. */
  readonly hasVideo: boolean;
  readonly hasAudio: boolean;
  readonly encoder?: string;
}

export type ScriptTag =
  | { readonly kind: 'metadata'; readonly metadata: FeedMetadata }
  | { readonly kind: 'ignored'; readonly name: string };

const maxText = 100;

function positive(value: Amf): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}

function isAnnounced(codec: Amf, size: Amf): boolean {
  return (
    (codec !== undefined && codec !== null && codec !== false && codec !== '' && codec !== 0) ||
    positive(size) !== undefined
  );
}

function toMetadata(values: ReadonlyMap<string, Amf>): FeedMetadata {
  const frameRate = positive(values.get('framerate')) ?? positive(values.get('fps'));
  const videoKbps = positive(values.get('videodatarate'));
  const audioKbps = positive(values.get('audiodatarate'));
  const encoder = values.get('encoder');
  return {
    ...(frameRate === undefined ? {} : { frameRate }),
    ...(videoKbps === undefined ? {} : { videoBitrateBps: Math.round(videoKbps * 1000) }),
    ...(audioKbps === undefined ? {} : { audioBitrateBps: Math.round(audioKbps * 1000) }),
    ...(typeof encoder === 'string' ? { encoder: encoder.slice(0, maxText) } : {}),
    hasVideo: isAnnounced(values.get('videocodecid'), values.get('width')),
    hasAudio: isAnnounced(values.get('audiocodecid'), values.get('audiosamplerate')),
  };
}

/**
 * Parses the body of a script tag, with RTMP's `@setDataFrame` before it or without.
 *
 * @throws TangazaError `MEDIA_INVALID`
 */
export function parseScriptTag(payload: Uint8Array): ScriptTag {
  const reader = new Amf0Reader(payload);
  const first = reader.value();
  const name = first === '@setDataFrame' && reader.hasMore ? reader.value() : first;
  const values = reader.hasMore ? reader.value() : undefined;
  if (name === 'onMetaData' && values instanceof Map)
    return { kind: 'metadata', metadata: toMetadata(values) };
  return { kind: 'ignored', name: typeof name === 'string' ? name.slice(0, maxText) : 'unnamed' };
}
