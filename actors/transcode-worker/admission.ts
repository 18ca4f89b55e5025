/** Decides what a worker does with a task that it was handed (C9, M7). Pure. */
import type { TranscodeTask } from '../../cluster/contract/transcode-task.ts';

export type Admission =
  | { readonly kind: 'run' }
  /** Run alone: after two deliveries, or two workers that died, the task itself may be what kills workers. */
  | { readonly kind: 'runAlone' }
  /** This worker must not take it; another may. */
  | { readonly kind: 'giveBack'; readonly delayMs: number }
  /** No worker so far could take it, so the owner decides. */
  | {
      readonly kind: 'refuse';
      readonly code: 'FINGERPRINT_DIFFERS' | 'TRANSCODE_FAILED';
      readonly detail: string;
    };

export interface Delivery {
  readonly task: TranscodeTask;
  /** Counts from 1. */
  readonly deliveries: number;
  /** The fingerprint of this worker's encoder. */
  readonly fingerprint: string;
}

/** After so many workers refused a task, the owner is told that none matches. */
const fingerprintOffers = 3;
const fingerprintDelayMs = 150;
const aloneFrom = 3;
const maxDeliveries = 6;

export function admit({ task, deliveries, fingerprint }: Delivery): Admission {
  if (task.fingerprint !== fingerprint) {
    if (deliveries < fingerprintOffers) return { kind: 'giveBack', delayMs: fingerprintDelayMs };
    const detail = `The period wants ${task.fingerprint}, this worker has ${fingerprint}.`;
    return { kind: 'refuse', code: 'FINGERPRINT_DIFFERS', detail };
  }
  if (deliveries > maxDeliveries) {
    return {
      kind: 'refuse',
      code: 'TRANSCODE_FAILED',
      detail: `Delivered ${deliveries} times, never finished.`,
    };
  }
  // Each attempt is a message of its own and its deliveries begin at 1; the owner counts across attempts.
  return { kind: task.deaths + deliveries >= aloneFrom ? 'runAlone' : 'run' };
}
