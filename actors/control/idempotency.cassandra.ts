/** Which requests were made with which `Idempotency-Key`, in Cassandra. A key is claimed by a lightweight transaction, so by one node. */
import { z } from 'zod';
import type { Database } from '../../cluster/cassandra/database.cassandra.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import { answerOf, type Answer, type AnswerNote, type IdempotentRequest } from './idempotency.ts';

const dayMs = 86_400_000;
/** Cassandra forgets a key by itself, when it counts no more by any node's clock. */
const ttl = `USING TTL ${2 * (dayMs / 1000)}`;
/** Those who claim one key at once. */
const mostTries = 20;

const Row = z.object({
  fingerprint: z.string().nullable(),
  stream: z.union([StreamId, z.literal('')]).nullable(),
  reply: z.string().nullable(),
  at: z.date().nullable(),
});

interface Note extends AnswerNote {
  readonly stream: StreamId | undefined;
  /** As it is in the table, to be compared. */
  readonly at: Date;
  /** Older than a day: it counts no more, but its row is there. */
  readonly isOver: boolean;
}

interface Decided<T> {
  readonly answer: T;
  /** What is to be noted; undefined for nothing. */
  readonly note: { readonly stream: StreamId | undefined } | undefined;
}

export class IdempotencyTable {
  readonly #database: Pick<Database, 'agree' | 'readAgreed'>;

  constructor(database: Pick<Database, 'agree' | 'readAgreed'>) {
    this.#database = database;
  }

  /** @throws `IDEMPOTENCY_KEY_REUSED` */
  claim(request: IdempotentRequest, nowMs: number): Promise<Answer> {
    return this.#agree<Answer>(request, nowMs, (note) => {
      const answer = answerOf(request, note, nowMs);
      // The stream that it made before its node died stays with it.
      return { answer, note: answer.kind === 'new' ? { stream: note?.stream } : undefined };
    });
  }

  async settle(
    { key, fingerprint }: IdempotentRequest,
    nowMs: number,
    reply: string | undefined,
  ): Promise<void> {
    if (reply === undefined)
      await this.#database.agree('DELETE FROM idempotency WHERE key = ? IF fingerprint = ?', [
        key,
        fingerprint,
      ]);
    else
      await this.#database.agree(
        `UPDATE idempotency ${ttl} SET reply = ?, at = ? WHERE key = ? IF fingerprint = ?`,
        [reply, new Date(nowMs), key, fingerprint],
      );
  }

  /** The stream that the request made. @throws `IDEMPOTENCY_KEY_REUSED` */
  async streamOf(request: IdempotentRequest, nowMs: number): Promise<StreamId | undefined> {
    const note = await this.#read(request.key, nowMs);
    if (note === undefined || note.isOver) return undefined;
    answerOf(request, note, nowMs);
    return note.stream;
  }

  /** Notes which stream the request makes. */
  async take(request: IdempotentRequest, stream: StreamId, nowMs: number): Promise<void> {
    await this.#agree(request, nowMs, () => ({ answer: undefined, note: { stream } }));
  }

  /** Reads the note, and writes another one unless somebody else did so in between: then it begins anew. */
  async #agree<T>(
    { key, fingerprint }: IdempotentRequest,
    nowMs: number,
    decide: (note: Note | undefined) => Decided<T>,
  ): Promise<T> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const there = await this.#read(key, nowMs);
      const decided = decide(there?.isOver === true ? undefined : there);
      if (decided.note === undefined) return decided.answer;
      const values = [fingerprint, decided.note.stream ?? '', '', new Date(nowMs)];
      const rival =
        there === undefined
          ? await this.#database.agree(
              `INSERT INTO idempotency (fingerprint, stream, reply, at, key) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS ${ttl}`,
              [...values, key],
            )
          : await this.#database.agree(
              `UPDATE idempotency ${ttl} SET fingerprint = ?, stream = ?, reply = ?, at = ? WHERE key = ? IF at = ?`,
              [...values, key, there.at],
            );
      if (rival === undefined) return decided.answer;
    }
    throw new TangazaError('OVERLOADED', 'Too many use this Idempotency-Key at once: try again.');
  }

  async #read(key: string, nowMs: number): Promise<Note | undefined> {
    const query = 'SELECT fingerprint, stream, reply, at FROM idempotency WHERE key = ?';
    const [raw] = await this.#database.readAgreed(query, [key]);
    if (raw === undefined) return undefined;
    const { fingerprint, stream, reply, at } = Row.parse(raw);
    const when = at ?? new Date(0);
    return {
      atMs: when.getTime(),
      fingerprint,
      reply: reply === '' ? null : reply,
      stream: stream === '' || stream === null ? undefined : stream,
      at: when,
      isOver: when.getTime() < nowMs - dayMs,
    };
  }
}
