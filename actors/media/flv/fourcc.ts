/** Names codecs as Enhanced RTMP and legacy FLV do, and says in words which are refused. */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { ByteReader } from '../bits/byte-reader.ts';

const fourccNames: Readonly<Record<string, string>> = {
  vp08: 'VP8',
  vp09: 'VP9',
  vvc1: 'VVC',
  'ac-3': 'AC-3',
  'ec-3': 'E-AC-3',
  Opus: 'Opus',
  '.mp3': 'MP3',
  fLaC: 'FLAC',
};

/** The FourCC that follows an Enhanced RTMP header. */
export function readFourcc(reader: ByteReader): string {
  return String.fromCharCode(...reader.bytes(4));
}

/** A name for messages: the known one, else the printable characters of the code. */
export function nameOfFourcc(fourcc: string): string {
  return fourccNames[fourcc] ?? `codec "${fourcc.replaceAll(/[^\x20-\x7e]/g, '?')}"`;
}

export function codecRefused(name: string, instead: string): TangazaError {
  return new TangazaError('CODEC_REFUSED', `${name} is not taken: send ${instead}`);
}

export const modExPacket = 7;

/**
 * Skips the ModEx packets that may stand before any other (Enhanced RTMP v2). They hold nanosecond offsets, finer than
 * what is kept.
 *
 * @returns the packet type behind them
 * @throws TangazaError `MEDIA_INVALID`
 */
export function skipModEx(reader: ByteReader, packetType: number): number {
  let type = packetType;
  while (type === modExPacket) {
    const short = reader.u8() + 1;
    reader.bytes(short === 256 ? reader.u16() + 1 : short);
    type = reader.u8() & 0xf;
  }
  return type;
}
