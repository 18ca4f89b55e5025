/** Describes one rendition of one period. The `clock` record pins it, so it is the same on every worker (M7). */
import { z } from 'zod';
import { RenditionName, Sha256 } from '../model/ids.ts';

/** A fraction as `[numerator, denominator]`, e.g. `[30000, 1001]` frames per second, or a sample aspect ratio. */
export const Ratio = z.tuple([z.number().int().positive(), z.number().int().positive()]);
export type Ratio = z.infer<typeof Ratio>;

export const InitSegment = z.object({ sha256: Sha256, bytes: z.number().int().positive() });
export type InitSegment = z.infer<typeof InitSegment>;

/** Everything that the encoder is told (M7, M8). Two workers with equal settings produce equal bytes. */
export const EncodeSettings = z.object({
  preset: z.string(),
  profile: z.enum(['main', 'high']),
  /** The H.264 level times ten, e.g. 31. */
  level: z.number().int(),
  crf: z.number(),
  maxrateBps: z.number().int().positive(),
  bufsizeBits: z.number().int().positive(),
  /** True where the source may be interlaced: its fields are first joined into whole pictures. */
  isDeinterlaced: z.boolean().optional(),
});
export type EncodeSettings = z.infer<typeof EncodeSettings>;

export const VideoRendition = z.object({
  kind: z.literal('video'),
  name: RenditionName,
  /** As in RFC 6381, e.g. `avc1.64001f`. */
  codecs: z.string(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  sampleAspectRatio: Ratio,
  frameRate: Ratio,
  /** The peak bit rate of this rendition alone, without audio: 1.1 x maxrate (M8). */
  bandwidthBps: z.number().int().positive(),
  /** Always 90,000 (M6). */
  timescale: z.literal(90_000),
  /** `passThrough`: the source's own bytes. `encode`: a worker makes it. `sourceOnly`: kept for workers and not served. */
  origin: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('passThrough') }),
    z.object({ kind: z.literal('encode'), settings: EncodeSettings }),
    z.object({ kind: z.literal('sourceOnly') }),
  ]),
  /** Known at the start of the period for a rendition that is not encoded. */
  init: InitSegment.optional(),
  /** True where the pictures carry CEA-608/708 captions: in every rung, or in none. */
  hasCaptions: z.boolean().optional(),
});
export type VideoRendition = z.infer<typeof VideoRendition>;

export const AudioRendition = z.object({
  kind: z.literal('audio'),
  name: RenditionName,
  codecs: z.string(),
  sampleRate: z.number().int().positive(),
  channels: z.number().int().positive(),
  /** The samples in one frame: 960 or 1,024, and twice that with SBR (M9). */
  samplesPerFrame: z.number().int().positive(),
  bandwidthBps: z.number().int().positive(),
  /** Equal to the sample rate (M6). */
  timescale: z.number().int().positive(),
  init: InitSegment,
});
export type AudioRendition = z.infer<typeof AudioRendition>;

export const Rendition = z.discriminatedUnion('kind', [VideoRendition, AudioRendition]);
export type Rendition = z.infer<typeof Rendition>;
