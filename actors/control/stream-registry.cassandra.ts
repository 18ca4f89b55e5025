/**
 * The stream registry in Cassandra, which all nodes of all regions share.
 *
 * 1. `streams` and `idempotency` are changed by lightweight transactions alone, on which the replicas of all data centres agree. Here they
 *    are right: an id and a key are given once, by requests that are few. So where most of the replicas are not to be reached, nothing is
 *    made or changed, and reads go on.
 * 2. The other tables only find streams. They are written before `streams`, and what they say counts as far as `streams` says the same. So
 *    a node that dies between two writes leaves nothing behind that is seen.
 */
import { z } from 'zod';
import type { Database } from '../../cluster/cassandra/database.cassandra.ts';
import type { StreamPlace } from '../../cluster/contract/api/cursor.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import { IdempotencyTable } from './idempotency.cassandra.ts';
import type { Answer, IdempotentRequest } from './idempotency.ts';
import {
  removedKeptMs,
  type NewStream,
  type RemovedStream,
  type StreamEntry,
  type StreamRegistry,
} from './stream-registry.ts';

const Row = z.object({
  id: StreamId,
  title: z.string(),
  ladder: z.string(),
  key_hash: z.string(),
  key_salt: z.string(),
  created_at: z.date(),
  updated_at: z.date(),
});
type Row = z.infer<typeof Row>;
const IdRow = z.object({ id: StreamId });
const AgeRow = z.object({ id: StreamId, created_at: z.date() });
const RemovedRow = z.object({ id: StreamId, removed_at: z.date() });

/** Streams and removed ones are each one partition in order of age: a cluster has thousands of them, not millions. */
const part = 0;
const removedTold = 1000;
/** Cassandra forgets what was removed by itself, a day after nobody asks for it any more. */
const keptSeconds = removedKeptMs / 1000 + 86_400;
const lastMs = 8_640_000_000_000_000;
const columns = 'id, title, ladder, key_hash, key_salt, created_at, updated_at';

/** @param database is its opener's to close */
export function openCassandraStreamRegistry(database: Database): StreamRegistry {
  return new CassandraStreamRegistry(database);
}

class CassandraStreamRegistry implements StreamRegistry {
  readonly #database: Database;
  readonly #requests: IdempotencyTable;

  constructor(database: Database) {
    this.#database = database;
    this.#requests = new IdempotencyTable(database);
  }

