/**
 * Reads init segments: those of this project, and those that ffmpeg writes for the workers.
 *
 * An init segment has one track, of a codec that the product takes; anything else is `MEDIA_INVALID`.
 */
import type { Ratio } from '../../../cluster/contract/renditions.ts';
import { ByteReader, boxesOf, descend, invalidMedia, onlyChild, type Box } from './box-reader.ts';
import type { AudioTrack, Track, VideoTrack } from './cmaf.ts';

/** A `moov` before fragments has empty tables. A larger one is something else. */
const maxMovieBytes = 1_048_576;

export interface ReadInit {
  readonly trackId: number;
  /** The timescale in the file; ffmpeg's own choice may differ from the track's. */
  readonly timescale: number;
  readonly defaults: SampleDefaults;
  /** The track as this project writes it: video in 90 kHz, audio in its sample rate. */
  readonly track: Track;
}

/** The defaults for samples of a fragment: `trex`, then `tfhd`. */
export interface SampleDefaults {
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

/**
 * Reads the track of this project's own init segment.
 *
 * @throws TangazaError `MEDIA_INVALID`, also for a timescale other than the rule's (M6)
 */
export function trackOfInit(init: Uint8Array): Track {
  const { track, timescale } = readInit(init);
  if (track.timescale !== timescale)
    throw invalidMedia(`the track counts in 1/${timescale} s, not in 1/${track.timescale} s (M6)`);
  return track;
}

/**
 * Reads an init segment of this project or of ffmpeg; fragments may follow in the same file.
 *
 * @throws TangazaError `MEDIA_INVALID`
 */
export function readInit(init: Uint8Array): ReadInit {
  const movieBody = onlyChild(boxesOf(init), 'moov');
  if (movieBody.length > maxMovieBytes) throw invalidMedia(`a moov of ${movieBody.length} bytes`);
  const movie = boxesOf(movieBody);
  const trackBoxes = boxesOf(onlyChild(movie, 'trak'));
  const trackId = readTrackId(onlyChild(trackBoxes, 'tkhd'));
  const media = boxesOf(onlyChild(trackBoxes, 'mdia'));
  const description = descend(media, 'minf', 'stbl', 'stsd');
  return {
    trackId,
    timescale: readTimescale(onlyChild(media, 'mdhd')),
    defaults: readDefaults(descend(movie, 'mvex', 'trex'), trackId),
    track: readSampleEntry(description),
  };
}

function readTrackId(body: Uint8Array): number {
  const reader = new ByteReader(body, 'tkhd');
  reader.skip(reader.fullHeader().version === 1 ? 16 : 8);
  return reader.u32();
}

function readTimescale(body: Uint8Array): number {
  const reader = new ByteReader(body, 'mdhd');
  reader.skip(reader.fullHeader().version === 1 ? 16 : 8);
  const timescale = reader.u32();
  if (timescale === 0) throw invalidMedia('mdhd has timescale 0');
  return timescale;
}

function readDefaults(body: Uint8Array, trackId: number): SampleDefaults {
  const reader = new ByteReader(body, 'trex');
  reader.skip(4);
  if (reader.u32() !== trackId) throw invalidMedia('trex is of another track');
  reader.skip(4);
  return { duration: reader.u32(), size: reader.u32(), flags: reader.u32() };
}

function readSampleEntry(body: Uint8Array): Track {
  const reader = new ByteReader(body, 'stsd');
  reader.skip(4);
  const count = reader.u32();
  const [entry, ...others] = boxesOf(reader.rest());
  if (count !== 1 || entry === undefined || others.length > 0)
    throw invalidMedia(`${count} sample entries where one is needed`);
  switch (entry.type) {
    case 'avc1':
    case 'avc3':
      return readVideo(entry, 'h264', 'avcC');
    case 'hvc1':
    case 'hev1':
      return readVideo(entry, 'hevc', 'hvcC');
    case 'av01':
      return readVideo(entry, 'av1', 'av1C');
    case 'mp4a':
      return readAudio(entry);
    default:
      throw invalidMedia(`sample entry ${JSON.stringify(entry.type)} is of no codec that is taken`);
  }
}

function readVideo({ body }: Box, codec: VideoTrack['codec'], configurationType: string): VideoTrack {
  const reader = new ByteReader(body, 'sample entry');
  reader.skip(24);
  const [width, height] = [reader.u16(), reader.u16()];
  reader.skip(50);
  const children = boxesOf(reader.rest());
  const configuration = onlyChild(children, configurationType);
  if (width === 0 || height === 0 || configuration.length === 0)
    throw invalidMedia(`${width}x${height} video`);
  return {
    kind: 'video',
    codec,
    width,
    height,
    sampleAspectRatio: readAspect(children),
    configuration,
    timescale: 90_000,
  };
}

function readAspect(children: readonly Box[]): Ratio {
  const aspect = children.find((child) => child.type === 'pasp');
  if (aspect === undefined) return [1, 1];
  const reader = new ByteReader(aspect.body, 'pasp');
  const [horizontal, vertical] = [reader.u32(), reader.u32()];
  return horizontal > 0 && vertical > 0 ? [horizontal, vertical] : [1, 1];
}

function readAudio({ body }: Box): AudioTrack {
  const reader = new ByteReader(body, 'mp4a');
  reader.skip(8);
  if (reader.u16() !== 0) throw invalidMedia('a QuickTime sound description');
  reader.skip(6);
  const channels = reader.u16();
  reader.skip(6);
  const rate16 = reader.u16();
  reader.skip(2);
  const configuration = readElementaryStream(onlyChild(boxesOf(reader.rest()), 'esds'));
  const sampleRate = rate16 > 0 ? rate16 : highRate(configuration);
  if (channels === 0) throw invalidMedia('audio without a channel');
  return { kind: 'audio', sampleRate, channels, configuration, timescale: sampleRate };
}

/**
 * Reads a sample rate. One over 65,535 Hz does not fit here; the AudioSpecificConfig has it (ISO/IEC 14496-3, 1.6.3.4).
 */
function highRate(configuration: Uint8Array): number {
  const index = (((configuration[0] ?? 0) & 7) << 1) | ((configuration[1] ?? 0) >> 7);
  const rate = [96_000, 88_200][index];
  if (rate === undefined) throw invalidMedia('audio without a sample rate');
  return rate;
}

/**
 * Finds the AudioSpecificConfig inside `esds` (ISO/IEC 14496-1: ES, decoder configuration, decoder specific
 * information).
 */
function readElementaryStream(body: Uint8Array): Uint8Array {
  const reader = new ByteReader(body, 'esds');
  reader.skip(4);
  const stream = new ByteReader(readDescriptor(reader, 3), 'ES descriptor');
  stream.skip(2);
  const flags = stream.u8();
  if (flags & 0x80) stream.skip(2);
  if (flags & 0x40) stream.skip(stream.u8());
  if (flags & 0x20) stream.skip(2);
  const decoder = new ByteReader(readDescriptor(stream, 4), 'decoder configuration');
  if (decoder.u8() !== 0x40) throw invalidMedia('audio that is not AAC');
  decoder.skip(12);
  const configuration = readDescriptor(decoder, 5);
  if (configuration.length === 0) throw invalidMedia('an empty AudioSpecificConfig');
  return configuration;
}

function readDescriptor(reader: ByteReader, tag: number): Uint8Array {
  if (reader.u8() !== tag) throw invalidMedia(`no descriptor ${tag}`);
  let length = 0;
  for (let count = 0; count < 4; count += 1) {
    const byte = reader.u8();
    length = length * 128 + (byte & 0x7f);
    if (byte < 0x80) return reader.bytes(length);
  }
  throw invalidMedia('a descriptor length of more than four bytes');
}
