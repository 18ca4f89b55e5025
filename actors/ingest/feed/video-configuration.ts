/** One configuration of an encoder's video, for every codec: what it is, and when another one is the same. */
import { createHash } from 'node:crypto';
import type { Ratio } from '../../../cluster/contract/renditions.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { Sha256 } from '../../../cluster/model/ids.ts';
import { maxNalUnitsOfPicture } from '../../../cluster/model/media-limits.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { parseAv1Config } from '../../media/av1/av1-config.ts';
import { obuType, splitObus } from '../../media/av1/obu.ts';
import { buildAvcConfig, parseAvcConfig } from '../../media/avc/avc-config.ts';
import {
  avcNal,
  avcNalType,
  hasStartCode,
  isAvcVcl,
  splitAnnexB,
  splitLengthPrefixed,
} from '../../media/avc/nal-units.ts';
import { hasCaptionData } from '../../media/avc/sei.ts';
import { isHdr, type Colour } from '../../media/avc/vui.ts';
import { nameOfVideoCodec, type VideoCodec } from '../../media/flv/video-tag.ts';
import { buildHevcConfig, parseHevcConfig } from '../../media/hevc/hevc-config.ts';
import { hevcNal, hevcNalType, isHevcVcl } from '../../media/hevc/hevc-nal.ts';
import { colourFormatAdvice, colourSpaceAdvice, progressiveAdvice } from '../encoder-advice.ts';

export interface VideoConfiguration {
  readonly codec: VideoCodec;
  readonly codecs: string;
  /** A copy of the body of avcC, hvcC or av1C; for H.264 in canonical form. */
  readonly configuration: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly sampleAspectRatio: Ratio;
  readonly frameRate?: Ratio;
  readonly bitDepth: 8 | 10;
  readonly isProgressive: boolean;
  /** The bytes of a NAL unit's length; unused for AV1. */
  readonly lengthSize: number;
  /** The parameter sets of H.264, to recognise them inside the stream. */
  readonly parameterSets: readonly Uint8Array[];
}

const maxSide = 8192;

interface Looks {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly chromaFormat: number;
  readonly colour: Colour;
}

/** Refuses with a reason what players cannot show and workers cannot make showable (M15). */
function checkLooks(codec: VideoCodec, looks: Looks): void {
  const name = nameOfVideoCodec(codec);
  if (isHdr(looks.colour)) {
    const transfer = looks.colour.transfer === 16 ? 'PQ' : 'HLG';
    throw new TangazaError('CODEC_REFUSED', `HDR video (${transfer}) is not taken: ${colourSpaceAdvice}`);
  }
  if (looks.bitDepth > 10)
    throw new TangazaError(
      'CODEC_REFUSED',
      `${name} of ${looks.bitDepth} bit is not taken: send 8 bit (${colourFormatAdvice})`,
    );
  if (looks.chromaFormat === 0)
    throw new TangazaError(
      'CODEC_REFUSED',
      `${name} in monochrome is not taken: send 4:2:0 (${colourFormatAdvice})`,
    );
  if (looks.chromaFormat === 3)
    throw new TangazaError(
      'CODEC_REFUSED',
      `${name} in 4:4:4 is not taken: send 4:2:0 (${colourFormatAdvice})`,
    );
  if (looks.width > maxSide || looks.height > maxSide) {
    throw new TangazaError(
      'CODEC_REFUSED',
      `Pictures of ${looks.width}x${looks.height} are not taken: at most ${maxSide} on a side`,
    );
  }
}

const copy = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

/** Reads an avcC record, or parameter sets behind start codes from encoders that send no record. */
function fromAvcHeader(bytes: Uint8Array): VideoConfiguration {
  const sets = hasStartCode(bytes)
    ? configurationOfSets(splitAnnexB(bytes, maxNalUnitsOfPicture))
    : undefined;
  return sets ?? fromAvc(bytes);
}