  async create(stream: NewStream): Promise<{ entry: StreamEntry; keySalt: string }> {
    const { id, nowMs, request } = stream;
    const before = request === undefined ? undefined : await this.#madeBefore(request, nowMs);
    if (before !== undefined) return { entry: entryOf(before), keySalt: before.key_salt };
    await this.#mustBeFree(stream);
    if (request !== undefined) await this.#requests.take(request, id, nowMs);
    await this.#findable(id, stream.keyHash, nowMs);
    const rival = await this.#database.agree(
      `INSERT INTO streams (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS`,
      [id, stream.title, stream.ladder, stream.keyHash, stream.keySalt, new Date(nowMs), new Date(nowMs)],
    );
    if (rival !== undefined && !isOwn(rival, stream)) throw taken(id);
    await this.#forgetRemoved(id);
    const { title, ladder, keySalt } = stream;
    return { entry: { id, title, ladder, createdAtMs: nowMs, updatedAtMs: nowMs }, keySalt };
  }

  async get(id: StreamId): Promise<StreamEntry | undefined> {
    const row = await this.#find(id);
    return row === undefined ? undefined : entryOf(row);
  }

  async list(limit: number, after?: StreamPlace): Promise<readonly StreamEntry[]> {
    const found: StreamEntry[] = [];
    let [at, id] = [new Date(after?.createdAtMs ?? lastMs), String(after?.id ?? '')];
    while (found.length < limit) {
      const rows = await this.#database.run(
        'SELECT id, created_at FROM streams_by_age WHERE part = ? AND (created_at, id) < (?, ?) LIMIT ?',
        [part, at, id, limit],
      );
      const places = rows.map((row) => AgeRow.parse(row));
      const streams = await Promise.all(places.map((place) => this.#find(place.id)));
      const isAsEntered = (row: Row, index: number): boolean =>
        row.created_at.getTime() === places[index]?.created_at.getTime();
      found.push(
        ...streams.flatMap((row, index) =>
          row !== undefined && isAsEntered(row, index) ? [entryOf(row)] : [],
        ),
      );
      const last = places.at(-1);
      if (last === undefined || rows.length < limit) break;
      [at, id] = [last.created_at, last.id];
    }
    return found.slice(0, limit);
  }

  claim(request: IdempotentRequest, nowMs: number): Promise<Answer> {
    return this.#requests.claim(request, nowMs);
  }

  settle(request: IdempotentRequest, nowMs: number, reply: string | undefined): Promise<void> {
    return this.#requests.settle(request, nowMs, reply);
  }

  async update(
    id: StreamId,
    { title, ladder }: { readonly title?: string; readonly ladder?: string },
    nowMs: number,
  ): Promise<StreamEntry | undefined> {
    // What is undefined is left as it is.
    return this.#change(id, 'title = ?, ladder = ?, updated_at = ?', [title, ladder, new Date(nowMs)]);
  }

  async rotateKey(
    id: StreamId,
    { keyHash, keySalt }: { readonly keyHash: string; readonly keySalt: string },
    nowMs: number,
  ): Promise<StreamEntry | undefined> {
    await this.#findByKey(keyHash, id);
    return this.#change(id, 'key_hash = ?, key_salt = ?, updated_at = ?', [
      keyHash,
      keySalt,
      new Date(nowMs),
    ]);
  }

  async remove(id: StreamId, nowMs: number): Promise<boolean> {
    const row = await this.#find(id);
    if (row === undefined) return false;
    const at = new Date(nowMs);
    const ttl = `USING TTL ${keptSeconds}`;
    await this.#database.runTogether([
      { query: `INSERT INTO removed_streams (id, removed_at) VALUES (?, ?) ${ttl}`, values: [id, at] },
      { query: `INSERT INTO removed_by_key (key_hash, id) VALUES (?, ?) ${ttl}`, values: [row.key_hash, id] },
      {
        query: `INSERT INTO removed_by_age (part, removed_at, id) VALUES (?, ?, ?) ${ttl}`,
        values: [part, at, id],
      },
    ]);
    const isGone =
      (await this.#database.agree('DELETE FROM streams WHERE id = ? IF EXISTS', [id])) !== undefined;
    if (isGone) return false;
    const old = new Date(nowMs - removedKeptMs);
    await this.#database.runTogether([
      {
        query: 'DELETE FROM streams_by_age WHERE part = ? AND created_at = ? AND id = ?',
        values: [part, row.created_at, id],
      },
      { query: 'DELETE FROM streams_by_key WHERE key_hash = ? AND id = ?', values: [row.key_hash, id] },
      { query: 'DELETE FROM removed_by_age WHERE part = ? AND removed_at <= ?', values: [part, old] },
    ]);
    return true;
  }

  async findByKeyHash(keyHash: string): Promise<StreamEntry | undefined> {
    const rows = await this.#database.run('SELECT id FROM streams_by_key WHERE key_hash = ?', [keyHash]);
    const streams = await Promise.all(rows.map((row) => this.#find(IdRow.parse(row).id)));
    const found = streams.find((row) => row?.key_hash === keyHash);
    return found === undefined ? undefined : entryOf(found);
  }

  async removed(id: StreamId, nowMs: number): Promise<RemovedStream | undefined> {
    const row = await this.#removedRow(id);
    if (row === undefined || row.removed_at.getTime() <= nowMs - removedKeptMs) return undefined;
    // It exists again, or its removal did not come to its end.
    if ((await this.#find(id)) !== undefined) return undefined;
    return { id, removedAtMs: row.removed_at.getTime() };
  }

  async removedWithKeyHash(keyHash: string, nowMs: number): Promise<RemovedStream | undefined> {
    const [row] = await this.#database.run('SELECT id FROM removed_by_key WHERE key_hash = ?', [keyHash]);
    return row === undefined ? undefined : this.removed(IdRow.parse(row).id, nowMs);
  }

  async removedSince(sinceMs: number): Promise<readonly RemovedStream[]> {
    const rows = await this.#database.run(
      'SELECT id, removed_at FROM removed_by_age WHERE part = ? AND removed_at >= ? LIMIT ?',
      [part, new Date(sinceMs), removedTold],
    );
    const entries = rows.map((row) => RemovedRow.parse(row));
    const there = await Promise.all(entries.map(({ id }) => this.#find(id)));
    // Of one that is still there the removal did not come to its end: nobody may be told that it is gone.
    return entries.flatMap(({ id, removed_at: removedAt }, index) =>
      there[index] === undefined ? [{ id, removedAtMs: removedAt.getTime() }] : [],
    );
  }

  async close(): Promise<void> {}

  async #find(id: StreamId): Promise<Row | undefined> {
    const [row] = await this.#database.run(`SELECT ${columns} FROM streams WHERE id = ?`, [id]);
    return row === undefined ? undefined : Row.parse(row);
  }

  async #removedRow(id: StreamId): Promise<z.infer<typeof RemovedRow> | undefined> {
    const [row] = await this.#database.run('SELECT id, removed_at FROM removed_streams WHERE id = ?', [id]);
    return row === undefined ? undefined : RemovedRow.parse(row);
  }

  async #change(
    id: StreamId,
    cells: string,
    values: readonly (string | Date | undefined)[],
  ): Promise<StreamEntry | undefined> {
    const query = `UPDATE streams SET ${cells} WHERE id = ? IF EXISTS`;
    const isGone = (await this.#database.agree(query, [...values, id])) !== undefined;
    return isGone ? undefined : this.get(id);
  }

  async #madeBefore(request: IdempotentRequest, nowMs: number): Promise<Row | undefined> {
    const id = await this.#requests.streamOf(request, nowMs);
    return id === undefined ? undefined : this.#find(id);
  }

  async #mustBeFree({ id, nowMs, mayRevive }: NewStream): Promise<void> {
    if ((await this.#find(id)) !== undefined) throw taken(id);
    const removed = mayRevive === true ? undefined : await this.removed(id, nowMs);
    if (removed === undefined) return;
    const day = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
    throw new TangazaError(
      'CONFLICT',
      `There was a stream ${id}, removed on ${day(removed.removedAtMs)}: its id stays taken until ${day(removed.removedAtMs + removedKeptMs)}, because its links are still in use. Choose another id or leave it out.`,
    );
  }

  /** Before it is there: what points to a stream that is not, or is another one, counts for nothing. */
  async #findable(id: StreamId, keyHash: string, nowMs: number): Promise<void> {
    const query = 'INSERT INTO streams_by_age (part, created_at, id) VALUES (?, ?, ?)';
    await Promise.all([this.#findByKey(keyHash, id), this.#database.run(query, [part, new Date(nowMs), id])]);
  }

  async #findByKey(keyHash: string, id: StreamId): Promise<void> {
    await this.#database.run('INSERT INTO streams_by_key (key_hash, id) VALUES (?, ?)', [keyHash, id]);
  }

  async #forgetRemoved(id: StreamId): Promise<void> {
    const row = await this.#removedRow(id);
    if (row === undefined) return;
    await this.#database.runTogether([
      { query: 'DELETE FROM removed_streams WHERE id = ?', values: [id] },
      {
        query: 'DELETE FROM removed_by_age WHERE part = ? AND removed_at = ? AND id = ?',
        values: [part, row.removed_at, id],
      },
    ]);
  }
}

/** An earlier try whose answer was lost has made it. */
function isOwn(rival: unknown, { keyHash, keySalt, nowMs }: NewStream): boolean {
  const row = Row.safeParse(rival).data;
  return row?.key_hash === keyHash && row.key_salt === keySalt && row.created_at.getTime() === nowMs;
}

const taken = (id: StreamId): TangazaError =>
  new TangazaError('CONFLICT', `There is a stream ${id} already: choose another id or leave it out.`);

function entryOf({ id, title, ladder, created_at: created, updated_at: updated }: Row): StreamEntry {
  return { id, title, ladder, createdAtMs: created.getTime(), updatedAtMs: updated.getTime() };
}
