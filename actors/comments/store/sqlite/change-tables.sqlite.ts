/**
 * Numbers what changes in the region's file of comments, and tells it to other regions (A14).
 *
 * Each row has one number, that of its last change. Triggers give it, in the transaction of the change: so numbers grow in the order of commits,
 * whichever process writes. They are made when there are other regions. What was there before gets its numbers then, 2,000 rows at a time: else a
 * big file would be locked for many seconds.
 */
import { z } from 'zod';
import {
  changesThatFit,
  DatabaseId,
  mostChanges,
  type Changes,
  type ChangesQuery,
} from '../../../../cluster/contract/regions/changes.ts';
import { CommentChange } from '../../../../cluster/contract/regions/comments.ts';
import { CommentId, type RegionId, type StreamId } from '../../../../cluster/model/ids.ts';
import type { CommentDatabase, Row } from './database.sqlite.ts';

/** A kind of change: its table, the columns that name a row of it, and those that other regions have to know. */
interface Kind {
  readonly table: string;
  readonly key: readonly string[];
  readonly cells: readonly string[];
  readonly change: (row: Row) => object;
}

const isOn = (value: unknown): boolean => value === 1;
const versioned = (cell: unknown, atMs: unknown) => (atMs === null ? null : { cell, atMs });

const kinds: Readonly<Record<CommentChange['kind'], Kind>> = {
  comment: {
    table: 'comments',
    key: ['id'],
    cells: [
      ...[
        'body',
        'isErased',
        'isHeld',
        'releasedAtMs',
        'hiding',
        'hidingAtMs',
        'withdrawal',
        'withdrawalAtMs',
      ],
    ],
    change: ({ hiding, hidingAtMs, withdrawal, withdrawalAtMs, isErased, isHeld, ...row }) => ({
      ...row,
      isErased: isOn(isErased),
      isHeld: isOn(isHeld),
      hiding: versioned(hiding, hidingAtMs),
      withdrawal: versioned(withdrawal, withdrawalAtMs),
    }),
  },
  like: {
    table: 'likes',
    key: ['commentId', 'userId'],
    cells: ['isOn', 'atMs'],
    change: (row) => ({ ...row, isOn: isOn(row['isOn']) }),
  },
  ban: {
    table: 'bans',
    key: ['streamId', 'userId'],
    cells: ['isOn', 'byId', 'atMs', 'untilMs', 'reason'],
    change: ({ byId, ...row }) => ({ ...row, by: byId, isOn: isOn(row['isOn']) }),
  },
  mode: {
    table: 'modes',
    key: ['streamId'],
    cells: ['mode', 'slowSeconds', 'atMs'],
    change: ({ mode, slowSeconds, ...row }) => ({ ...row, mode: { mode, slowSeconds } }),
  },
  audit: {
    table: 'audit',
    key: ['streamId', 'atMs', 'byId', 'act', 'onId'],
    cells: ['reason'],
    change: ({ byId, onId, ...row }) => ({ ...row, by: byId, on: onId }),
  },
  report: {
    table: 'reports',
    key: ['commentId', 'userId'],
    cells: ['voice', 'atMs', 'reason'],
    change: (row) => row,
  },
  erased: { table: 'erasedUsers', key: ['userId'], cells: ['atMs'], change: (row) => row },
  reactions: {
    table: 'reactionCounts',
    key: ['streamId', 'minuteMs', 'kind', 'source'],
    cells: ['count'],
    change: ({ kind, ...row }) => ({ ...row, reaction: kind }),
  },
};

/** In the order in which what was there before is numbered: what is short and weighs much comes first. */
const kindNames = ['erased', 'ban', 'mode', 'comment', 'like', 'report', 'audit', 'reactions'] as const;

const keyOf = ({ key }: Kind, row: string): string =>
  `json_array(${key.map((column) => `${row}${column}`).join(', ')})`;

/** An update that changes nothing that others have to know is no change: so what went round comes to an end. */
function triggersOf(name: CommentChange['kind']): string {
  const kind = kinds[name];
  const key = keyOf(kind, 'NEW.');
  const enter = `DELETE FROM changes WHERE kind = '${name}' AND key = ${key}; INSERT INTO changes (kind, key) VALUES ('${name}', ${key});`;
  const isOther = kind.cells.map((cell) => `NEW.${cell} IS NOT OLD.${cell}`).join(' OR ');
  return `
    CREATE TRIGGER IF NOT EXISTS ${kind.table}Added AFTER INSERT ON ${kind.table} BEGIN ${enter} END;
    CREATE TRIGGER IF NOT EXISTS ${kind.table}Changed AFTER UPDATE ON ${kind.table} WHEN ${isOther} BEGIN ${enter} END;`;
}

