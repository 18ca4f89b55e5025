/** What a publisher sends, as a session describes it to the owner; twins are recognised by its hashes (M2). */
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
  /** Its pictures may be two fields; absent means that they are not. */
  isInterlaced: z.boolean().optional(),
  /** CEA-608/708 in its pictures; absent means none. */
  hasCaptions: z.boolean().optional(),
  /** From metadata, or measured over the first GOP. */
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

/** Marks are the first hex digits of a SHA-256. */
export const markHashLength = 16;

const MarkHash = z
  .string()
  .length(markHashLength)
  .regex(/^[0-9a-f]+$/);

/** What a session has that may be recognised, by its own clock (M2). */
export const PeriodMarks = z.object({
  /** Its last IDRs: time since its zero, hash of the VCL NAL units. */
  pictures: z.array(z.object({ at90k: z.number(), hash: MarkHash })).max(64),
  /** Its last audio frames, back to back from `start` on, in samples since its zero. */
  audio: z
    .object({
      start: z.number().int(),
      samplesPerFrame: z.number().int().positive(),
      hashes: z.array(MarkHash).max(1024),
    })
    .optional(),
});
export type PeriodMarks = z.infer<typeof PeriodMarks>;