function fromAvc(bytes: Uint8Array): VideoConfiguration {
  const parsed = parseAvcConfig(copy(bytes));
  checkLooks('h264', parsed);
  const { sps, pps, lengthSize, codecs, width, height, sampleAspectRatio, isProgressive } = parsed;
  return {
    codec: 'h264',
    codecs,
    configuration: buildAvcConfig(sps, pps, lengthSize),
    width,
    height,
    sampleAspectRatio,
    ...(parsed.frameRate === undefined ? {} : { frameRate: parsed.frameRate }),
    bitDepth: parsed.bitDepth > 8 ? 10 : 8,
    isProgressive,
    lengthSize,
    parameterSets: [...sps, ...pps],
  };
}

/** As `fromAvcHeader`. */
function fromHevcHeader(bytes: Uint8Array): VideoConfiguration {
  const sets = hasStartCode(bytes)
    ? configurationOfSets(splitAnnexB(bytes, maxNalUnitsOfPicture), 'hevc')
    : undefined;
  return sets ?? fromHevc(bytes);
}

function fromHevc(record: Uint8Array): VideoConfiguration {
  const bytes = copy(record);
  const parsed = parseHevcConfig(bytes);
  checkLooks('hevc', parsed);
  if (parsed.isFieldSequence)
    throw new TangazaError('CODEC_REFUSED', `HEVC in fields is not taken: ${progressiveAdvice}`);
  const { codecs, width, height, sampleAspectRatio, lengthSize } = parsed;
  return {
    codec: 'hevc',
    codecs,
    configuration: bytes,
    width,
    height,
    sampleAspectRatio,
    ...(parsed.frameRate === undefined ? {} : { frameRate: parsed.frameRate }),
    bitDepth: parsed.bitDepth > 8 ? 10 : 8,
    isProgressive: !parsed.isInterlaced,
    lengthSize,
    parameterSets: parsed.sets.filter((set) => isParameterSet('hevc', set)),
  };
}

function fromAv1(bytes: Uint8Array): VideoConfiguration {
  const parsed = parseAv1Config(bytes);
  checkLooks('av1', parsed);
  const { codecs, width, height } = parsed;
  return {
    codec: 'av1',
    codecs,
    configuration: copy(bytes),
    width,
    height,
    sampleAspectRatio: [1, 1],
    bitDepth: parsed.bitDepth > 8 ? 10 : 8,
    isProgressive: true,
    lengthSize: 0,
    parameterSets: [],
  };
}

/** @throws TangazaError `CODEC_REFUSED` with the reason, `MEDIA_INVALID` */
export function readVideoConfiguration(codec: VideoCodec, bytes: Uint8Array): VideoConfiguration {
  switch (codec) {
    case 'h264':
      return fromAvcHeader(bytes);
    case 'hevc':
      return fromHevcHeader(bytes);
    case 'av1':
      return fromAv1(bytes);
    default:
      return unreachable(codec);
  }
}

type CodecWithSets = Exclude<VideoCodec, 'av1'>;

const setTypes: Readonly<Record<CodecWithSets, readonly number[]>> = {
  h264: [avcNal.sps, avcNal.pps],
  hevc: [hevcNal.vps, hevcNal.sps, hevcNal.pps],
};
const typeOf = (codec: CodecWithSets, nal: Uint8Array): number =>
  codec === 'h264' ? avcNalType(nal) : hevcNalType(nal);

export function isParameterSet(codec: CodecWithSets, nal: Uint8Array): boolean {
  return setTypes[codec].includes(typeOf(codec, nal));
}

function fromSets(codec: CodecWithSets, sets: readonly Uint8Array[], lengthSize: number): VideoConfiguration {
  if (codec === 'hevc') return { ...fromHevc(buildHevcConfig(sets)), lengthSize };
  const ofType = (type: number): readonly Uint8Array[] => sets.filter((set) => avcNalType(set) === type);
  return fromAvc(buildAvcConfig(ofType(avcNal.sps), ofType(avcNal.pps), lengthSize));
}

/**
 * What the parameter sets in front of a keyframe make of the present configuration.
 *
 * @returns undefined when they change nothing
 * @throws TangazaError `MEDIA_INVALID` for sets that cannot be read, `CODEC_REFUSED` for a change that is not taken
 */