/** How many rows of before are numbered in one transaction. */
const numberedAtOnce = 2000;

const Cells = z.array(z.union([z.string(), z.number()]));
/** Up to where what was there before has its numbers: the kind, and the key of its last row. */
const Place = z.object({ kind: z.enum(kindNames), after: Cells });
type Place = z.infer<typeof Place>;

const ChangeRow = z.object({ seq: z.number(), kind: z.enum(kindNames), key: z.string() });
const PullRow = z.object({
  databaseId: DatabaseId,
  seq: z.number(),
  mark: z.string().nullable(),
  wholeAtMs: z.number().nullable(),
});
type PullRow = z.infer<typeof PullRow>;

/** Pulls that bring nothing are written down no more often. */
const writtenEveryMs = 1000;
const isNear = (atMs: number | null, otherMs: number | null): boolean =>
  atMs === otherMs || (atMs !== null && otherMs !== null && Math.abs(atMs - otherMs) < writtenEveryMs);

export class ChangeTables {
  readonly #database: CommentDatabase;

  constructor(database: CommentDatabase) {
    this.#database = database;
  }

  changes(query: ChangesQuery): Changes<CommentChange> {
    // Read first: what another process writes meanwhile has a higher number, and is told again.
    const lastSeq = this.lastChange();
    const fromSeq = this.#takenSeq(query, lastSeq);
    const rows = this.#database
      .all(`SELECT seq, kind, key FROM changes WHERE seq > ? ORDER BY seq LIMIT ${mostChanges}`, fromSeq)
      .map((row) => ChangeRow.parse({ ...row }));
    const told = changesThatFit(rows, ({ kind, key }) => this.#read(kind, key), { fromSeq, lastSeq });
    return { databaseId: this.#databaseId(), ...told, mark: this.#markOf(told.toSeq) };
  }

  /** Numbers a part of what was there before. @returns how many rows it came to; 0: all have been numbered */
  numberSome(): number {
    this.#begin();
    let place = this.#place();
    let left = numberedAtOnce;
    while (place !== undefined && left > 0) {
      const keys = this.#numberAfter(place, left);
      left -= keys.length;
      const last = keys.at(-1);
      place = last === undefined ? nextKind(place) : { ...place, after: Cells.parse(JSON.parse(last)) };
    }
    this.#keepPlace(place);
    return numberedAtOnce - left;
  }

  noteTaken(region: RegionId, query: ChangesQuery): void {
    this.#database.run(
      'INSERT OR REPLACE INTO pulledBy (region, seq) VALUES (?, ?)',
      ...[region, this.#takenSeq(query, this.lastChange())],
    );
  }

  cursor(region: RegionId): ChangesQuery {
    this.#begin();
    const by = this.#databaseId();
    const pull = this.#pullOf(region);
    if (pull === undefined) return { by, afterSeq: 0 };
    const { databaseId, seq, mark } = pull;
    return { by, of: databaseId, afterSeq: seq, ...(mark === null ? {} : { mark }) };
  }

  /** All of an answer is here. */
  taken(region: RegionId, answer: Changes<CommentChange>, askedAtMs: number): void {
    const before = this.#pullOf(region);
    const { databaseId, toSeq, isAll } = answer;
    const mark = answer.mark ?? null;
    const wholeAtMs = isAll ? askedAtMs : (before?.wholeAtMs ?? null);
    const isSame = before?.seq === toSeq && before.mark === mark && before.databaseId === databaseId;
    if (isSame && isNear(before.wholeAtMs, wholeAtMs)) return;
    this.#database.run(
      'INSERT OR REPLACE INTO pulls (region, databaseId, seq, mark, wholeAtMs) VALUES (?, ?, ?, ?, ?)',
      ...[region, databaseId, toSeq, mark, wholeAtMs],
    );
  }

  wholeTo(regions: readonly RegionId[]): number {
    return Math.min(...regions.map((region) => this.#pullOf(region)?.wholeAtMs ?? 0));
  }

  takenBy(region: RegionId, stream: StreamId, fromMs: number, toMs: number): readonly CommentId[] {
    return this.#database
      .all(
        `SELECT comments.id FROM comments JOIN changes ON kind = 'comment' AND key = json_array(comments.id)
         WHERE streamId = ? AND createdAtMs BETWEEN ? AND ? AND seq <= (SELECT seq FROM pulledBy WHERE region = ?)`,
        ...[stream, fromMs, toMs, region],
      )
      .map((row) => CommentId.parse(row['id']));
  }

  lastChange(): number {
    const row = this.#database.one(`SELECT seq FROM sqlite_sequence WHERE name = 'changes'`);
    return Number(row?.['seq'] ?? 0);
  }

  behind(regions: readonly RegionId[], seq: number): readonly RegionId[] {
    return regions.filter((region) => {
      const row = this.#database.one('SELECT seq FROM pulledBy WHERE region = ?', region);
      return Number(row?.['seq'] ?? -1) < seq;
    });
  }

  #pullOf(region: RegionId): PullRow | undefined {
    const columns = 'databaseId, seq, mark, wholeAtMs';
    const row = this.#database.one(`SELECT ${columns} FROM pulls WHERE region = ?`, region);
    return row === undefined ? undefined : PullRow.parse({ ...row });
  }

  /** Begins to number changes, unless it was begun. */
  #begin(): void {
    const isBegun = this.#database.one(`SELECT value FROM state WHERE name = 'numbersChanges'`) !== undefined;
    if (isBegun) return;
    for (const kind of kindNames) this.#database.execute(triggersOf(kind));
    this.#database.run(`INSERT INTO state (name, value) VALUES ('numbersChanges', 1)`);
    this.#keepPlace({ kind: kindNames[0], after: [] });
  }

  /** Undefined: all that was there before is numbered. */
  #place(): Place | undefined {
    const row = this.#database.one(`SELECT value FROM state WHERE name = 'numberedTo'`);
    return row === undefined ? undefined : Place.parse(JSON.parse(String(row['value'])));
  }

