/** Shell of the transcode worker: begins to pull when the broker has started, drains before it stops. */
import type { ServiceSchema } from 'moleculer';
import type { TranscodeWorker } from './worker.ts';

export interface TranscodeWorkerOptions {
  readonly worker: TranscodeWorker;
  /** Shown in the registry. */
  readonly slots: number;
  readonly fingerprint: string;
  /** How long a stop waits for tasks in progress, in ms. */
  readonly drainMs: number;
}

export function transcodeWorkerService({
  worker,
  slots,
  fingerprint,
  drainMs,
}: TranscodeWorkerOptions): ServiceSchema {
  return {
    name: 'transcode-worker',
    metadata: { slots, fingerprint },
    started: async () => worker.start(),
    stopped: async () => worker.drain(drainMs),
  };
}
