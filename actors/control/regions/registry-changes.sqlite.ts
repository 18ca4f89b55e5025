/** The changes of the region's file of streams, for other regions; and what comes from them (R12). Its caller begins transactions. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  changesThatFit,
  mostChanges,
  type Changes,
  type ChangesQuery,
} from '../../../cluster/contract/regions/changes.ts';
import type { RegistryChange, StreamQuery, StreamState } from '../../../cluster/contract/regions/registry.ts';
import { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { RegistryFile, Row } from '../registry-file.sqlite.ts';
import { removedKeptMs, type RemovedStream } from '../stream-registry.ts';
import type { Pulled, Taken } from './registry-feed.ts';
import { joined, loserOf } from './registry-merge.ts';

const StreamRow = z.object({
  id: StreamId,
  title: z.string(),
  ladder: z.string(),
  keyHash: z.string(),
  keySalt: z.string(),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
  afterRemovalMs: z.number(),
  createdKeyHash: z.string(),
  titleAtMs: z.number(),
  ladderAtMs: z.number(),
  keyAtMs: z.number(),
});
const RemovedRow = z.object({ id: StreamId, keyHash: z.string(), removedAtMs: z.number() });
const LostRow = z.object({ id: StreamId, atMs: z.number() });
const ChangeRow = z.object({ seq: z.number(), id: StreamId });
const PullRow = z.object({
  region: RegionId,
  databaseId: z.string(),
  seq: z.number(),
  isWhole: z.number(),
  atMs: z.number().nullable(),
  mark: z.string().nullable(),
});
type PullRow = z.infer<typeof PullRow>;

/** A row of an earlier version that nobody has opened the file since; as the migration would fill it in. */
const columns = `id, title, ladder, keyHash, keySalt, createdAtMs, updatedAtMs, afterRemovalMs,
  coalesce(createdKeyHash, keyHash) AS createdKeyHash, coalesce(titleAtMs, updatedAtMs) AS titleAtMs,
  coalesce(ladderAtMs, updatedAtMs) AS ladderAtMs, coalesce(keyAtMs, updatedAtMs) AS keyAtMs`;

/** Close to the end of its time, one region may have forgotten a removal while another one has not: who made the id anew is right. */
const countsForMs = removedKeptMs - 3_600_000;
/** Of so many streams that lost their id the keys are remembered, for as long as those of removed ones. */
const mostLost = 1000;

const counts = (one: RegistryChange, nowMs: number): boolean =>
  one.kind === 'stream' || one.atMs > nowMs - countsForMs;

export class RegistryChanges {
  readonly #file: RegistryFile;

  constructor(file: RegistryFile) {
    this.#file = file;
  }

  databaseId(): string {
    const [row] = this.#file.all(`SELECT value FROM state WHERE name = 'databaseId'`, []);
    return z.object({ value: z.string() }).parse(row).value;
  }

