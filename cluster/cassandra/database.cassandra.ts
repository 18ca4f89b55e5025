/**
 * The database of a cluster on Cassandra: one driver client for each data centre, the own one first. While one fails, and until it has what
 * it missed, the next is asked (circuit.ts). All statements are prepared, at LOCAL_QUORUM, and may be done again.
 */
import { types, type Client } from 'cassandra-driver';
import { Departures } from '../bounds/departures.ts';
import { Gate } from '../bounds/gate.ts';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { Absences } from './absences.cassandra.ts';
import { Circuit, isKept, orderOf } from './circuit.ts';
import { clientOf } from './client.cassandra.ts';
import { Doubt, type OtherNodes } from './doubt.ts';
import { faultOf, refusalOf, toldAs } from './faults.cassandra.ts';
import type { CassandraSettings } from './settings.ts';

/** A value that is undefined is left as it is: a null would be written as a tombstone, which reads must step over. */
export type Value = string | number | boolean | Date | readonly string[] | undefined;

export interface Statement {
  readonly query: string;
  readonly values: readonly Value[];
}

/** One data centre, asked alone: what it answers, it has itself, on a quorum of its nodes. */
export interface DataCentreReads {
  readonly name: string;
  /** @throws TangazaError `UNAVAILABLE`, at once while it is known to have failed; `OVERLOADED` */
  read(query: string, values: readonly Value[]): Promise<readonly unknown[]>;
}

/** The same, for who writes there, and tries it also where it is known to have failed. */
export interface LoneDatabase extends DataCentreReads, Pick<Database, 'run' | 'runTogether'> {}

export interface Database {
  /** Each one by itself, the own one first. */
  readonly dataCentres: readonly LoneDatabase[];
  /** All rows, however many the query's limit lets through. @throws TangazaError `UNAVAILABLE`, `OVERLOADED` */
  run(query: string, values: readonly Value[]): Promise<readonly unknown[]>;
  /**
   * All of it, or nothing, soon: a logged batch.
   *
   * @returns the data centre that has it now; the others follow, or do not while they are cut off
   * @throws as `run`
   */
  runTogether(statements: readonly Statement[]): Promise<string>;
  /**
   * A lightweight transaction, or a read that sees the last one: the replicas of all data centres agree on it, so most of them must be there.
   *
   * @returns the row that stood against it; undefined where it was done
   * @throws as `run`: then it may have been done all the same
   */
  agree(query: string, values: readonly Value[]): Promise<unknown>;
  readAgreed(query: string, values: readonly Value[]): Promise<readonly unknown[]>;
  /**
   * A node or a data centre was away and is back.
   *
   * @param listener what was written since that time, UTC, may become readable in the next minute
   * @returns what ends it
   */
  onBack(listener: (sinceMs: number) => void): () => void;
  close(): Promise<void>;
}

export interface OpenedDatabase extends Database {
  /** This node cannot know whether its own data centre was away until now: the other nodes are asked (doubt.ts). */
  doubt(): void;
  /** The data centres that this node has seen fail, and that may lack something. */
  failed(): readonly string[];
}

interface Ports {
  readonly clock: Pick<Clock, 'monotonicMs' | 'runningMs' | 'utcMs' | 'sleep'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly others?: OtherNodes | undefined;
}

/** How many requests are under way at once, and how many more may wait for their turn. */
const limits = { running: 512, waiting: 2048 } as const;
/** Of 64 callers at once that write, node and database took two thirds of the time with it (`bench comments`). */
const departures = { waitMs: 1, fewest: 16 } as const;
/** Lightweight transactions on one row get in each other's way: of twenty at once none came to its end within 3 s. */
const agreeing = { running: 1, waiting: 256 } as const;
/** Of reads that are for one data centre alone, for each of them: they leave the others their turns. */
const alone = { running: 32, waiting: 512 } as const;
/** A shorter standstill of this node hides no failure: a request may take that long. */
const standstillMs = 3000;

interface Centre {
  readonly name: string;
  readonly client: Client;
  readonly circuit: Circuit;
}

type Work<T> = (client: Client, dataCentre: string) => Promise<T>;

export function openCassandra(settings: CassandraSettings, ports: Ports): OpenedDatabase {
  return new CassandraDatabase(settings, ports);
}

