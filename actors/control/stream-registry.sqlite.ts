/** The stream registry in the region's SQLite file, shared by its nodes on this host (C12). Other regions read what changes in it (R12). */
import { z } from 'zod';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { StreamId, type RegionId } from '../../cluster/model/ids.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { StreamPlace } from '../../cluster/contract/api/cursor.ts';
import type { Changes, ChangesQuery } from '../../cluster/contract/regions/changes.ts';
import type { RegistryChange, StreamQuery } from '../../cluster/contract/regions/registry.ts';
import { answerOf, type Answer, type IdempotentRequest } from './idempotency.ts';
import { RegistryChanges } from './regions/registry-changes.sqlite.ts';
import type { RegionalRegistry, Taken } from './regions/registry-feed.ts';
import { RegistryFile, type Row as FileRow, type Value } from './registry-file.sqlite.ts';
import { removedKeptMs, type NewStream, type RemovedStream, type StreamEntry } from './stream-registry.ts';

const dayMs = 86_400_000;
/** How many removed streams are remembered. With more, those removed first are forgotten. */
const maxRemoved = 100_000;
/** How many are forgotten at once. A transaction stops this process, so it must stay short. */
const forgottenAtOnce = 1000;
const removedTold = 1000;

const Row = z.object({
  id: StreamId,
  title: z.string(),
  ladder: z.string(),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
});
const RemovedRow = z.object({ id: StreamId, removedAtMs: z.number() });
const AnswerRow = z.object({
  atMs: z.number(),
  fingerprint: z.string().nullable(),
  reply: z.string().nullable(),
});
const SaltRow = z.object({ keySalt: z.string() });

/** @param file path of the database, or `:memory:` @throws as `RegistryFile` */
export function openSqliteStreamRegistry(
  file: string,
  clock: Pick<Clock, 'sleep' | 'runningMs'>,
): RegionalRegistry {
  return new SqliteStreamRegistry(new RegistryFile(file, clock));
}

class SqliteStreamRegistry implements RegionalRegistry {
  readonly #file: RegistryFile;
  readonly #changes: RegistryChanges;

  constructor(file: RegistryFile) {
    this.#file = file;
    this.#changes = new RegistryChanges(file);
  }

