/** A thread of `tangaza simulate`: runs the seeds that it is sent, and answers with what came of each. */
import { parentPort } from 'node:worker_threads';
import { z } from 'zod';
import { simulate } from '../../cluster/simulation/simulate.ts';

export const SimulationTask = z.object({
  seed: z.number().int(),
  nodes: z.number().int(),
  streams: z.number().int(),
  hours: z.number(),
  breaks: z.literal('fencing').optional(),
});

parentPort?.on('message', (raw: unknown) => {
  const { breaks, ...options } = SimulationTask.parse(raw);
  void simulate({ ...options, ...(breaks === undefined ? {} : { breaks }) }).then((result) =>
    // oxlint-disable-next-line require-post-message-target-origin -- a thread, not a window
    parentPort?.postMessage(result),
  );
});
