/** Reads the body of an FLV video tag: legacy (FLV 10.1 E.4.3) and Enhanced RTMP (v2, ExVideoTagHeader) (M15). */
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { ByteReader, mediaInvalid } from '../bits/byte-reader.ts';
import { Amf0Reader } from './amf0.ts';
import { codecRefused, nameOfFourcc, readFourcc, skipModEx } from './fourcc.ts';

export type VideoCodec = 'h264' | 'hevc' | 'av1';

export type VideoTag =
  /** The sequence header: body of avcC, hvcC or av1C. A view. */
  | { readonly kind: 'configuration'; readonly codec: VideoCodec; readonly configuration: Uint8Array }
  /**
   * A view of one coded picture; `compositionMs` is signed. FLV's keyframe flag is left out, because it is often wrong
   * (M3).
   */
  | {
      readonly kind: 'picture';
      readonly codec: VideoCodec;
      readonly compositionMs: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'end' }
  /** Enhanced RTMP colour information; `transfer` as in ISO/IEC 23091-2. */
  | { readonly kind: 'colour'; readonly transfer: number | undefined }
  | { readonly kind: 'ignored' };

const legacyNames: Readonly<Record<number, string>> = {
  2: 'Sorenson H.263',
  3: 'Screen Video',
  4: 'VP6',
  5: 'VP6 with alpha',
  6: 'Screen Video 2',
  8: 'H.263',
  9: 'MPEG-4 Part 2',
  12: 'HEVC under the unofficial FLV number 12',
  13: 'AV1 under the unofficial FLV number 13',
};

const avc = 7;
const commandFrame = 5;
const instead =
  'H.264 (OBS: Settings, Output, Video Encoder; ffmpeg: -c:v libx264), or HEVC or AV1 by Enhanced RTMP';

const packet = { start: 0, frames: 1, end: 2, framesX: 3, metadata: 4, tsStart: 5, multitrack: 6 } as const;

const codecOfFourcc: ReadonlyMap<string, VideoCodec> = new Map([
  ['avc1', 'h264'],
  ['hvc1', 'hevc'],
  ['av01', 'av1'],
]);

function parseAvc(reader: ByteReader): VideoTag {
  const type = reader.u8();
  const compositionMs = reader.i24();
  switch (type) {
    case 0:
      return { kind: 'configuration', codec: 'h264', configuration: reader.rest() };
    case 1:
      return { kind: 'picture', codec: 'h264', compositionMs, data: reader.rest() };
    case 2:
      return { kind: 'end' };
    default:
      throw mediaInvalid(`an FLV video tag has AVC packet type ${type}`);
  }
}

function parseColour(reader: ByteReader): VideoTag {
  const amf = new Amf0Reader(reader.rest());
  const name = amf.value();
  const information = name === 'colorInfo' && amf.hasMore ? amf.value() : undefined;
  const configuration = information instanceof Map ? information.get('colorConfig') : undefined;
  const transfer = configuration instanceof Map ? configuration.get('transferCharacteristics') : undefined;
  return { kind: 'colour', transfer: typeof transfer === 'number' ? transfer : undefined };
}

function parseEnhanced(reader: ByteReader, frameType: number, firstPacketType: number): VideoTag {
  const type = skipModEx(reader, firstPacketType);
  if (type !== packet.metadata && frameType === commandFrame) return { kind: 'ignored' };
  if (type === packet.multitrack) throw codecRefused('Multitrack video', 'one video track');
  const fourcc = readFourcc(reader);
  if (type === packet.metadata) return parseColour(reader);
  const codec = codecOfFourcc.get(fourcc);
  if (codec === undefined) throw codecRefused(nameOfFourcc(fourcc), instead);
  return parsePacket(reader, codec, type);
}

function parsePacket(reader: ByteReader, codec: VideoCodec, type: number): VideoTag {
  switch (type) {
    case packet.start:
      return { kind: 'configuration', codec, configuration: reader.rest() };
    case packet.frames: {
      // AV1 has no composition time in its packets.
      const compositionMs = codec === 'av1' ? 0 : reader.i24();
      return { kind: 'picture', codec, compositionMs, data: reader.rest() };
    }
    case packet.framesX:
      return { kind: 'picture', codec, compositionMs: 0, data: reader.rest() };
    case packet.end:
      return { kind: 'end' };
    case packet.tsStart:
      throw codecRefused('AV1 configuration of MPEG-2 TS', 'an av1C sequence start');
    default:
      throw mediaInvalid(`an Enhanced RTMP video tag has packet type ${type}`);
  }
}

/**
 * @returns views into `payload`
 * @throws TangazaError `CODEC_REFUSED` naming the codec, `MEDIA_INVALID`
 */
export function parseVideoTag(payload: Uint8Array): VideoTag {
  if (payload.length === 0) return { kind: 'ignored' };
  const reader = new ByteReader(payload, 'an FLV video tag');
  const head = reader.u8();
  const frameType = (head >> 4) & 7;
  if ((head & 0x80) !== 0) return parseEnhanced(reader, frameType, head & 0xf);
  const codec = head & 0xf;
  if (codec !== avc) throw codecRefused(legacyNames[codec] ?? `FLV video codec ${codec}`, instead);
  if (frameType === commandFrame) return { kind: 'ignored' };
  return parseAvc(reader);
}

/** The codec's name as people know it. */
export function nameOfVideoCodec(codec: VideoCodec): string {
  switch (codec) {
    case 'h264':
      return 'H.264';
    case 'hevc':
      return 'HEVC';
    case 'av1':
      return 'AV1';
    default:
      return unreachable(codec);
  }
}
