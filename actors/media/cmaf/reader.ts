/**
 * Reads CMAF segments back into samples: those of this project, and the fragmented MP4 that ffmpeg writes.
 *
 * It is strict and bounded: each read is checked, sample counts are limited, and every fault is `MEDIA_INVALID`. Times
 * are the file's own integers; the caller decides what they mean after ffmpeg (M6).
 */
import { ByteReader, boxesOf, invalidMedia, onlyChild, type Box } from './box-reader.ts';
import type { ReadSample } from './cmaf.ts';
import { readInit, type ReadInit, type SampleDefaults } from './init-reader.ts';

export { readInit, trackOfInit } from './init-reader.ts';

/** Over all fragments of one file: ten minutes of 60 pictures a second. */
const maxSamplesOfFile = 36_000;

export interface ReadSegment {
  readonly timescale: number;
  /** Earliest presentation time. */
  readonly startTime: number;
  /** Sum of the samples' durations. */
  readonly duration: number;
  /** In decode order; `data` are views into the segment, `dts` begins at its first `tfdt`. */
  readonly samples: readonly ReadSample[];
}

/**
 * Reads a segment of the track of `init`: any number of fragments, in one file.
 *
 * @throws TangazaError `MEDIA_INVALID` for anything malformed, empty, of another track or with more than 36,000 samples
 */
export function readSegment(init: Uint8Array, segment: Uint8Array): ReadSegment {
  const header = readInit(init);
  const samples: ReadSample[] = [];
  for (const box of boxesOf(segment)) {
    if (box.type === 'moof') readFragment({ header, segment, samples }, box);
  }
  if (samples.length === 0) throw invalidMedia('no sample in it');
  let startTime = Infinity;
  let duration = 0;
  for (const sample of samples) {
    startTime = Math.min(startTime, sample.pts);
    duration += sample.duration;
  }
  return { timescale: header.timescale, startTime, duration, samples };
}

interface Reading {
  readonly header: ReadInit;
  readonly segment: Uint8Array;
  readonly samples: ReadSample[];
}

function readFragment(reading: Reading, moof: Box): void {
  for (const child of boxesOf(moof.body)) {
    if (child.type !== 'traf') continue;
    const parts = boxesOf(child.body);
    const fragment = readFragmentHeader(onlyChild(parts, 'tfhd'), reading.header, moof.start);
    let dts = readDecodeTime(onlyChild(parts, 'tfdt'));
    let offset: number | undefined;
    for (const part of parts) {
      if (part.type !== 'trun') continue;
      const end = readRun(reading, { ...fragment, dts, offset }, part.body);
      dts = end.dts;
      offset = end.offset;
    }
  }
}

interface Fragment {
  readonly base: number;
  readonly defaults: SampleDefaults;
}

function readFragmentHeader(body: Uint8Array, header: ReadInit, moofStart: number): Fragment {
  const reader = new ByteReader(body, 'tfhd');
  const { flags } = reader.fullHeader();
  if (reader.u32() !== header.trackId) throw invalidMedia('a fragment of another track');
  const base = flags & 0x01 ? reader.u64() : moofStart;
  if (flags & 0x02) reader.skip(4);
  const duration = flags & 0x08 ? reader.u32() : header.defaults.duration;
  const size = flags & 0x10 ? reader.u32() : header.defaults.size;
  const sampleFlags = flags & 0x20 ? reader.u32() : header.defaults.flags;
  return { base, defaults: { duration, size, flags: sampleFlags } };
}

function readDecodeTime(body: Uint8Array): number {
  const reader = new ByteReader(body, 'tfdt');
  return reader.fullHeader().version === 1 ? reader.u64() : reader.u32();
}

interface RunStart extends Fragment {
  readonly dts: number;
  /** Where the last run's data ended; `undefined` for the first. */
  readonly offset: number | undefined;
}

function readRun(reading: Reading, start: RunStart, body: Uint8Array): { dts: number; offset: number } {
  const { samples, segment } = reading;
  const reader = new ByteReader(body, 'trun');
  const { version, flags } = reader.fullHeader();
  const count = reader.u32();
  if (count + samples.length > maxSamplesOfFile) throw invalidMedia(`more than ${maxSamplesOfFile} samples`);
  let offset = flags & 0x01 ? start.base + reader.i32() : (start.offset ?? start.base);
  const firstFlags = flags & 0x04 ? reader.u32() : start.defaults.flags;
  let { dts } = start;
  for (let index = 0; index < count; index += 1) {
    const defaults = index === 0 ? { ...start.defaults, flags: firstFlags } : start.defaults;
    const row = readRow(reader, { version, flags, defaults });
    const data = segment.subarray(offset, offset + row.size);
    const pts = dts + row.composition;
    if (offset < 0 || data.length < row.size)
      throw invalidMedia(`sample ${samples.length} lies outside of the file`);
    if (pts < 0 || !Number.isSafeInteger(dts + row.duration))
      throw invalidMedia(`sample ${samples.length} has an impossible time`);
    samples.push({ data, pts, dts, duration: row.duration, isKey: !(row.flags & nonSyncSample) });
    offset += row.size;
    dts += row.duration;
  }
  if (reader.left > 0) throw invalidMedia(`trun has ${reader.left} bytes too many`);
  return { dts, offset };
}

const nonSyncSample = 0x1_0000;

interface Row extends SampleDefaults {
  readonly composition: number;
}

/** One row of `trun`: the columns that its flags name, the defaults for the rest. */
function readRow(
  reader: ByteReader,
  { version, flags, defaults }: { version: number; flags: number; defaults: SampleDefaults },
): Row {
  const duration = flags & 0x100 ? reader.u32() : defaults.duration;
  const size = flags & 0x200 ? reader.u32() : defaults.size;
  const sampleFlags = flags & 0x400 ? reader.u32() : defaults.flags;
  const readComposition = (): number => (version === 0 ? reader.u32() : reader.i32());
  return { duration, size, flags: sampleFlags, composition: flags & 0x800 ? readComposition() : 0 };
}