export function changedBySets(
  { codec, parameterSets, lengthSize }: VideoConfiguration,
  sets: readonly Uint8Array[],
): VideoConfiguration | undefined {
  const isKnown = (set: Uint8Array): boolean =>
    parameterSets.some((known) => Buffer.compare(known, set) === 0);
  if (codec === 'av1' || sets.every(isKnown)) return undefined;
  const merged = setTypes[codec].flatMap((type) => {
    const ofType = (some: readonly Uint8Array[]): readonly Uint8Array[] =>
      some.filter((set) => typeOf(codec, set) === type);
    const found = ofType(sets);
    return found.length > 0 ? found : ofType(parameterSets);
  });
  return fromSets(codec, merged, lengthSize);
}

const levelBytes = { first: 2, last: 3 } as const;

/**
 * Equal, or equal but for level and constraint flags. Those say what a decoder must be able to do, not what it does.
 */
function isSameSet(a: Uint8Array, b: Uint8Array): boolean {
  if (Buffer.compare(a, b) === 0) return true;
  if (avcNalType(a) !== avcNal.sps || avcNalType(b) !== avcNal.sps || a.length !== b.length) return false;
  return a.every((byte, i) => byte === b[i] || (i >= levelBytes.first && i <= levelBytes.last));
}

/** Whether pictures of `next` decode with the configuration before it. */
export function isPlayableAs(before: VideoConfiguration, next: VideoConfiguration): boolean {
  if (Buffer.compare(before.configuration, next.configuration) === 0) return before.codec === next.codec;
  return (
    before.codec === 'h264' &&
    next.codec === 'h264' &&
    before.lengthSize === next.lengthSize &&
    before.parameterSets.length === next.parameterSets.length &&
    before.parameterSets.every((set, i) => isSameSet(set, next.parameterSets[i] ?? new Uint8Array(0)))
  );
}

/** @returns undefined unless there is a set of each kind; throws as `changedBySets` */
export function configurationOfSets(
  nals: readonly Uint8Array[],
  codec: CodecWithSets = 'h264',
): VideoConfiguration | undefined {
  const isWhole = setTypes[codec].every((type) => nals.some((nal) => typeOf(codec, nal) === type));
  return isWhole
    ? fromSets(
        codec,
        nals.filter((nal) => isParameterSet(codec, nal)),
        4,
      )
    : undefined;
}

function codedParts(configuration: VideoConfiguration, data: Uint8Array): readonly Uint8Array[] {
  switch (configuration.codec) {
    case 'h264':
      return splitLengthPrefixed(data, configuration.lengthSize).filter(isAvcVcl);
    case 'hevc':
      return splitLengthPrefixed(data, configuration.lengthSize).filter(isHevcVcl);
    case 'av1':
      return splitObus(data)
        .filter(
          ({ type }) => type === obuType.frameHeader || type === obuType.tileGroup || type === obuType.frame,
        )
        .map(({ whole }) => whole);
    default:
      return unreachable(configuration.codec);
  }
}

/** Whether a picture carries CEA-608/708 captions. In AV1 nobody looks for them. */
export function hasCaptions({ codec, lengthSize }: VideoConfiguration, data: Uint8Array): boolean {
  switch (codec) {
    case 'h264':
      return splitLengthPrefixed(data, lengthSize).some(
        (nal) => avcNalType(nal) === avcNal.sei && hasCaptionData(nal),
      );
    case 'hevc':
      return splitLengthPrefixed(data, lengthSize).some(
        (nal) => hevcNalType(nal) === hevcNal.prefixSei && hasCaptionData(nal, 2),
      );
    case 'av1':
      return false;
    default:
      return unreachable(codec);
  }
}

/** The SHA-256 of the picture alone, without headers that ingest points may see differently (M2). */
export function pictureHash(configuration: VideoConfiguration, data: Uint8Array): Sha256 {
  const hash = createHash('sha256');
  for (const part of codedParts(configuration, data)) hash.update(part);
  return Sha256.parse(hash.digest('hex'));
}
