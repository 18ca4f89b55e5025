/** Tells how a stream is that another region is the home of: its home is asked, and while it cannot be, what it told last is shown. */
import { healthAtHome } from '../../../cluster/contract/regions/health.ts';
import { allToldEveryMs } from '../../../cluster/contract/regions/on-air.ts';
import { neverOnAir } from '../../../cluster/contract/offline-health.ts';
import type { Staleness } from '../../../cluster/contract/staleness.ts';
import type { StreamHealth } from '../../../cluster/contract/stream-health.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import { regionNamed } from '../../../cluster/model/region-words.ts';
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
    if (home === undefined || isNewer(here, home)) return here;
    if (!home.isOnAir) return here.reason === neverOnAir ? this.#over(here, home) : here;
    return others
      .call(home.region, healthAtHome, { stream: id }, { key: id, withinMs: askMs })
      .catch(() => this.#asTold(home));
  }

  /** No region has it on air, and this one never had: as the home told it, which may be cut off by now. */
  #over(here: StreamHealth, home: StreamElsewhere): StreamHealth {
    const { region, epoch } = home;
    const links = this.#ports.others.links();
    const reason = `its broadcast in ${regionNamed(region)} is over`;
    if (links.some((link) => link.region === region && link.isUp)) return { ...here, reason, region, epoch };
    const stale = this.#staleOf(home);
    return { ...here, reason: `${reason}, as far as is known`, region, epoch, asOf: stale.asOf, stale };
  }

  #staleOf({ region, ageMs, isOnAir }: StreamElsewhere): Staleness {
    const asOf = new Date(this.#ports.clock.utcMs() - ageMs).toISOString();
    const why = isOnAir
      ? `tells of it every ${allToldEveryMs / 1000} s, and cannot be asked now`
      : 'cannot be asked now';
    return { asOf, ageMs: Math.round(ageMs), reason: `${region} ${why}` };
  }

  #asTold(home: StreamElsewhere): StreamHealth {
    const { region, epoch } = home;
    const reason = `its home ${region} cannot be reached`;
    const stale = this.#staleOf(home);
    return {
      state: 'unknown',
      reason,
      region,
      epoch,
      successors: [],
      asOf: stale.asOf,
      renditions: [],
      stale,
    };
  }
}

/** An owner of this region has it, above what the other region told. */
const isNewer = ({ epoch }: StreamHealth, home: StreamElsewhere): boolean =>
  epoch !== undefined && epoch >= home.epoch;
