/**
 * The index of a stream's minutes that have comments, so that pages step over hours without any. Each data centre that has a comment must have
 * its minute: one that died may have kept it to itself. So a minute counts as entered where a data centre has said so; that it is absent is
 * never remembered (A3).
 */
import { z } from 'zod';
import type { Database, DataCentreReads } from '../../../../cluster/cassandra/database.cassandra.ts';
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../../cluster/model/ids.ts';
import { dayOf } from './comment-row.ts';

/** `written`: when comments were written. `late`: when something is in `comments_late`. */
export type MinuteKind = 'written' | 'late';
const kinds = { written: 0, late: 1 } as const;
/** The days of a stream are entered in the same table, as the minutes of this day. */
const daysOf = { written: -1, late: -2 } as const;
const mostEntered = 20_000;
const mostTries = 3;
/** More minutes of a day there are none, and days are read in pages. */
const daysAtOnce = 200;

export interface Entry {
  readonly stream: StreamId;
  readonly kind: MinuteKind;
  readonly minute: number;
}

/** Whether pages of that data centre find a minute in which comments were written. */
export async function isMinuteThere(
  dataCentre: Pick<DataCentreReads, 'read'>,
  stream: StreamId,
  minute: number,
): Promise<boolean> {
  const query = 'SELECT minute FROM comment_minutes WHERE stream = ? AND day = ? AND kind = ? AND minute = ?';
  const entries = [
    [daysOf.written, dayOf(minute)],
    [dayOf(minute), minute],
  ] as const;
  const found = await Promise.all(
    entries.map(([day, entry]) => dataCentre.read(query, [stream, day, kinds.written, entry])),
  );
  return found.every((rows) => rows.length > 0);
}

const Minute = z.object({ minute: z.number() });

export class Minutes {
  readonly #database: Pick<Database, 'run' | 'runTogether'>;
  readonly #entered = new Set<string>();
  /** Being entered: the first comments of a minute come at once. */
  readonly #entering = new Map<string, Promise<string>>();

  constructor(database: Pick<Database, 'run' | 'runTogether'>) {
    this.#database = database;
  }

  /**
   * Enters a minute, where it is not known to be.
   *
   * @param dataCentre that must have it; undefined: the one that answers now, whatever is known of it
   * @throws TangazaError `UNAVAILABLE` when another data centre answers every time
   */
  async enter({ stream, kind, minute }: Entry, dataCentre: string | undefined): Promise<void> {
    const name = `${stream} ${kind} ${minute} `;
    const isEntered = (by: string | undefined): boolean => by !== undefined && this.#entered.has(name + by);
    let by: string | undefined;
    for (let tries = 0; !isEntered(dataCentre ?? by); tries += 1) {
      if (tries === mostTries)
        throw new TangazaError('UNAVAILABLE', 'The database changes too fast: try again.');
      by = await this.#enterOnce({ stream, kind, minute });
      this.#entered.add(name + by);
    }
    const [oldest] = this.#entered;
    if (this.#entered.size > mostEntered && oldest !== undefined) this.#entered.delete(oldest);
  }

  /** @returns the data centre that has it */
  #enterOnce({ stream, kind, minute }: Entry): Promise<string> {
    const name = `${stream} ${kind} ${minute}`;
    const day = dayOf(minute);
    const query = 'INSERT INTO comment_minutes (stream, day, kind, minute) VALUES (?, ?, ?, ?)';
    const entering =
      this.#entering.get(name) ??
      this.#database
        .runTogether([
          { query, values: [stream, daysOf[kind], kinds[kind], day] },
          { query, values: [stream, day, kinds[kind], minute] },
        ])
        .finally(() => this.#entering.delete(name));
    this.#entering.set(name, entering);
    return entering;
  }

  /** Newest first. @param from inclusive */
  async *down(stream: StreamId, kind: MinuteKind, from: number): AsyncGenerator<number> {
    for await (const day of this.#days(stream, kind, { from: dayOf(from), isDown: true }))
      yield* await this.#read({ stream, day, kind, from, isDown: true });
  }

  /** Oldest first. @param from inclusive */
  async *up(stream: StreamId, kind: MinuteKind, from: number): AsyncGenerator<number> {
    for await (const day of this.#days(stream, kind, { from: dayOf(from), isDown: false }))
      yield* await this.#read({ stream, day, kind, from, isDown: false });
  }

  async *#days(
    stream: StreamId,
    kind: MinuteKind,
    { from, isDown }: { readonly from: number; readonly isDown: boolean },
  ): AsyncGenerator<number> {
    let next = from;
    for (;;) {
      const days = await this.#read({ stream, day: daysOf[kind], kind, from: next, isDown });
      yield* days;
      const last = days.at(-1);
      if (last === undefined || days.length < daysAtOnce) return;
      next = isDown ? last - 1 : last + 1;
    }
  }

  async #read(asked: {
    readonly stream: StreamId;
    readonly day: number;
    readonly kind: MinuteKind;
    readonly from: number;
    readonly isDown: boolean;
  }): Promise<readonly number[]> {
    const { stream, day, kind, from, isDown } = asked;
    const limit = day < 0 ? daysAtOnce : 1440;
    const rows = await this.#database.run(
      `SELECT minute FROM comment_minutes WHERE stream = ? AND day = ? AND kind = ? AND minute ${isDown ? '<=' : '>='} ?
       ORDER BY kind ${isDown ? 'ASC' : 'DESC'}, minute ${isDown ? 'DESC' : 'ASC'} LIMIT ${limit}`,
      [stream, day, kinds[kind], from],
    );
    return rows.map((row) => Minute.parse(row).minute);
  }
}
