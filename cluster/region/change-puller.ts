/**
 * Pulls what has changed in the databases of other regions: after a hint, and every 2 s while the link works (R12, A14).
 *
 * The nodes of one region share a database, so one of them pulls. What an answer brings and the place up to which it reaches are committed
 * together. So an answer may be lost, or taken twice, and nothing is left out. Whoever got something asks once more at once: that tells the
 * other region up to where it is committed here.
 */
import type { ChangedEvent, Changes, ChangesQuery } from '../contract/regions/changes.ts';
import type { RegionCall, RegionEvent } from '../contract/regions/crossing.ts';
import { errorCodeOf, TangazaError } from '../errors/tangaza-error.ts';
import type { RegionId } from '../model/ids.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Clock } from '../time/clock.ts';
import type { OtherRegions } from './other-regions.ts';

export const pullEveryMs = 2000;
const answerMs = 2000;

/** The own database, as far as it takes what others have. */
export interface PullingDatabase<Change> {
  /** What to ask a region for. */
  cursor(region: RegionId): Promise<ChangesQuery>;
  /** Commits an answer together with its end. @param askedAtMs when it was asked for, UTC of this host */
  take(region: RegionId, answer: Changes<Change>, askedAtMs: number): Promise<void>;
}

export interface PullPorts<Change> {
  /** `registry` or `comments`: the key by which a gateway is chosen, and the name in metrics. */
  readonly name: string;
  readonly others: OtherRegions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly call: RegionCall<ChangesQuery, Changes<Change>>;
  readonly hint: RegionEvent<ChangedEvent>;
  readonly database: PullingDatabase<Change>;
  /** Whether this node is the one of its region that pulls. */
  readonly isMine: () => boolean;
}

export class ChangePuller<Change> {
  readonly #ports: PullPorts<Change>;
  readonly #pulls;
  readonly #taken;
  /** Which regions are being pulled, and whether they are to be asked once more after that. */
  readonly #running = new Map<RegionId, { isWanted: boolean }>();
  /** Said once, until it works again. */
  readonly #failing = new Map<RegionId, string>();
  #stops: readonly (() => void)[] = [];

  constructor(ports: PullPorts<Change>) {
    this.#ports = ports;
    this.#pulls = ports.metrics.counter({
      name: 'tangaza_region_pulls_total',
      help: 'Questions to another region what has changed in its database: done, or the code of what went wrong.',
      labels: ['database', 'region', 'outcome'],
    });
    this.#taken = ports.metrics.counter({
      name: 'tangaza_region_pulled_changes_total',
      help: 'Changes that came from the database of another region.',
      labels: ['database', 'region'],
    });
  }

  start(): void {
    const { others, clock, hint } = this.#ports;
    if (others.regions.length === 0) return;
    this.#stops = [
      clock.every(pullEveryMs, () => others.regions.forEach((region) => this.#want(region))),
      others.onLink(({ region }) => this.#want(region)),
      ...others.regions.map((region) => others.listen(region, hint, () => this.#want(region))),
    ];
    for (const region of others.regions) this.#want(region);
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  #want(region: RegionId): void {
    const { others, isMine } = this.#ports;
    const running = this.#running.get(region);
    if (running !== undefined) running.isWanted = true;
    else if (isMine() && others.links().some((link) => link.region === region && link.isUp))
      void this.#run(region);
  }

  async #run(region: RegionId): Promise<void> {
    const running = { isWanted: true };
    this.#running.set(region, running);
    try {
      while (running.isWanted) {
        running.isWanted = false;
        if (await this.#pull(region)) running.isWanted = this.#stops.length > 0;
      }
    } finally {
      this.#running.delete(region);
    }
  }

  /** @returns whether to ask at once for more */
  async #pull(region: RegionId): Promise<boolean> {
    const { name, others, clock, call, database } = this.#ports;
    try {
      const askedAtMs = clock.utcMs();
      const query = await database.cursor(region);
      const answer = await others.call(region, call, query, { key: name, withinMs: answerMs });
      mustLeadOn(query, answer);
      await database.take(region, answer, askedAtMs);
      this.#pulls.add(1, { database: name, region, outcome: 'done' });
      this.#taken.add(answer.changes.length, { database: name, region });
      this.#failing.delete(region);
      return answer.changes.length > 0 || !answer.isAll;
    } catch (error) {
      this.#failed(region, error);
      return false;
    }
  }

  #failed(region: RegionId, error: unknown): void {
    const { name, logger } = this.#ports;
    const code = errorCodeOf(error);
    this.#pulls.add(1, { database: name, region, outcome: code });
    if (this.#failing.get(region) === code) return;
    this.#failing.set(region, code);
    // That a link does not work is said where it is held.
    const isCut = code === 'UNAVAILABLE';
    const words = `what has changed in ${region} cannot be taken: it is asked for again every 2 s`;
    logger[isCut ? 'debug' : 'warn']({ err: error, region, database: name }, words);
  }
}

/**
 * An answer without an end would be asked for again for ever. With another mark it leads on, also where it ends at the same number: the database
 * went back, and is read from its beginning.
 */
function mustLeadOn({ of, afterSeq, mark }: ChangesQuery, answer: Changes<unknown>): void {
  const isSame = answer.databaseId === of && answer.toSeq === afterSeq && answer.mark === mark;
  if (answer.isAll || !isSame) return;
  throw new TangazaError(
    'INTERNAL',
    `It says that there is more behind change ${afterSeq}, and tells nothing.`,
  );
}
