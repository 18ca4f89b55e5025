/** What a worker does with a task it was handed: a pure decision (C9, M7). */
import type { TranscodeTask } from '../../cluster/contract/transcode-task.ts';

export type Admission =
  | { readonly kind: 'run' }
  /** After two deliveries or workers that came to nothing: it may be what killed those workers, so nothing else runs beside it. */
  | { readonly kind: 'runAlone' }
  /** Not for this worker; another may take it. */
  | { readonly kind: 'giveBack'; readonly delayMs: number }
  /** No worker so far could take it: the owner decides. */
  | {
      readonly kind: 'refuse';
      readonly code: 'FINGERPRINT_DIFFERS' | 'TRANSCODE_FAILED';
      readonly detail: string;
    };

export interface Delivery {
  readonly task: TranscodeTask;
  /** From 1. */
  readonly deliveries: number;
  /** Of this worker's encoder. */
  readonly fingerprint: string;
}

/** Offered to so many workers before the owner is told that none matches. */
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
  // Each attempt is a message of its own: its deliveries begin at 1, its owner counts on.
  return { kind: task.deaths + deliveries >= aloneFrom ? 'runAlone' : 'run' };
}
