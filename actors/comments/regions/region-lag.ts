/**
 * Until when this region knows what was accepted in the others: until it last asked for changes and got all of them (A8). The file remembers
 * that. So it is true as well on a node that has just started, and where a link works and yet nothing comes over it.
 */
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { backMs } from '../feed/resume.ts';
import type { ChangeStore } from '../store/change-store.ts';

interface LagPorts {
  readonly store: Pick<ChangeStore, 'wholeTo'>;
  readonly regions: readonly RegionId[];
  readonly clock: Pick<Clock, 'utcMs'>;
  readonly logger: Pick<Logger, 'debug'>;
}

export class RegionLag {
  readonly #ports: LagPorts;
  #wholeToMs = 0;
  #isLooking = false;

  constructor(ports: LagPorts) {
    this.#ports = ports;
  }

  /** Reads the file. To be called every second. It never rejects: what is not read stays as it was. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    const { store, regions, logger } = this.#ports;
    this.#isLooking = true;
    try {
      this.#wholeToMs = await store.wholeTo(regions);
    } catch (error) {
      logger.debug(
        { err: error },
        'up to when other regions were read is not known: it is asked again in 1 s',
      );
    } finally {
      this.#isLooking = false;
    }
  }

  /** In UTC of this host. What a page that comes back gets in any case does not count as missing. */
  knownToMs(): number {
    const nowMs = this.#ports.clock.utcMs();
    return nowMs - this.#wholeToMs <= backMs ? nowMs : this.#wholeToMs;
  }
}