  changes({ of, afterSeq, mark }: ChangesQuery): Changes<RegistryChange> {
    const databaseId = this.databaseId();
    // Read first: what another process writes meanwhile has a higher number, and is told again.
    const lastSeq = this.#lastSeq();
    // Who has read further than there is, or another change of that number, has read what a backup does not have.
    const isSame = mark === undefined || mark === this.#markOf(afterSeq);
    const isRead = of === databaseId && afterSeq <= lastSeq && isSame;
    const fromSeq = isRead ? afterSeq : 0;
    const rows = this.#file
      .all('SELECT seq, id FROM changes WHERE seq > ? ORDER BY seq LIMIT ?', [fromSeq, mostChanges])
      .map((row) => ChangeRow.parse(row));
    const told = changesThatFit(rows, ({ id }) => this.standing(id), { fromSeq, lastSeq });
    return { databaseId, ...told, mark: this.#markOf(told.toSeq) };
  }

  known(query: StreamQuery): readonly RegistryChange[] {
    const ids =
      'id' in query
        ? [query.id]
        : this.#file
            .all(
              `SELECT id FROM streams WHERE keyHash = ?1 UNION SELECT id FROM removed WHERE keyHash = ?1
                 UNION SELECT id FROM lost WHERE keyHash = ?1 LIMIT 10`,
              [query.keyHash],
            )
            .map((row) => StreamId.parse(row['id']));
    return ids.flatMap((id) => this.standing(id) ?? []);
  }

  standing(id: StreamId): RegistryChange | undefined {
    const [stream] = this.#file.all(`SELECT ${columns} FROM streams WHERE id = ?`, [id]);
    if (stream !== undefined) return streamOf(stream);
    const [removed] = this.#file.all('SELECT id, keyHash, removedAtMs FROM removed WHERE id = ?', [id]);
    return removed === undefined ? undefined : removedOf(removed);
  }

  cursor(region: RegionId): ChangesQuery {
    const pull = this.#pull(region);
    const by = this.databaseId();
    if (pull === undefined) return { by, afterSeq: 0 };
    const { databaseId: of, seq: afterSeq, mark } = pull;
    return { by, of, afterSeq, ...(mark === null ? {} : { mark }) };
  }

  take(region: RegionId, answer: Changes<RegistryChange>, askedAtMs: number): Taken {
    const taken = this.learn(answer.changes, askedAtMs);
    const former = this.#pull(region);
    const before = former?.databaseId === answer.databaseId ? former : undefined;
    const isWhole = before?.isWhole === 1 || answer.isAll;
    const atMs = answer.isAll ? askedAtMs : (before?.atMs ?? null);
    this.#file.run(
      'INSERT OR REPLACE INTO pulls (region, databaseId, seq, isWhole, atMs, mark) VALUES (?, ?, ?, ?, ?, ?)',
      [region, answer.databaseId, answer.toSeq, Number(isWhole), atMs, answer.mark ?? null],
    );
    return taken;
  }

  learn(known: readonly RegistryChange[], nowMs: number): Taken {
    const taken = {
      removed: new Set<StreamId>(),
      withOtherKey: new Set<StreamId>(),
      lost: new Set<StreamId>(),
      refused: new Set<StreamId>(),
    };
    for (const change of known.filter((one) => counts(one, nowMs))) {
      const outcome = this.#learnOne(change, nowMs);
      if (outcome !== undefined) taken[outcome].add(change.id);
    }
    const { removed, withOtherKey, lost, refused } = taken;
    return {
      removed: [...removed],
      withOtherKey: [...withOtherKey],
      lost: [...lost],
      refused: [...refused],
    };
  }

  /** @returns what of it concerns who publishes here */
  #learnOne(change: RegistryChange, nowMs: number): keyof Taken | undefined {
    const found = this.standing(change.id);
    const there = found !== undefined && counts(found, nowMs) ? found : undefined;
    const next = there === undefined ? change : joined(there, change);
    const loser = there === undefined ? undefined : loserOf(there, change);
    if (loser === change) this.#rememberLost(loser.key.hash, loser.id, nowMs);
    if (isDeepStrictEqual(next, found)) return undefined;
    if (!this.#put(next, nowMs)) return 'refused';
    if (loser !== undefined) this.#lose(loser, nowMs);
    return loser === undefined ? endOf(found, next) : 'lost';
  }

  /** What another region answered. Where it names a stream that has another key than was asked for, that key lost its id there. */
  learnAsked(known: readonly RegistryChange[], query: StreamQuery, nowMs: number): Taken {
    const taken = this.learn(known, nowMs);
    if ('keyHash' in query)
      for (const one of known)
        if (one.kind === 'stream' && one.key.hash !== query.keyHash)
          this.#rememberLost(query.keyHash, one.id, nowMs);
    return taken;
  }

