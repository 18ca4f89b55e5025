/** The messages between the command and its threads, checked on both sides. */
import { z } from 'zod';

export const SimulationTask = z.object({
  seed: z.number().int(),
  nodes: z.number().int(),
  streams: z.number().int(),
  hours: z.number(),
  breaks: z.enum(['fencing', 'clock']).optional(),
});

const Result = z.object({
  seed: z.number(),
  violations: z.array(z.string()).readonly(),
  traceHash: z.string(),
  faults: z.number(),
  deaths: z.number(),
  moves: z.number(),
  mostOwned: z.number(),
  folded: z.number(),
  ignored: z.number(),
  events: z.number(),
});

export const SimulationNews = z.discriminatedUnion('kind', [
  /** The simulated time that a seed has reached. */
  z.object({ kind: z.literal('progress'), seed: z.number(), nowMs: z.number() }),
  z.object({ kind: z.literal('result'), result: Result }),
]);
export type SimulationNews = z.infer<typeof SimulationNews>;
