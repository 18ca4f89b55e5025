/**
 * Reads an AV1CodecConfigurationRecord, the body of `av1C` and of Enhanced RTMP's av01, with its sequence header (AV1
 * 5.5).
 */
import { unspecifiedColour, type Colour } from '../avc/vui.ts';
import { BitReader } from '../bits/bit-reader.ts';
import { ByteReader, mediaInvalid } from '../bits/byte-reader.ts';
import { obuType, splitObus } from './obu.ts';

export interface Av1Config {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly colour: Colour;
  /** RFC 6381 as the AV1 ISO binding spells it, e.g. `av01.0.08M.08`. */
  readonly codecs: string;
}

interface DecoderModel {
  readonly isPresent: boolean;
  readonly delayBits: number;
}

function skipUvlc(bits: BitReader): void {
  let zeros = 0;
  while (!bits.flag()) {
    zeros += 1;
    if (zeros > 31) return;
  }
  bits.skip(zeros);
}

function readDecoderModel(bits: BitReader): DecoderModel {
  if (!bits.flag()) return { isPresent: false, delayBits: 0 };
  bits.skip(64);
  if (bits.flag()) skipUvlc(bits);
  if (!bits.flag()) return { isPresent: false, delayBits: 0 };
  const delayBits = bits.bits(5) + 1;
  bits.skip(42);
  return { isPresent: true, delayBits };
}

function skipOperatingPoints(bits: BitReader): void {
  const model = readDecoderModel(bits);
  const hasDisplayDelay = bits.flag();
  const points = bits.bits(5) + 1;
  for (let i = 0; i < points; i += 1) {
    bits.skip(12);
    if (bits.bits(5) > 7) bits.skip(1);
    if (model.isPresent && bits.flag()) bits.skip(2 * model.delayBits + 1);
    if (hasDisplayDelay && bits.flag()) bits.skip(4);
  }
}

function skipTools(bits: BitReader, isReduced: boolean): void {
  bits.skip(3);
  if (!isReduced) {
    bits.skip(4);
    const hasOrderHint = bits.flag();
    if (hasOrderHint) bits.skip(2);
    const screenContent = bits.flag() ? 2 : bits.bits(1);
    if (screenContent > 0 && !bits.flag()) bits.skip(1);
    if (hasOrderHint) bits.skip(3);
  }
  bits.skip(3);
}

/** @returns the colour; its range flag is not read, because nothing here depends on it */
function readColour(bits: BitReader, profile: number): Colour {
  const isHigh = bits.flag();
  if (profile === 2 && isHigh) bits.skip(1);
  if (profile !== 1) bits.skip(1);
  if (!bits.flag()) return unspecifiedColour;
  return { isFullRange: false, primaries: bits.bits(8), transfer: bits.bits(8), matrix: bits.bits(8) };
}

function readSequenceHeader(payload: Uint8Array): Pick<Av1Config, 'width' | 'height' | 'colour'> {
  const bits = new BitReader(payload, 'an AV1 sequence header');
  const profile = bits.bits(3);
  bits.skip(1);
  const isReduced = bits.flag();
  if (isReduced) bits.skip(5);
  else skipOperatingPoints(bits);
  const widthBits = bits.bits(4) + 1;
  const heightBits = bits.bits(4) + 1;
  const width = bits.bits(widthBits) + 1;
  const height = bits.bits(heightBits) + 1;
  if (!isReduced && bits.flag()) bits.skip(7);
  skipTools(bits, isReduced);
  return { width, height, colour: readColour(bits, profile) };
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Reads the flags byte of the record: tier, high bit depth, twelve bit, monochrome, subsampling x and y. */
function chromaOf(flags: number): number {
  if ((flags & 0x10) !== 0) return 0;
  const isHalfWide = (flags & 8) !== 0;
  const isHalfHigh = (flags & 4) !== 0;
  if (!isHalfWide) return 3;
  return isHalfHigh ? 1 : 2;
}

function bitDepthOf(flags: number): number {
  if ((flags & 0x40) === 0) return 8;
  return (flags & 0x20) === 0 ? 10 : 12;
}

/** @throws TangazaError `MEDIA_INVALID` */
export function parseAv1Config(av1C: Uint8Array): Av1Config {
  const reader = new ByteReader(av1C, 'an av1C record');
  const marker = reader.u8();
  if (marker !== 0x81)
    throw mediaInvalid(`an av1C record begins with ${marker} where 129 (version 1) belongs`);
  const level = reader.u8();
  const flags = reader.u8();
  reader.u8();
  const header = splitObus(reader.rest()).find(({ type }) => type === obuType.sequenceHeader);
  if (header === undefined) throw mediaInvalid('an av1C record lacks the sequence header');
  const bitDepth = bitDepthOf(flags);
  const tier = (flags & 0x80) === 0 ? 'M' : 'H';
  const codecs = `av01.${level >> 5}.${two(level & 0x1f)}${tier}.${two(bitDepth)}`;
  return { ...readSequenceHeader(header.payload), bitDepth, chromaFormat: chromaOf(flags), codecs };
}
