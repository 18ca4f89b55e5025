/** Tells how a stream is that another region is the home of: its home is asked, and while it cannot be, what it told last is shown. */
import { healthAtHome } from '../../../cluster/contract/regions/health.ts';
import type { StreamHealth } from '../../../cluster/contract/stream-health.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Elsewhere, StreamElsewhere } from '../../../cluster/region/elsewhere.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

const askMs = 1500;

export interface HealthAtHomePorts {
  readonly others: OtherRegions;
  readonly elsewhere: Pick<Elsewhere, 'homeOf'>;
  readonly clock: Pick<Clock, 'utcMs'>;
  /** As this region knows it. @throws TangazaError `STREAM_NOT_FOUND`, `LOG_UNAVAILABLE` */
  readonly healthHere: (id: StreamId) => Promise<StreamHealth>;
}

export class HealthAtHome {
  readonly #ports: HealthAtHomePorts;
  #stop: () => void = () => {};

  constructor(ports: HealthAtHomePorts) {
    this.#ports = ports;
  }

  /** Answers other regions, which are never asked in turn. */
  start(): void {
    const { others, healthHere } = this.#ports;
    if (others.regions.length > 0)
      this.#stop = others.serve(healthAtHome, ({ stream }) => healthHere(stream));
  }

  stop(): void {
    this.#stop();
  }

  /** @throws TangazaError `STREAM_NOT_FOUND`; `LOG_UNAVAILABLE` when NATS does not answer and nothing is known */
  async of(id: StreamId): Promise<StreamHealth> {
    const { others, elsewhere, healthHere } = this.#ports;
    const here = await healthHere(id);
    const home = elsewhere.homeOf(id);
    if (home === undefined || !home.isOnAir || isNewer(here, home)) return here;
    return others
      .call(home.region, healthAtHome, { stream: id }, { key: id, withinMs: askMs })
      .catch(() => this.#asTold(home));
  }

  #asTold({ region, epoch, ageMs }: StreamElsewhere): StreamHealth {
    const asOf = new Date(this.#ports.clock.utcMs() - ageMs).toISOString();
    const reason = `its home ${region} cannot be reached`;
    const stale = { asOf, ageMs: Math.round(ageMs), reason: `${region} cannot be reached` };
    return { state: 'unknown', reason, region, epoch, successors: [], asOf, renditions: [], stale };
  }
}

/** An owner of this region has it, above what the other region told. */
const isNewer = ({ epoch }: StreamHealth, home: StreamElsewhere): boolean =>
  epoch !== undefined && epoch >= home.epoch;
