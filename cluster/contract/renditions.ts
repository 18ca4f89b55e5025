/** What one rendition of one period is: pinned in the `clock` record, equal on every worker (M7). */
import { z } from 'zod';
import { RenditionName, Sha256 } from '../model/ids.ts';

/** `[numerator, denominator]`, e.g. `[30000, 1001]` frames per second or a sample aspect ratio. */
export const Ratio = z.tuple([z.number().int().positive(), z.number().int().positive()]);
export type Ratio = z.infer<typeof Ratio>;

export const InitSegment = z.object({ sha256: Sha256, bytes: z.number().int().positive() });
export type InitSegment = z.infer<typeof InitSegment>;

/** Everything the encoder is told (M7, M8); two workers with equal settings give equal bytes. */
export const EncodeSettings = z.object({
  preset: z.string(),
  profile: z.enum(['main', 'high']),
  /** H.264 level times ten, e.g. 31. */
  level: z.number().int(),
  crf: z.number(),
  maxrateBps: z.number().int().positive(),
  bufsizeBits: z.number().int().positive(),
  /** The source may be interlaced: its fields are made whole pictures before anything else. */
  isDeinterlaced: z.boolean().optional(),
});
export type EncodeSettings = z.infer<typeof EncodeSettings>;

export const VideoRendition = z.object({
  kind: z.literal('video'),
  name: RenditionName,
  /** RFC 6381, e.g. `avc1.64001f`. */
  codecs: z.string(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  sampleAspectRatio: Ratio,
  frameRate: Ratio,
  /** Peak, in bit/s of this rendition alone, audio excluded (M8: 1.1 x maxrate). */
  bandwidthBps: z.number().int().positive(),
  /** Always 90,000 (M6). */
  timescale: z.literal(90_000),
  /** `passThrough`: the source's own bytes. `encode`: made by a worker. `sourceOnly`: kept for workers, not served. */
  origin: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('passThrough') }),
    z.object({ kind: z.literal('encode'), settings: EncodeSettings }),
    z.object({ kind: z.literal('sourceOnly') }),
  ]),
  /** Known at the period's start for what is not encoded. */
  init: InitSegment.optional(),
  /** CEA-608/708 in the pictures, in every rung or in none. */
  hasCaptions: z.boolean().optional(),
});
export type VideoRendition = z.infer<typeof VideoRendition>;

export const AudioRendition = z.object({
  kind: z.literal('audio'),
  name: RenditionName,
  codecs: z.string(),
  sampleRate: z.number().int().positive(),
  channels: z.number().int().positive(),
  /** Samples in one frame: 960 or 1,024, doubled for SBR (M9). */
  samplesPerFrame: z.number().int().positive(),
  bandwidthBps: z.number().int().positive(),
  /** The sample rate (M6). */
  timescale: z.number().int().positive(),
  init: InitSegment,
});
export type AudioRendition = z.infer<typeof AudioRendition>;

export const Rendition = z.discriminatedUnion('kind', [VideoRendition, AudioRendition]);
export type Rendition = z.infer<typeof Rendition>;