  create(stream: NewStream): Promise<{ entry: StreamEntry; keySalt: string }> {
    return this.#inTransaction(() => {
      const before = this.#madeBefore(stream);
      if (before !== undefined) return before;
      if (this.#find(stream.id) !== undefined) {
        throw new TangazaError(
          'CONFLICT',
          `There is a stream ${stream.id} already: choose another id or leave it out.`,
        );
      }
      const afterRemovalMs = this.#mustBeFree(stream);
      this.#run(
        `INSERT INTO streams (id, title, ladder, keyHash, keySalt, createdAtMs, updatedAtMs, afterRemovalMs, createdKeyHash, titleAtMs,
           ladderAtMs, keyAtMs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          ...[
            stream.id,
            stream.title,
            stream.ladder,
            stream.keyHash,
            stream.keySalt,
            stream.nowMs,
            stream.nowMs,
          ],
          ...[afterRemovalMs, stream.keyHash, stream.nowMs, stream.nowMs, stream.nowMs],
        ],
      );
      this.#remember(stream.request, stream.id, stream.nowMs);
      const { id, title, ladder, nowMs } = stream;
      return {
        entry: { id, title, ladder, createdAtMs: nowMs, updatedAtMs: nowMs },
        keySalt: stream.keySalt,
      };
    });
  }

  get(id: StreamId): Promise<StreamEntry | undefined> {
    return this.#whenFree(() => this.#find(id));
  }

  list(limit: number, after?: StreamPlace): Promise<readonly StreamEntry[]> {
    const where = after === undefined ? '' : 'WHERE (createdAtMs, id) < (?, ?)';
    const place = after === undefined ? [] : [after.createdAtMs, after.id];
    const query = `SELECT * FROM streams ${where} ORDER BY createdAtMs DESC, id DESC LIMIT ?`;
    return this.#whenFree(() => this.#all(query, [...place, limit]).map((row) => toEntry(row)));
  }

  claim(request: IdempotentRequest, nowMs: number): Promise<Answer> {
    return this.#inTransaction(() => {
      const answer = this.#answerTo(request, nowMs);
      if (answer.kind !== 'new') return answer;
      // The stream that it made before its node died stays with it.
      const claimed = this.#run('UPDATE idempotency SET atMs = ?, fingerprint = ? WHERE key = ?', [
        nowMs,
        request.fingerprint,
        request.key,
      ]);
      if (claimed === 0) this.#remember(request, '', nowMs);
      return answer;
    });
  }

  settle({ key, fingerprint }: IdempotentRequest, nowMs: number, reply: string | undefined): Promise<void> {
    return this.#whenFree(() => {
      if (reply === undefined)
        this.#run('DELETE FROM idempotency WHERE key = ? AND fingerprint = ?', [key, fingerprint]);
      else
        this.#run('UPDATE idempotency SET reply = ?, atMs = ? WHERE key = ? AND fingerprint = ?', [
          reply,
          nowMs,
          key,
          fingerprint,
        ]);
    });
  }

  update(
    id: StreamId,
    change: { title?: string; ladder?: string },
    nowMs: number,
  ): Promise<StreamEntry | undefined> {
    return this.#inTransaction(() => {
      for (const field of ['title', 'ladder'] as const) {
        const value = change[field];
        if (value === undefined) continue;
        this.#run(`UPDATE streams SET ${field} = ?, ${laterBy(field)} WHERE id = ?`, [value, nowMs, id]);
      }
      this.#run('UPDATE streams SET updatedAtMs = ? WHERE id = ?', [nowMs, id]);
      return this.#find(id);
    });
  }

  rotateKey(
    id: StreamId,
    { keyHash, keySalt }: { keyHash: string; keySalt: string },
    nowMs: number,
  ): Promise<StreamEntry | undefined> {
    return this.#whenFree(() => {
      const sets = `keyHash = ?, keySalt = ?, ${laterBy('key')}, updatedAtMs = ?`;
      this.#run(`UPDATE streams SET ${sets} WHERE id = ?`, [keyHash, keySalt, nowMs, nowMs, id]);
      return this.#find(id);
    });
  }

  remove(id: StreamId, nowMs: number): Promise<boolean> {
    return this.#inTransaction(() => {
      this.#run(
        `INSERT OR REPLACE INTO removed (id, keyHash, removedAtMs)
           SELECT id, keyHash, max(?, afterRemovalMs + 1) FROM streams WHERE id = ?`,
        [nowMs, id],
      );
      this.#forgetRemoved(nowMs);
      return this.#run('DELETE FROM streams WHERE id = ?', [id]) > 0;
    });
  }

  removed(id: StreamId, nowMs: number): Promise<RemovedStream | undefined> {
    return this.#whenFree(() => this.#findRemoved(id, nowMs));
  }

  removedWithKeyHash(keyHash: string, nowMs: number): Promise<RemovedStream | undefined> {
    const values = [keyHash, nowMs - removedKeptMs];
    return this.#whenFree(
      () =>
        this.#allRemoved('keyHash = ? AND removedAtMs > ?', values)[0] ??
        this.#changes.lostWithKeyHash(keyHash, nowMs),
    );
  }

  removedSince(sinceMs: number): Promise<readonly RemovedStream[]> {
    return this.#whenFree(() => this.#allRemoved('(removedAtMs >= ? OR heardAtMs >= ?)', [sinceMs, sinceMs]));
  }

  findByKeyHash(keyHash: string): Promise<StreamEntry | undefined> {
    return this.#whenFree(() => this.#one('SELECT * FROM streams WHERE keyHash = ?', [keyHash]));
  }

  databaseId(): Promise<string> {
    return this.#whenFree(() => this.#changes.databaseId());
  }

  changes(query: ChangesQuery): Promise<Changes<RegistryChange>> {
    return this.#whenFree(() => this.#changes.changes(query));
  }

  known(query: StreamQuery): Promise<readonly RegistryChange[]> {
    return this.#whenFree(() => this.#changes.known(query));
  }

  cursor(region: RegionId): Promise<ChangesQuery> {
    return this.#whenFree(() => this.#changes.cursor(region));
  }

  take(region: RegionId, answer: Changes<RegistryChange>, askedAtMs: number): Promise<Taken> {
    return this.#inTransaction(() => this.#changes.take(region, answer, askedAtMs));
  }

  learn(known: readonly RegistryChange[], query: StreamQuery, nowMs: number): Promise<Taken> {
    return this.#inTransaction(() => this.#changes.learnAsked(known, query, nowMs));
  }

  pulled() {
    return this.#whenFree(() => this.#changes.pulled());
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  #inTransaction<T>(work: () => T): Promise<T> {
    return this.#file.inTransaction(work);
  }

  #whenFree<T>(work: () => T): Promise<T> {
    return this.#file.whenFree(work);
  }

  #find(id: StreamId): StreamEntry | undefined {
    return this.#one('SELECT * FROM streams WHERE id = ?', [id]);
  }

  #findRemoved(id: StreamId, nowMs: number): RemovedStream | undefined {
    return this.#allRemoved('id = ? AND removedAtMs > ?', [id, nowMs - removedKeptMs])[0];
  }

  #allRemoved(condition: string, values: (string | number)[]): readonly RemovedStream[] {
    const query = `SELECT id, removedAtMs FROM removed WHERE ${condition} ORDER BY removedAtMs DESC LIMIT ${removedTold}`;
    return this.#all(query, values).map((row) => RemovedRow.parse(row));
  }

  /** @returns when the stream that had the id was removed; 0 where there was none */
  #mustBeFree({ id, nowMs, mayRevive }: NewStream): number {
    const removed = this.#findRemoved(id, nowMs);
    if (removed !== undefined && mayRevive !== true) {
      const day = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
      throw new TangazaError(
        'CONFLICT',
        `There was a stream ${id}, removed on ${day(removed.removedAtMs)}: its id stays taken until ${day(removed.removedAtMs + removedKeptMs)}, because its links are still in use. Choose another id or leave it out.`,
      );
    }
    const [former] = this.#all('SELECT removedAtMs FROM removed WHERE id = ?', [id]);
    this.#run('DELETE FROM removed WHERE id = ?', [id]);
    return Number(former?.['removedAtMs'] ?? 0);
  }

  #forgetRemoved(nowMs: number): void {
    const forget = `DELETE FROM removed WHERE id IN (SELECT id FROM removed`;
    const order = `ORDER BY removedAtMs DESC LIMIT ${forgottenAtOnce}`;
    this.#run(`${forget} WHERE removedAtMs <= ? ${order})`, [nowMs - removedKeptMs]);
    this.#run(`${forget} ${order} OFFSET ${maxRemoved})`, []);
  }

  #madeBefore({ request, nowMs }: NewStream): { entry: StreamEntry; keySalt: string } | undefined {
    if (request === undefined) return undefined;
    this.#answerTo(request, nowMs);
    const [row] = this.#all(
      'SELECT s.* FROM idempotency i JOIN streams s ON s.id = i.streamId WHERE i.key = ?',
      [request.key],
    );
    return row === undefined ? undefined : { entry: toEntry(row), keySalt: SaltRow.parse(row).keySalt };
  }

  #answerTo(request: IdempotentRequest, nowMs: number): Answer {
    this.#run('DELETE FROM idempotency WHERE atMs < ?', [nowMs - dayMs]);
    const [row] = this.#all('SELECT atMs, fingerprint, reply FROM idempotency WHERE key = ?', [request.key]);
    return answerOf(request, row === undefined ? undefined : AnswerRow.parse(row), nowMs);
  }

  #remember(request: IdempotentRequest | undefined, streamId: string, nowMs: number): void {
    if (request === undefined) return;
    this.#run('INSERT OR REPLACE INTO idempotency (key, streamId, atMs, fingerprint) VALUES (?, ?, ?, ?)', [
      request.key,
      streamId,
      nowMs,
      request.fingerprint,
    ]);
  }

  #run(sql: string, values: readonly Value[]): number {
    return this.#file.run(sql, values);
  }

  #all(sql: string, values: readonly Value[]): readonly FileRow[] {
    return this.#file.all(sql, values);
  }

  #one(sql: string, values: readonly Value[]): StreamEntry | undefined {
    const [row] = this.#all(sql, values);
    return row === undefined ? undefined : toEntry(row);
  }
}

/** The time of a write is later than that of the one that it replaces, also where the clock is behind (R12). */
const laterBy = (field: 'title' | 'ladder' | 'key'): string =>
  `${field}AtMs = max(?, coalesce(${field}AtMs, updatedAtMs) + 1)`;

function toEntry(row: FileRow): StreamEntry {
  return Row.parse(row);
}
