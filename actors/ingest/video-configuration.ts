/** One configuration of an encoder's video, whatever the codec: what it is, and what each of its pictures is for M3. */
import { createHash } from 'node:crypto';
import type { Ratio } from '../../cluster/contract/renditions.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { Sha256 } from '../../cluster/model/ids.ts';
import { unreachable } from '../../cluster/model/unreachable.ts';
import { parseAv1Config } from '../media/av1/av1-config.ts';
import { hasAv1Frame, isAv1Key, obuType, splitObus } from '../media/av1/obu.ts';
import { buildAvcConfig, parseAvcConfig } from '../media/avc/avc-config.ts';
import { avcNal, avcNalType, isAvcVcl, splitLengthPrefixed } from '../media/avc/nal-units.ts';
import { isHdr, type Colour } from '../media/avc/vui.ts';
import { nameOfVideoCodec, type VideoCodec } from '../media/flv/video-tag.ts';
import { parseHevcConfig } from '../media/hevc/hevc-config.ts';
import {
  hevcNalType,
  isHevcLeading,
  isHevcRandomAccess,
  isHevcRasl,
  isHevcVcl,
  mayHaveLeading,
} from '../media/hevc/hevc-nal.ts';
import { colourFormatAdvice, colourSpaceAdvice } from './encoder-advice.ts';

export interface VideoConfiguration {
  readonly codec: VideoCodec;
  readonly codecs: string;
  /** Body of avcC, hvcC or av1C; for H.264 in canonical form. A copy. */
  readonly configuration: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly sampleAspectRatio: Ratio;
  readonly frameRate?: Ratio;
  readonly bitDepth: 8 | 10;
  readonly isProgressive: boolean;
  /** Of NAL units; unused for AV1. */
  readonly lengthSize: number;
  /** H.264's parameter sets, to know them again inside the stream. */
  readonly parameterSets: readonly Uint8Array[];
}

/** `maybeKey`: a random-access picture that leading pictures may follow; they decide. `none`: holds no picture. */
export type PictureRole = 'none' | 'key' | 'maybeKey' | 'leading' | 'rasl' | 'other';

const maxSide = 8192;

interface Looks {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly chromaFormat: number;
  readonly colour: Colour;
}

/** M15: what cannot be shown, or not be made into what can be shown, is refused with a reason. */
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

function fromHevc(bytes: Uint8Array): VideoConfiguration {
  const parsed = parseHevcConfig(bytes);
  checkLooks('hevc', parsed);
  const { codecs, width, height, sampleAspectRatio, lengthSize } = parsed;
  return {
    codec: 'hevc',
    codecs,
    configuration: copy(bytes),
    width,
    height,
    sampleAspectRatio,
    ...(parsed.frameRate === undefined ? {} : { frameRate: parsed.frameRate }),
    bitDepth: parsed.bitDepth > 8 ? 10 : 8,
    isProgressive: true,
    lengthSize,
    parameterSets: [],
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
      return fromAvc(bytes);
    case 'hevc':
      return fromHevc(bytes);
    case 'av1':
      return fromAv1(bytes);
    default:
      return unreachable(codec);
  }
}

export interface Inspection {
  readonly role: PictureRole;
  /** H.264: parameter sets in this IDR that are not those of the configuration: a change without a new header. */
  readonly changed?: VideoConfiguration;
}

function inspectAvc(configuration: VideoConfiguration, data: Uint8Array): Inspection {
  const nals = splitLengthPrefixed(data, configuration.lengthSize);
  const firstVcl = nals.find(isAvcVcl);
  if (firstVcl === undefined) return { role: 'none' };
  if (avcNalType(firstVcl) !== avcNal.idr) return { role: 'other' };
  const sps = nals.filter((nal) => avcNalType(nal) === avcNal.sps);
  const pps = nals.filter((nal) => avcNalType(nal) === avcNal.pps);
  const isKnown = (set: Uint8Array): boolean =>
    configuration.parameterSets.some((known) => Buffer.compare(known, set) === 0);
  if (sps.every(isKnown) && pps.every(isKnown)) return { role: 'key' };
  return { role: 'key', changed: withSets(configuration, sps, pps) };
}

function withSets(
  configuration: VideoConfiguration,
  sps: readonly Uint8Array[],
  pps: readonly Uint8Array[],
): VideoConfiguration {
  const known = (type: number): readonly Uint8Array[] =>
    configuration.parameterSets.filter((set) => avcNalType(set) === type);
  const record = buildAvcConfig(
    sps.length > 0 ? sps : known(avcNal.sps),
    pps.length > 0 ? pps : known(avcNal.pps),
    configuration.lengthSize,
  );
  return fromAvc(record);
}

function roleOfHevc(data: Uint8Array, lengthSize: number): PictureRole {
  const vcl = splitLengthPrefixed(data, lengthSize).find(isHevcVcl);
  if (vcl === undefined) return 'none';
  const type = hevcNalType(vcl);
  if (isHevcRandomAccess(type)) return mayHaveLeading(type) ? 'maybeKey' : 'key';
  if (isHevcRasl(type)) return 'rasl';
  return isHevcLeading(type) ? 'leading' : 'other';
}

function roleOfAv1(data: Uint8Array): PictureRole {
  const units = splitObus(data);
  if (!hasAv1Frame(units)) return 'none';
  return isAv1Key(units) ? 'key' : 'other';
}

/** @throws TangazaError `MEDIA_INVALID` for a picture that does not split, `CODEC_REFUSED` for a change that is not taken */
export function inspectPicture(configuration: VideoConfiguration, data: Uint8Array): Inspection {
  switch (configuration.codec) {
    case 'h264':
      return inspectAvc(configuration, data);
    case 'hevc':
      return { role: roleOfHevc(data, configuration.lengthSize) };
    case 'av1':
      return { role: roleOfAv1(data) };
    default:
      return unreachable(configuration.codec);
  }
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

/** SHA-256 over the picture itself, without headers that ingest points may see differently (M2). */
export function pictureHash(configuration: VideoConfiguration, data: Uint8Array): Sha256 {
  const hash = createHash('sha256');
  for (const part of codedParts(configuration, data)) hash.update(part);
  return Sha256.parse(hash.digest('hex'));
}

/** A copy that may be kept; AV1 loses its temporal delimiters, which ISO files do not carry. */
export function keepPicture(configuration: VideoConfiguration, data: Uint8Array): Uint8Array {
  if (configuration.codec !== 'av1') return Buffer.from(data);
  const units = splitObus(data).filter(({ type }) => type !== obuType.temporalDelimiter);
  return Buffer.concat(units.map(({ whole }) => whole));
}
