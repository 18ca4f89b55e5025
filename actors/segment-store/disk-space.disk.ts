/** Keeps a reserve of free space: asks the file system once a second, and in between counts what was put. */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { Metrics } from '../../cluster/observe/metrics.ts';
import type { Clock } from '../../cluster/time/clock.ts';

/** The fields of `fs.statfs` that are used. */
export type StatFs = (path: string) => Promise<{ readonly bavail: number; readonly bsize: number }>;

export interface DiskSpaceOptions {
  readonly folder: string;
  readonly reserveBytes: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly statfs: StatFs;
}

const maxAgeMs = 1000;
/** A file takes whole blocks. */
const blockBytes = 4096;

export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  readonly #gauge;
  #freeBytes = 0;
  #askedMs = -Infinity;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
    this.#gauge = options.metrics.gauge({
      name: 'tangaza_store_free_bytes',
      help: "Free bytes of the disk store's file system; puts are refused when they would fall below the reserve.",
    });
  }

  /** Takes room for a file. @throws TangazaError `STORE_FULL` when less than the reserve would be left */
  async take(bytes: number): Promise<void> {
    const { folder, reserveBytes, clock, statfs } = this.#options;
    if (clock.monotonicMs() - this.#askedMs > maxAgeMs) {
      const { bavail, bsize } = await statfs(folder);
      this.#freeBytes = bavail * bsize;
      this.#askedMs = clock.monotonicMs();
      this.#gauge.set(this.#freeBytes);
    }
    const needed = Math.ceil(bytes / blockBytes) * blockBytes;
    if (this.#freeBytes - needed < reserveBytes) {
      // Somebody may be making room, so the next put asks again.
      this.#askedMs = -Infinity;
      throw new TangazaError(
        'STORE_FULL',
        `${folder} has ${this.#freeBytes} bytes free, and ${reserveBytes} are kept back: make room, or lower TANGAZA_DISK_RESERVE_BYTES.`,
      );
    }
    this.#freeBytes -= needed;
  }
}
