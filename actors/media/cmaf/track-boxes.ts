/**
 * Writes the boxes that say what a track is, for init segments and clips: sample entries, headers, media information.
 *
 * Equal tracks give equal bytes: no creation times, no tool names, one track id for each kind of use (M7).
 * Source: ISO/IEC 14496-12, -14 (esds), -15 (avcC, hvcC); AV1-ISOBMFF (av1C).
 */
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { ascii, box, concat, fullBox, u16, u32, u64, u8, zeros } from './boxes.ts';
import type { AudioTrack, Track, VideoTrack } from './cmaf.ts';

/** Identity, in 16.16 and 2.30 fixed point. */
const matrix = u32(0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000);
const languageUndetermined = 0x55c4;

/** `mvhd`, version 1. @param duration in `timescale`; 0 when fragments follow */
export function movieHeader(movie: { timescale: number; duration: number; nextTrackId: number }): Uint8Array {
  const { timescale, duration, nextTrackId } = movie;
  const times = [u64(0), u64(0), u32(timescale), u64(duration)];
  const rateAndVolume = [u32(0x1_0000), u16(0x100), zeros(10)];
  return fullBox('mvhd', { version: 1 }, ...times, ...rateAndVolume, matrix, zeros(24), u32(nextTrackId));
}

/** `tkhd`, version 1, enabled and in the movie. @param duration in the movie's timescale */
export function trackHeader(track: Track, trackId: number, duration: number): Uint8Array {
  const times = [u64(0), u64(0), u32(trackId), zeros(4), u64(duration)];
  const layerGroupVolume = [zeros(8), u16(0, 0), u16(track.kind === 'audio' ? 0x100 : 0), zeros(2)];
  const [width, height] = displaySize(track);
  return fullBox(
    'tkhd',
    { version: 1, flags: 3 },
    ...times,
    ...layerGroupVolume,
    matrix,
    u32(width * 0x1_0000, height * 0x1_0000),
  );
}

/** `mdia` around the sample table. @param duration in the track's timescale */
export function mediaBox(track: Track, duration: number, sampleTable: Uint8Array): Uint8Array {
  const header = fullBox(
    'mdhd',
    { version: 1 },
    u64(0),
    u64(0),
    u32(track.timescale),
    u64(duration),
    u16(languageUndetermined, 0),
  );
  const dataReference = box('dinf', fullBox('dref', {}, u32(1), fullBox('url ', { flags: 1 })));
  return box('mdia', header, handler(track), box('minf', mediaHeader(track), dataReference, sampleTable));
}

/** `stsd` with the one sample entry of the track. */
export function sampleDescription(track: Track): Uint8Array {
  return fullBox(
    'stsd',
    {},
    u32(1),
    track.kind === 'video' ? visualSampleEntry(track) : audioSampleEntry(track),
  );
}

/** The size on the screen: the sample aspect ratio scales only the width. */
function displaySize(track: Track): readonly [number, number] {
  if (track.kind === 'audio') return [0, 0];
  const [horizontal, vertical] = track.sampleAspectRatio;
  return [Math.min(0xffff, Math.round((track.width * horizontal) / vertical)), track.height];
}

function handler({ kind }: Track): Uint8Array {
  const [type, name] = kind === 'video' ? ['vide', 'Video\0'] : ['soun', 'Audio\0'];
  return fullBox('hdlr', {}, zeros(4), ascii(type), zeros(12), ascii(name));
}

function mediaHeader({ kind }: Track): Uint8Array {
  return kind === 'video' ? fullBox('vmhd', { flags: 1 }, zeros(8)) : fullBox('smhd', {}, zeros(4));
}

function visualSampleEntry(track: VideoTrack): Uint8Array {
  const reservedAndReference = concat([zeros(6), u16(1), zeros(16)]);
  const size = concat([u16(track.width, track.height), u32(0x48_0000, 0x48_0000, 0), u16(1)]);
  const nameDepthAndPredefined = concat([zeros(32), u16(0x18, 0xffff)]);
  const [entry, configuration] = videoBoxNames(track.codec);
  const aspect = box('pasp', u32(...track.sampleAspectRatio));
  return box(
    entry,
    reservedAndReference,
    size,
    nameDepthAndPredefined,
    box(configuration, track.configuration),
    aspect,
  );
}

function videoBoxNames(codec: VideoTrack['codec']): readonly [entry: string, configuration: string] {
  switch (codec) {
    case 'h264':
      return ['avc1', 'avcC'];
    case 'hevc':
      return ['hvc1', 'hvcC'];
    case 'av1':
      return ['av01', 'av1C'];
    default:
      return unreachable(codec);
  }
}

function audioSampleEntry(track: AudioTrack): Uint8Array {
  const reservedAndReference = concat([zeros(6), u16(1), zeros(8)]);
  // The field is 16.16 fixed point. A rate above 65,535 Hz does not fit; the AudioSpecificConfig says it.
  const rate = track.sampleRate <= 0xffff ? track.sampleRate * 0x1_0000 : 0;
  return box(
    'mp4a',
    reservedAndReference,
    u16(track.channels, 16),
    zeros(4),
    u32(rate),
    elementaryStream(track.configuration),
  );
}

/** `esds`: MPEG-4 audio. Bit rates are left unknown, so that the bytes do not depend on what was measured. */
function elementaryStream(audioSpecificConfig: Uint8Array): Uint8Array {
  const audioObjectType = 0x40;
  const audioStream = 0x15;
  const decoderConfig = descriptor(
    4,
    u8(audioObjectType, audioStream),
    zeros(11),
    descriptor(5, audioSpecificConfig),
  );
  const predefinedForMp4 = 2;
  return fullBox(
    'esds',
    {},
    descriptor(3, u16(0), u8(0), decoderConfig, descriptor(6, u8(predefinedForMp4))),
  );
}

/** A descriptor of ISO/IEC 14496-1; its size has the four byte form that every reader takes. */
function descriptor(tag: number, ...body: readonly Uint8Array[]): Uint8Array {
  const content = concat(body);
  const size = [21, 14, 7].map((shift) => ((content.length >> shift) & 0x7f) | 0x80);
  return concat([u8(tag, ...size, content.length & 0x7f), content]);
}
