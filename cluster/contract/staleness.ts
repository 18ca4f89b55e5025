/** Says how old a reply is that comes from the memory of a node, because NATS does not answer (C8). */
import { z } from 'zod';

export const Staleness = z
  .object({
    asOf: z.iso.datetime().meta({ description: 'When it was last known to be so.' }),
    ageMs: z.number().int().nonnegative().meta({ description: 'How long that is ago.' }),
    reason: z.string().meta({ description: 'Why nothing newer is known.' }),
  })
  .meta({ id: 'Staleness' });
export type Staleness = z.infer<typeof Staleness>;
