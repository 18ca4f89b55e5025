/** Reads the body of an FLV audio tag: legacy (FLV 10.1 E.4.2) and Enhanced RTMP (v2, ExAudioTagHeader) (M15). */
import { ByteReader, mediaInvalid } from '../bits/byte-reader.ts';
import { codecRefused, nameOfFourcc, readFourcc, skipModEx } from './fourcc.ts';

export type AudioTag =
  /** An AudioSpecificConfig. A view. */
  | { readonly kind: 'configuration'; readonly configuration: Uint8Array }
  /** One raw AAC frame. A view. */
  | { readonly kind: 'frame'; readonly data: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'ignored' };

const legacyNames: readonly string[] = [
  'Uncompressed PCM',
  'ADPCM',
  'MP3',
  'Little-endian PCM',
  'Nellymoser 16 kHz',
  'Nellymoser 8 kHz',
  'Nellymoser',
  'G.711 A-law',
  'G.711 mu-law',
  'Enhanced audio',
  'AAC',
  'Speex',
  'FLV audio codec 12',
  'FLV audio codec 13',
  'MP3 8 kHz',
  'Device-specific audio',
];

const enhanced = 9;
const aac = 10;
const instead = 'AAC (OBS: Settings, Output, Audio Encoder; ffmpeg: -c:a aac)';

const packet = { start: 0, frames: 1, end: 2, channels: 4, multitrack: 5 } as const;

function parseAac(reader: ByteReader): AudioTag {
  const type = reader.u8();
  if (type === 0) return { kind: 'configuration', configuration: reader.rest() };
  if (type === 1) return { kind: 'frame', data: reader.rest() };
  throw mediaInvalid(`an FLV audio tag has AAC packet type ${type}`);
}

function parseEnhanced(reader: ByteReader, firstPacketType: number): AudioTag {
  const type = skipModEx(reader, firstPacketType);
  if (type === packet.multitrack) throw codecRefused('Multitrack audio', 'one audio track');
  const fourcc = readFourcc(reader);
  if (fourcc !== 'mp4a') throw codecRefused(nameOfFourcc(fourcc), instead);
  switch (type) {
    case packet.start:
      return { kind: 'configuration', configuration: reader.rest() };
    case packet.frames:
      return { kind: 'frame', data: reader.rest() };
    case packet.end:
      return { kind: 'end' };
    case packet.channels:
      return { kind: 'ignored' };
    default:
      throw mediaInvalid(`an Enhanced RTMP audio tag has packet type ${type}`);
  }
}

/**
 * @returns views into `payload`
 * @throws TangazaError `CODEC_REFUSED` naming the codec, `MEDIA_INVALID`
 */
export function parseAudioTag(payload: Uint8Array): AudioTag {
  if (payload.length === 0) return { kind: 'ignored' };
  const reader = new ByteReader(payload, 'an FLV audio tag');
  const head = reader.u8();
  const format = head >> 4;
  if (format === enhanced) return parseEnhanced(reader, head & 0xf);
  if (format !== aac) throw codecRefused(legacyNames[format] ?? `FLV audio codec ${format}`, instead);
  return parseAac(reader);
}
