/**
 * Shell of the transcode worker: begins to pull tasks when the broker has started, and drains when the node begins to
 * leave.
 */
import type { ServiceSchema } from 'moleculer';
import { leavingEvent } from '../../cluster/contract/drain-actions.ts';
import type { TranscodeWorker } from './worker.ts';

export interface TranscodeWorkerOptions {
  readonly worker: TranscodeWorker;
  /** Shown in the registry. */
  readonly slots: number;
  readonly fingerprint: string;
  /** How long a stop waits for tasks under way, in ms. */
  readonly drainMs: number;
}

export function transcodeWorkerService({
  worker,
  slots,
  fingerprint,
  drainMs,
}: TranscodeWorkerOptions): ServiceSchema {
  let drained: Promise<void> | undefined;
  const drain = (): Promise<void> => (drained ??= worker.drain(drainMs));
  return {
    name: 'transcode-worker',
    metadata: { slots, fingerprint },
    events: { [leavingEvent]: drain },
    started: async () => worker.start(),
    stopped: drain,
  };
}
