/** How a session describes to the owner what its publisher sends: codecs, sizes, and the hashes by which a twin is recognised (M2). */
import { z } from 'zod';
import { InitSegment, Ratio } from './renditions.ts';

export const SourceVideo = z.object({
  codec: z.enum(['h264', 'hevc', 'av1']),
  codecs: z.string(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  sampleAspectRatio: Ratio,
  frameRate: Ratio,
  bitDepth: z.union([z.literal(8), z.literal(10)]),
  /** True where a picture may consist of two fields. */
  isInterlaced: z.boolean().optional(),
  /** True where the pictures carry CEA-608/708 captions. */
  hasCaptions: z.boolean().optional(),
  /** Taken from the metadata, or measured over the first GOP. */
  bitrateBps: z.number().int().positive(),
  init: InitSegment,
});
export type SourceVideo = z.infer<typeof SourceVideo>;

export const SourceAudio = z.object({
  codecs: z.string(),
  sampleRate: z.number().int().positive(),
  channels: z.number().int().positive(),
  samplesPerFrame: z.number().int().positive(),
  bitrateBps: z.number().int().positive(),
  init: InitSegment,
});
export type SourceAudio = z.infer<typeof SourceAudio>;

/** A mark is this many of the first hex digits of a SHA-256. */
export const markHashLength = 16;

const MarkHash = z
  .string()
  .length(markHashLength)
  .regex(/^[0-9a-f]+$/);

/** What a session has sent that the owner may recognise, timed by the session's own clock (M2). */
export const PeriodMarks = z.object({
  /** The last IDRs: the time since the session's zero, and the hash of the VCL NAL units. */
  pictures: z.array(z.object({ at90k: z.number(), hash: MarkHash })).max(64),
  /** The last audio frames without a hole between them. `start` is the first one's place, in samples since the session's zero. */
  audio: z
    .object({
      start: z.number().int(),
      samplesPerFrame: z.number().int().positive(),
      hashes: z.array(MarkHash).max(1024),
    })
    .optional(),
});
export type PeriodMarks = z.infer<typeof PeriodMarks>;