class CassandraDatabase implements OpenedDatabase {
  readonly dataCentres: readonly LoneDatabase[];
  readonly #centres: readonly Centre[];
  readonly #ports: Ports;
  readonly #gate: Gate;
  readonly #departures: Departures;
  readonly #agreements = new Gate({ about: 'agreement of the database', ...agreeing });
  readonly #failed;
  readonly #absences: Absences;
  readonly #doubt: Doubt | undefined;
  /** For how long this node has stood still, from an arbitrary zero. */
  #stoodMs: number;

  constructor(settings: CassandraSettings, ports: Ports) {
    this.#ports = ports;
    this.#stoodMs = ports.clock.monotonicMs() - ports.clock.runningMs();
    this.#centres = settings.dataCentres.map((one) => ({
      name: one.name,
      client: clientOf(one, settings),
      circuit: new Circuit(settings.dataCentres.length === 1),
    }));
    this.#absences = new Absences(() => ports.clock.utcMs());
    for (const { client } of this.#centres) this.#absences.watch(client);
    this.#doubt = this.#doubtOf(this.#centres[0]);
    this.dataCentres = this.#centres.map((centre) => ({
      ...this.#readsOf(centre),
      run: (query, values) => this.#askAlone(centre, (client) => rowsOf(client, query, values)),
      runTogether: (statements) => this.#askAlone(centre, together(statements)),
    }));
    const waiting = ports.metrics.gauge({
      name: 'tangaza_cassandra_waiting_requests',
      help: 'Requests to Cassandra that wait for their turn.',
    });
    this.#gate = new Gate({ about: 'the database', ...limits, onWaiting: (count) => waiting.set(count) });
    this.#departures = new Departures({ clock: ports.clock, ...departures });
    this.#failed = ports.metrics.counter({
      name: 'tangaza_cassandra_failures_total',
      help: 'Requests that a data centre of Cassandra did not answer.',
      labels: ['data_centre'],
    });
  }

  async run(query: string, values: readonly Value[]): Promise<readonly unknown[]> {
    return this.#ask((client) => rowsOf(client, query, values));
  }

  async runTogether(statements: readonly Statement[]): Promise<string> {
    return this.#ask(together(statements));
  }

  async agree(query: string, values: readonly Value[]): Promise<unknown> {
    // Done again, it could find its own first try against it.
    const options = { isIdempotent: false, serialConsistency: types.consistencies.serial };
    const ask = async (client: Client): Promise<unknown> => {
      const result = await client.execute(query, [...values], options);
      return result.wasApplied() ? undefined : result.first();
    };
    return this.#agreements.run(() => this.#ask(ask));
  }

  async readAgreed(query: string, values: readonly Value[]): Promise<readonly unknown[]> {
    const options = { consistency: types.consistencies.serial };
    const ask = async (client: Client) => (await client.execute(query, [...values], options)).rows;
    return this.#agreements.run(() => this.#ask(ask));
  }

  onBack(listener: (sinceMs: number) => void): () => void {
    return this.#absences.onBack(listener);
  }

  doubt(): void {
    this.#doubt?.begin(this.#nowMs());
  }

  failed(): readonly string[] {
    return this.#centres.flatMap(({ name, circuit }) => (circuit.hasFailed ? [name] : []));
  }

  async close(): Promise<void> {
    this.#centres[0]?.circuit.vouched();
    await Promise.all(this.#centres.map(({ client }) => client.shutdown()));
  }

  #readsOf(centre: Centre): DataCentreReads {
    const { name, circuit } = centre;
    const gate = new Gate({ about: `the data centre ${name}`, ...alone });
    const ask = async (query: string, values: readonly Value[]): Promise<readonly unknown[]> => {
      this.#tryThoseAway();
      if (circuit.state === 'open')
        throw new TangazaError('UNAVAILABLE', `The data centre ${name} of the database does not answer.`);
      try {
        return await this.#askOne(centre, (client) => rowsOf(client, query, values));
      } catch (error) {
        throw toldAs(error);
      }
    };
    return { name, read: (query, values) => gate.run(() => ask(query, values)) };
  }

  /** Asks one data centre after the other, until one answers. Where none does, what the first one said is told. */
  #ask<T>(work: Work<T>): Promise<T> {
    return this.#gate.run(async () => {
      let first: { readonly error: unknown; readonly of: string } | undefined;
      await this.#departures.wait(this.#gate.running);
      this.#tryThoseAway();
      for (const index of orderOf(this.#centres.map(({ circuit }) => circuit))) {
        const centre = this.#centres[index];
        if (centre === undefined) continue;
        try {
          return await this.#askOne(centre, work);
        } catch (error) {
          // One that is asked on has all: what the next one lacks is shown to nobody.
          if (faultOf(error) !== 'unreachable' || centre.circuit.state === 'closed')
            throw toldAs(error, centre.name);
          first ??= { error, of: centre.name };
        }
      }
      throw toldAs(first?.error ?? new TangazaError('UNAVAILABLE'), first?.of);
    });
  }

  #askAlone<T>(centre: Centre, work: Work<T>): Promise<T> {
    const ask = (): Promise<T> => this.#askOne(centre, work);
    return this.#gate.run(ask).catch((error: unknown) => {
      throw toldAs(error);
    });
  }

  /** With a request of nobody, so that no reader is shown what a data centre lacks. */
  #tryThoseAway(): void {
    const nowMs = this.#nowMs();
    for (const centre of this.#centres)
      if (centre.circuit.isToTry(nowMs))
        void this.#askOne(centre, (client) => client.execute('SELECT key FROM system.local')).catch(() => {});
  }

  async #askOne<T>(centre: Centre, work: Work<T>): Promise<T> {
    try {
      const done = await work(centre.client, centre.name);
      this.#answered(centre);
      return done;
    } catch (error) {
      if (faultOf(error) === 'unreachable') this.#hasFailed(centre, error);
      throw error;
    }
  }

  /** The time for circuits, which hear first of a standstill. */
  #nowMs(): number {
    const { clock } = this.#ports;
    const nowMs = clock.runningMs();
    const stoodMs = clock.monotonicMs() - nowMs;
    if (stoodMs - this.#stoodMs >= standstillMs) this.#stoodStill(nowMs);
    this.#stoodMs = stoodMs;
    return nowMs;
  }

  #stoodStill(nowMs: number): void {
    for (const { circuit } of this.#centres) circuit.stoodStill(nowMs);
    this.#doubt?.begin(nowMs);
  }

  #doubtOf(own: Centre | undefined): Doubt | undefined {
    const { others, clock, logger } = this.#ports;
    if (own === undefined || others === undefined) return undefined;
    const { name: dataCentre } = own;
    const onAway = (): void => {
      logger.info(
        { dataCentre },
        'other nodes do without this data centre of Cassandra, as it gets what it missed',
      );
      this.#absences.left(dataCentre);
    };
    return new Doubt({ own, others, clock, onAway });
  }

  #answered({ name: dataCentre, circuit }: Centre): void {
    const { logger } = this.#ports;
    const news = circuit.answered(this.#nowMs());
    if (news === undefined) return;
    if (news === 'answers')
      return logger.info({ dataCentre }, 'Cassandra answers again, and gets what it missed');
    logger.info({ dataCentre }, 'Cassandra is asked again');
    this.#absences.came(dataCentre);
  }

  #hasFailed({ name: dataCentre, circuit }: Centre, error: unknown): void {
    const { logger } = this.#ports;
    this.#failed.add(1, { data_centre: dataCentre });
    const nowMs = this.#nowMs();
    const circuits = this.#centres.map((one) => one.circuit);
    if (isKept(circuit, circuits, nowMs) || !circuit.failed(nowMs)) return;
    logger.warn({ dataCentre, why: refusalOf(error) ?? String(error) }, 'Cassandra does not answer');
    // Of the only one, its nodes tell whether they were away: a request that took too long is no absence.
    if (this.#centres.length > 1) this.#absences.left(dataCentre);
  }
}

/** @returns work that gives the name of the data centre that has done it */
function together(statements: readonly Statement[]): Work<string> {
  const queries = statements.map(({ query, values }) => ({ query, params: [...values] }));
  return async (client, name) => {
    await client.batch(queries, { prepare: true, logged: true });
    return name;
  };
}

/** The driver gives 5,000 rows at a time. */
async function rowsOf(client: Client, query: string, values: readonly Value[]): Promise<readonly unknown[]> {
  const first = await client.execute(query, [...values]);
  const rows: unknown[] = first.rows;
  let { pageState } = first;
  while (isMore(pageState)) {
    const next = await client.execute(query, [...values], { pageState });
    rows.push(...next.rows);
    pageState = next.pageState;
  }
  return rows;
}

/** The driver's types say that there always is one. */
const isMore = (pageState: unknown): boolean => typeof pageState === 'string' && pageState !== '';
