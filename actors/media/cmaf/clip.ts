/**
 * Makes one progressive MP4 of whole segments, for the frames API (M16).
 *
 * `moov` with both tracks lies before `mdat` (fast start). Video plays from 0, and audio at its true offset from it.
 *
 * K1. Decode times are the segments' own, moved to begin at 0. Each sample lasts until the next one. So a declared gap
 *     between two segments holds the last picture and moves nothing behind it.
 * K2. Composition offsets are shifted to be positive, and an edit list takes the shift back. Negative offsets make
 *     ffmpeg, and so Chromium, present everything late by the largest of them (M6).
 * K3. Audio that is later than video gets an empty edit. Audio that begins earlier is entered at the picture's time.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { ascii, box, boxHeader, concat, fullBox, u16, u32, u32Table, u64 } from './boxes.ts';
import type { ReadSample, Track } from './cmaf.ts';
import { readSegment, trackOfInit } from './reader.ts';
import { mediaBox, movieHeader, sampleDescription, trackHeader } from './track-boxes.ts';

/** Ticks a second of the movie; edits and total durations count in them. */
const movieTimescale = 90_000;

/** How much media one clip may hold, because it is held in memory. More is refused. */
export const maxClipBytes = 268_435_456;

export interface ClipTrack {
  readonly init: Uint8Array;
  /** Segments in order of time, all of the period of `init`. */
  readonly segments: readonly Uint8Array[];
}

/**
 * Makes one MP4 file that starts at time 0.
 *
 * @throws TangazaError `BAD_REQUEST` when there is no segment or more than 256 MiB; `MEDIA_INVALID` when a segment
 *   cannot be read, or starts before the one in front of it ends
 */
export function writeClip({
  video,
  audio,
}: {
  readonly video?: ClipTrack;
  readonly audio?: ClipTrack;
}): Uint8Array {
  const given = [video, audio].filter((track) => track !== undefined && track.segments.length > 0);
  const loaded = given.map((track) => (track === undefined ? [] : load(track)));
  const tracks = loaded.flat();
  const [first] = tracks;
  if (first === undefined) throw new TangazaError('BAD_REQUEST', 'A clip needs a segment.');
  const mediaBytes = tracks.reduce((sum, track) => sum + track.mediaBytes, 0);
  if (mediaBytes > maxClipBytes) {
    throw new TangazaError(
      'BAD_REQUEST',
      `A clip of ${mediaBytes} bytes is over ${maxClipBytes}: ask for a shorter one.`,
    );
  }
  const zeroSeconds = first.startTime / first.track.timescale;
  const chunks = interleave(tracks);
  const fileType = box('ftyp', ascii('isom'), u32(0x200), ascii('isomiso2mp41'));
  // Offsets have a fixed width, so a `moov` that is made with zeros is as long as the true one.
  const movie = (mediaStart: number): Uint8Array =>
    movieBox(tracks, zeroSeconds, chunkOffsets(chunks, mediaStart));
  const mediaStart = fileType.length + movie(0).length + 8;
  const media = chunks.flatMap((chunk) => chunk.samples.map((sample) => sample.data));
  return concat([fileType, movie(mediaStart), boxHeader('mdat', mediaBytes), ...media]);
}

interface LoadedTrack {
  readonly track: Track;
  /** Earliest presentation time, in the track's timescale. */
  readonly startTime: number;
  /** How long it lasts from its first to its last moment, gaps included. */
  readonly duration: number;
  /** One chunk for each segment. */
  readonly chunks: readonly (readonly ReadSample[])[];
  /** Durations of all samples of all chunks, each to the next sample (K1). */
  readonly samples: readonly ReadSample[];
  readonly mediaBytes: number;
}

function load({ init, segments }: ClipTrack): LoadedTrack {
  const track = trackOfInit(init);
  const chunks = segments.map((segment) => readSegment(init, segment).samples);
  const samples = joinSamples(chunks.flat());
  return {
    track,
    startTime: samples.reduce((least, sample) => Math.min(least, sample.pts), Infinity),
    duration: samples.reduce((sum, sample) => sum + sample.duration, 0),
    chunks,
    samples,
    mediaBytes: samples.reduce((sum, sample) => sum + sample.data.length, 0),
  };
}

function joinSamples(samples: readonly ReadSample[]): readonly ReadSample[] {
  return samples.map((sample, index) => {
    const next = samples[index + 1];
    if (next === undefined) return sample;
    if (next.dts < sample.dts + sample.duration) {
      throw new TangazaError(
        'MEDIA_INVALID',
        `A segment starts at ${next.dts}, before the one in front of it ends.`,
      );
    }
    return { ...sample, duration: next.dts - sample.dts };
  });
}

interface Chunk {
  readonly trackIndex: number;
  readonly seconds: number;
  readonly samples: readonly ReadSample[];
}

/** Chunks in order of time, so that a player need not seek. */
function interleave(tracks: readonly LoadedTrack[]): readonly Chunk[] {
  const chunks = tracks.flatMap(({ track, chunks: ofTrack }, trackIndex) =>
    ofTrack.map((samples) => ({ trackIndex, samples, seconds: (samples[0]?.dts ?? 0) / track.timescale })),
  );
  return chunks.toSorted((a, b) => a.seconds - b.seconds || a.trackIndex - b.trackIndex);
}

