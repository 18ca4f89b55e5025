/**
 * Turns a rung's bare byte stream into its CMAF init segment and media segment, with the task's times (M6).
 *
 * With `-bf 0` pictures come in the order they are shown, so the i-th picture gets the i-th time of the sorted list. As
 * many pictures must come out as went in. Delimiters, filler and SEI are left out: nothing in them is needed, and x264
 * writes its version there. Captions stay: they come with the pictures of the source (CEA-608/708).
 */
import type { VideoRendition } from '../../cluster/contract/renditions.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { maxNalUnitsOfEncodedSegment } from '../../cluster/model/media-limits.ts';
import { buildAvcConfig } from '../media/avc/avc-config.ts';
import { avcNal, avcNalType, isAvcVcl, joinLengthPrefixed, splitAnnexB } from '../media/avc/nal-units.ts';
import { hasCaptionData } from '../media/avc/sei.ts';
import type { Sample } from '../media/cmaf/cmaf.ts';
import { readSegment } from '../media/cmaf/reader.ts';
import { writeInit, writeSegment } from '../media/cmaf/writer.ts';

/** Where the segment lies, 90 kHz on the period's clock. */
export interface SegmentTimes {
  readonly start90k: number;
  readonly duration90k: number;
  /** When each picture is shown: sorted, counted from `start90k`; the first is 0. */
  readonly times90k: readonly number[];
}

export interface RungSegment {
  readonly init: Uint8Array;
  readonly media: Uint8Array;
  readonly frames: number;
}

/**
 * @throws TangazaError `TRANSCODE_FAILED` when there are more or fewer pictures than times, when not exactly the first
 *   one is a keyframe, or when the durations do not add up to the segment's
 */
export function packRung(
  byteStream: Uint8Array,
  rendition: VideoRendition,
  times: SegmentTimes,
): RungSegment {
  const { sps, pps, pictures } = parseByteStream(byteStream);
  if (pictures.length !== times.times90k.length) {
    throw failed(rendition, `${times.times90k.length} pictures went in, ${pictures.length} came out`);
  }
  if (pictures.some(({ isKey }, index) => isKey !== (index === 0))) {
    throw failed(rendition, 'the first picture alone must be a keyframe');
  }
  const { width, height, sampleAspectRatio } = rendition;
  const configuration = buildAvcConfig([sps], [pps]);
  const track = {
    kind: 'video',
    codec: 'h264',
    timescale: 90_000,
    width,
    height,
    sampleAspectRatio,
    configuration,
  } as const;
  const samples = pictures.map(({ nals, isKey }, index): Sample => ({
    data: joinLengthPrefixed(nals),
    pts: times.start90k + (times.times90k[index] ?? 0),
    isKey,
  }));
  const init = writeInit(track);
  const media = writeSegment(track, samples, times.start90k + times.duration90k);
  checkTimes(rendition, readSegment(init, media), times);
  return { init, media, frames: samples.length };
}

/** Checks on what will be stored that the durations add up to next start minus start (M6). */
function checkTimes(
  rendition: VideoRendition,
  read: { startTime: number; duration: number },
  times: SegmentTimes,
): void {
  if (read.startTime === times.start90k && read.duration === times.duration90k) return;
  const lies = `${read.startTime} + ${read.duration}`;
  throw failed(rendition, `it would lie at ${lies} instead of ${times.start90k} + ${times.duration90k}`);
}

interface Picture {
  readonly nals: Uint8Array[];
  readonly isKey: boolean;
}

interface ByteStream {
  readonly sps: Uint8Array;
  readonly pps: Uint8Array;
  readonly pictures: readonly Picture[];
}

/**
 * Splits an H.264 byte stream of one SPS and one PPS into pictures. Only slices and captions are kept.
 *
 * @throws TangazaError `TRANSCODE_FAILED` without parameter sets, or with sets that change
 */
export function parseByteStream(byteStream: Uint8Array): ByteStream {
  const sps = new Map<string, Uint8Array>();
  const pps = new Map<string, Uint8Array>();
  const pictures: Picture[] = [];
  const captions: Uint8Array[] = [];
  for (const nal of byteStream.length === 0 ? [] : splitAnnexB(byteStream, maxNalUnitsOfEncodedSegment)) {
    if (avcNalType(nal) === avcNal.sps) sps.set(keyOf(nal), nal);
    if (avcNalType(nal) === avcNal.pps) pps.set(keyOf(nal), nal);
    if (avcNalType(nal) === avcNal.sei && hasCaptionData(nal)) captions.push(nal);
    if (isAvcVcl(nal)) addSlice(pictures, nal, captions.splice(0));
  }
  const [onlySps] = sps.values();
  const [onlyPps] = pps.values();
  if (onlySps === undefined || onlyPps === undefined || sps.size > 1 || pps.size > 1) {
    throw new TangazaError(
      'TRANSCODE_FAILED',
      `The encoder wrote ${sps.size} SPS and ${pps.size} PPS where one of each belongs.`,
    );
  }
  return { sps: onlySps, pps: onlyPps, pictures };
}

/** A slice whose `first_mb_in_slice` is 0 (exp-Golomb: a first bit of 1) begins a picture. */
function addSlice(pictures: Picture[], nal: Uint8Array, before: readonly Uint8Array[]): void {
  const current = pictures.at(-1);
  if (current === undefined || ((nal[1] ?? 0) & 0x80) !== 0)
    pictures.push({ nals: [...before, nal], isKey: avcNalType(nal) === avcNal.idr });
  else current.nals.push(nal);
}

function keyOf(nal: Uint8Array): string {
  return Buffer.from(nal.buffer, nal.byteOffset, nal.byteLength).toString('base64');
}

function failed(rendition: VideoRendition, detail: string): TangazaError {
  return new TangazaError('TRANSCODE_FAILED', `Rendition ${rendition.name}: ${detail}.`);
}