  lostWithKeyHash(keyHash: string, nowMs: number): RemovedStream | undefined {
    const [row] = this.#file.all('SELECT id, atMs FROM lost WHERE keyHash = ? AND atMs > ?', [
      keyHash,
      nowMs - removedKeptMs,
    ]);
    if (row === undefined) return undefined;
    const { id, atMs } = LostRow.parse(row);
    return { id, removedAtMs: atMs, hasLostId: true };
  }

  pulled(): ReadonlyMap<RegionId, Pulled> {
    const rows = this.#file.all('SELECT * FROM pulls', []).map((row) => PullRow.parse(row));
    return new Map(
      rows.map(({ region, isWhole, atMs }) => [region, { isWhole: isWhole === 1, atMs: atMs ?? undefined }]),
    );
  }

  /** @returns false where the key is another stream's */
  #put(next: RegistryChange, nowMs: number): boolean {
    if (next.kind === 'removed') {
      this.#file.run('DELETE FROM streams WHERE id = ?', [next.id]);
      this.#file.run(
        'INSERT OR REPLACE INTO removed (id, keyHash, removedAtMs, heardAtMs) VALUES (?, ?, ?, ?)',
        [next.id, next.keyHash, next.atMs, nowMs],
      );
      return true;
    }
    const { id, title, ladder, key, created, afterRemovalMs, updatedAtMs } = next;
    const others = this.#file.all('SELECT id FROM streams WHERE keyHash = ? AND id <> ?', [key.hash, id]);
    if (others.length > 0) return false;
    this.#file.run('DELETE FROM removed WHERE id = ?', [id]);
    this.#file.run(
      `INSERT OR REPLACE INTO streams (id, title, ladder, keyHash, keySalt, createdAtMs, updatedAtMs, afterRemovalMs, createdKeyHash,
         titleAtMs, ladderAtMs, keyAtMs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        ...[id, title.value, ladder.value, key.hash, key.salt, created.atMs, updatedAtMs, afterRemovalMs],
        ...[created.keyHash, title.atMs, ladder.atMs, key.atMs],
      ],
    );
    return true;
  }

  /** A request that is repeated makes no stream of the other one: it hears that the id is taken. */
  #lose({ id, key }: StreamState, nowMs: number): void {
    this.#rememberLost(key.hash, id, nowMs);
    this.#file.run('DELETE FROM idempotency WHERE streamId = ?', [id]);
  }

  #rememberLost(keyHash: string, id: StreamId, nowMs: number): void {
    this.#file.run('INSERT INTO lost (keyHash, id, atMs) VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [
      keyHash,
      id,
      nowMs,
    ]);
    this.#file.run(
      'DELETE FROM lost WHERE atMs <= ? OR keyHash NOT IN (SELECT keyHash FROM lost ORDER BY atMs DESC LIMIT ?)',
      [nowMs - removedKeptMs, mostLost],
    );
  }

  #pull(region: RegionId): PullRow | undefined {
    const [row] = this.#file.all('SELECT * FROM pulls WHERE region = ?', [region]);
    return row === undefined ? undefined : PullRow.parse(row);
  }

  /** Undefined for a change from before there were marks, and where there is none. */
  #markOf(seq: number): string | undefined {
    const [row] = this.#file.all('SELECT mark FROM marks WHERE afterSeq < ? ORDER BY afterSeq DESC LIMIT 1', [
      seq,
    ]);
    return row === undefined ? undefined : z.string().parse(row['mark']);
  }

  #lastSeq(): number {
    const [row] = this.#file.all(`SELECT seq FROM sqlite_sequence WHERE name = 'changes'`, []);
    return Number(row?.['seq'] ?? 0);
  }
}

/** What ends with the change for who publishes the stream that was there. */
function endOf(
  found: RegistryChange | undefined,
  next: RegistryChange,
): 'removed' | 'withOtherKey' | undefined {
  if (found?.kind !== 'stream') return undefined;
  if (next.kind === 'removed') return 'removed';
  return found.key.hash === next.key.hash ? undefined : 'withOtherKey';
}

function streamOf(row: Row): RegistryChange {
  const stream = StreamRow.parse(row);
  const { id, title, ladder, keyHash, keySalt, createdAtMs, updatedAtMs, afterRemovalMs } = stream;
  return {
    kind: 'stream',
    id,
    afterRemovalMs,
    created: { atMs: createdAtMs, keyHash: stream.createdKeyHash },
    title: { value: title, atMs: stream.titleAtMs },
    ladder: { value: ladder, atMs: stream.ladderAtMs },
    key: { hash: keyHash, salt: keySalt, atMs: stream.keyAtMs },
    updatedAtMs,
  };
}

function removedOf(row: Row): RegistryChange {
  const { id, keyHash, removedAtMs } = RemovedRow.parse(row);
  return { kind: 'removed', id, atMs: removedAtMs, keyHash };
}