/** Where each track's chunks lie in the file. */
function chunkOffsets(chunks: readonly Chunk[], mediaStart: number): readonly (readonly number[])[] {
  const offsets: number[][] = [[], []];
  let offset = mediaStart;
  for (const chunk of chunks) {
    offsets[chunk.trackIndex]?.push(offset);
    offset += chunk.samples.reduce((sum, sample) => sum + sample.data.length, 0);
  }
  return offsets;
}

function movieBox(
  tracks: readonly LoadedTrack[],
  zeroSeconds: number,
  offsets: readonly (readonly number[])[],
): Uint8Array {
  const edits = tracks.map((track) => editOf(track, zeroSeconds));
  const duration = edits.reduce((longest, edit) => Math.max(longest, edit.emptyTicks + edit.mediaTicks), 0);
  const header = movieHeader({ timescale: movieTimescale, duration, nextTrackId: tracks.length + 1 });
  const trackBoxes = tracks.map((loaded, index) => {
    const edit = edits[index] ?? editOf(loaded, zeroSeconds);
    const trackHead = trackHeader(loaded.track, index + 1, edit.emptyTicks + edit.mediaTicks);
    const sampleTables = sampleTable(loaded, edit.shift, offsets[index] ?? []);
    return box('trak', trackHead, editBox(edit), mediaBox(loaded.track, loaded.duration, sampleTables));
  });
  return box('moov', header, ...trackBoxes);
}

interface Edit {
  /** By how much decoding must lead presenting at most, in the track's timescale (K2). */
  readonly shift: number;
  /** How long nothing is shown before the media, in the movie's timescale (K3). */
  readonly emptyTicks: number;
  /** Where in the media to enter, in the track's timescale. */
  readonly mediaTime: number;
  /** How long the media is shown, in the movie's timescale. */
  readonly mediaTicks: number;
}

function editOf({ track, samples, startTime, duration }: LoadedTrack, zeroSeconds: number): Edit {
  const shift = samples.reduce((most, sample) => Math.max(most, sample.dts - sample.pts), 0);
  const late = startTime - Math.round(zeroSeconds * track.timescale);
  const skipped = Math.max(0, -late);
  if (skipped >= duration)
    throw new TangazaError('MEDIA_INVALID', `The ${track.kind} of the clip ends before its video starts.`);
  const toMovie = (ticks: number): number => (ticks * movieTimescale) / track.timescale;
  const firstPresented = shift + startTime - (samples[0]?.dts ?? 0);
  return {
    shift,
    emptyTicks: Math.round(toMovie(Math.max(0, late))),
    mediaTime: firstPresented + skipped,
    // Rounded up: an edit that ends within the last sample would drop it.
    mediaTicks: Math.ceil(toMovie(duration - skipped)),
  };
}

/** `edts`, version 1; its last entry plays the media at normal rate. */
function editBox({ emptyTicks, mediaTime, mediaTicks }: Edit): Uint8Array {
  const normalRate = u16(1, 0);
  const nothing = u32(0xffff_ffff, 0xffff_ffff);
  const empty = emptyTicks > 0 ? [u64(emptyTicks), nothing, normalRate] : [];
  const count = emptyTicks > 0 ? 2 : 1;
  return box(
    'edts',
    fullBox('elst', { version: 1 }, u32(count), ...empty, u64(mediaTicks), u64(mediaTime), normalRate),
  );
}

function sampleTable(loaded: LoadedTrack, shift: number, offsets: readonly number[]): Uint8Array {
  const { samples, track } = loaded;
  const durations = runLengths(samples.map((sample) => sample.duration));
  const compositions = runLengths(samples.map((sample) => sample.pts - sample.dts + shift));
  const hasComposition = compositions.some((value, index) => index % 2 === 1 && value !== 0);
  const keys = samples.flatMap((sample, index) => (sample.isKey ? [index + 1] : []));
  const sizes = samples.map((sample) => sample.data.length);
  const chunkRuns = loaded.chunks.flatMap((chunk, index) => [index + 1, chunk.length, 1]);
  return box(
    'stbl',
    sampleDescription(track),
    table('stts', durations.length / 2, durations),
    ...(hasComposition ? [table('ctts', compositions.length / 2, compositions)] : []),
    ...(keys.length < samples.length ? [table('stss', keys.length, keys)] : []),
    table('stsc', loaded.chunks.length, chunkRuns),
    fullBox('stsz', {}, u32(0, samples.length), u32Table(sizes)),
    table('stco', offsets.length, offsets),
  );
}

function table(type: string, count: number, values: readonly number[]): Uint8Array {
  return fullBox(type, {}, u32(count), u32Table(values));
}

/** Runs of equal neighbours, as `[count, value, count, value …]`. */
function runLengths(values: readonly number[]): readonly number[] {
  const runs: number[] = [];
  let count = 0;
  values.forEach((value, index) => {
    count += 1;
    if (values[index + 1] === value) return;
    runs.push(count, value);
    count = 0;
  });
  return runs;
}
