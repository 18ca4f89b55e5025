/** A ladder: the rungs that an operator wants, as a file in config/ladders/ lists them. */
import { z } from 'zod';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';

export const Rung = z.strictObject({
  /** Lines of the picture. The width follows from the source's display aspect ratio. */
  height: z.number().int().min(90).max(4320).multipleOf(2),
  /** The highest bit rate that the encoder may spend over any second (M8), in bit/s. */
  maxrateBps: z.number().int().min(50_000).max(100_000_000),
  /** The constant rate factor: the quality aimed at below the cap. Less is better. */
  crf: z.number().min(10).max(45),
  /** x264's preset. `ultrafast` is left out, because it writes Baseline whatever the profile says. */
  preset: z.enum(['superfast', 'veryfast', 'faster', 'fast', 'medium']),
  profile: z.enum(['main', 'high']),
});
export type Rung = z.infer<typeof Rung>;

export const Ladder = z.strictObject({
  description: z.string().max(500).optional(),
  /** Best first; each has fewer lines and fewer bits than the one before. */
  rungs: z
    .array(Rung)
    .min(1)
    .max(8)
    .refine(isDescending, 'each rung must be lower than the one before, in height and in maxrateBps'),
});
export type Ladder = z.infer<typeof Ladder>;

/**
 * Checks a ladder file's content.
 *
 * @param name for the message
 * @throws TangazaError `BAD_REQUEST` that lists every fault
 */
export function parseLadder(name: string, content: unknown): Ladder {
  const parsed = Ladder.safeParse(content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'ladder'}: ${issue.message}`);
  throw new TangazaError('BAD_REQUEST', `The ladder ${name} cannot be used: ${faults.join('; ')}.`);
}

function isDescending(rungs: readonly Rung[]): boolean {
  return rungs.every((rung, index) => {
    const above = rungs[index - 1];
    return above === undefined || (rung.height < above.height && rung.maxrateBps < above.maxrateBps);
  });
}
