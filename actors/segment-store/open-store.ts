/**
 * Opens the configured store. Waits for an S3 server that is not there yet, as a node waits for its NATS, and says so.
 */
import { errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import { silentLogger } from '../../cluster/observe/logger.ts';
import { sayWhile } from '../../cluster/observe/say-while.ts';
import { openDiskStore } from './segment-store.disk.ts';
import { openS3Store, type S3StoreOptions } from './segment-store.s3.ts';
import type { SegmentStore } from './segment-store.ts';
import type { StorePorts } from './store-meter.ts';

export type StoreChoice =
  | { readonly kind: 'disk'; readonly reserveBytes: number }
  | ({ readonly kind: 's3' } & Omit<S3StoreOptions, keyof StorePorts>);

const tryAgainMs = 1000;

/**
 * Tries for as long as it takes. Only `STORE_UNAVAILABLE` is tried again.
 *
 * @param folder of the segments, for a store on disk
 */
export function openStore(choice: StoreChoice, folder: string, ports: StorePorts): Promise<SegmentStore> {
  if (choice.kind === 'disk') return openDiskStore({ folder, ...choice, ...ports });
  const { endpoint, bucket } = choice;
  const told = { clock: ports.clock, logger: ports.logger ?? silentLogger };
  return sayWhile('the segment store', { endpoint, bucket }, told, (failed) =>
    untilThere(() => openS3Store({ ...choice, ...ports }), failed, ports),
  );
}

async function untilThere<T>(
  open: () => Promise<T>,
  failed: (error: unknown) => void,
  { clock }: StorePorts,
): Promise<T> {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
      failed(error);
      await clock.sleep(tryAgainMs);
    }
  }
}