  #keepPlace(place: Place | undefined): void {
    this.#database.run(`DELETE FROM state WHERE name = 'numberedTo'`);
    if (place === undefined) return;
    this.#database.run(`INSERT INTO state (name, value) VALUES ('numberedTo', ?)`, JSON.stringify(place));
  }

  /** What has changed meanwhile has a number. @returns the keys of these rows */
  #numberAfter({ kind: name, after }: Place, most: number): readonly string[] {
    const kind = kinds[name];
    const columns = kind.key.join(', ');
    const behind = after.length === 0 ? '' : `WHERE (${columns}) > (${after.map(() => '?').join(', ')})`;
    const select = `SELECT ${keyOf(kind, '')} AS name FROM ${kind.table} ${behind} ORDER BY ${columns} LIMIT ?`;
    const keys = this.#database.all(select, ...after, most).map((row) => String(row['name']));
    for (const key of keys)
      this.#database.run('INSERT OR IGNORE INTO changes (kind, key) VALUES (?, ?)', name, key);
    return keys;
  }

  #read(name: CommentChange['kind'], key: string): CommentChange | undefined {
    const { table, key: names, cells, change } = kinds[name];
    const columns =
      name === 'comment' ? [...names, 'streamId', 'authorId', 'createdAtMs', ...cells] : [...names, ...cells];
    const condition = names.map((column, index) => `${column} = ?1 ->> ${index}`).join(' AND ');
    const row = this.#database.one(`SELECT ${columns.join(', ')} FROM ${table} WHERE ${condition}`, key);
    if (row === undefined) return undefined;
    // What no other region would take is left out.
    return CommentChange.safeParse({ ...change({ ...row }), kind: name }).data;
  }

  /**
   * Up to where another region has taken what stands here. Who has read further than there is, or another change of that number, has read what a
   * backup does not have: that is nothing.
   */
  #takenSeq({ of, afterSeq, mark }: ChangesQuery, lastSeq: number): number {
    const isSame = mark === undefined || mark === this.#markOf(afterSeq);
    return of === this.#databaseId() && afterSeq <= lastSeq && isSame ? afterSeq : 0;
  }

  /** Undefined for a change from before there were marks, and where there is none. */
  #markOf(seq: number): string | undefined {
    const row = this.#database.one(
      'SELECT mark FROM marks WHERE afterSeq < ? ORDER BY afterSeq DESC LIMIT 1',
      seq,
    );
    return row === undefined ? undefined : z.string().parse(row['mark']);
  }

  #databaseId(): string {
    return DatabaseId.parse(
      this.#database.one(`SELECT value FROM state WHERE name = 'databaseId'`)?.['value'],
    );
  }
}

function nextKind({ kind }: Place): Place | undefined {
  const next = kindNames[kindNames.indexOf(kind) + 1];
  return next === undefined ? undefined : { kind: next, after: [] };
}
