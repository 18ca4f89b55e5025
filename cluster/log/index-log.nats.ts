/**
 * Keeps the index log on JetStream (C1): one JetStream stream `IDX-{region}`, with one subject for each live stream.
 *
 * L1. An append names the last sequence of its subject and carries no message id. With an id, de-duplication would answer a
 *     stale writer with an old acknowledgement, and so hide the fence.
 * L2. No record ages out, and no limit of count removes one. A subject without any record accepts an expectation of 0 again.
 * L3. Reads ask the leader of the stream, never a replica (`allow_direct: false`).
 * L4. A follower keeps its own cursor. When anything happens to its consumer (the server is gone, the leader moved, heartbeats
 *     were missed), it throws the consumer away. A new one begins behind the cursor, so no record is lost and none comes twice.
 * L5. For each new consumer the follower first checks whether the log still has the record before the cursor. A log that was restored from
 *     a backup, or lost what was not on the disk yet, has it no longer: then the follower gives all records again. (The same
 *     happens after a purge of that record, which does no harm.)
 * L6. A JetStream stream that is gone together with its server's disk is made again, empty. The owners put back what they know
 *     (C7). Its sequences begin at 1 again. (Rejected: `first_seq`. nats-server 2.10.27 empties such a stream at its next
 *     start: its pull request 6753.)
 * L7. While a leader is elected nobody answers, and a request from that time is never answered. So a look is repeated every
 *     200 ms, and the first answer counts: each answer says what the log held after the look began.
 * L8. JetStream's metadata leader makes consumers. After a failure it may come back seconds later than the leader of the log.
 *     Until the consumer exists, the follower requests single records from the log.
 */
import { DeliverPolicy, jetstream, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import type { JetStreamClient, JetStreamManager, MsgRequest, StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { IndexRecord, type IndexEntry } from '../contract/index-records.ts';
import { subjects } from '../contract/subjects.ts';
import { errorCodeOf, TangazaError } from '../errors/tangaza-error.ts';
import type { RegionId, StreamId } from '../model/ids.ts';
import type { Logger } from '../observe/logger.ts';
import type { Counter, Histogram, Metrics } from '../observe/metrics.ts';
import { askingAgain, isStreamGone, isWrongRevision, reasonOf } from '../nats/asking.nats.ts';
import { consume, pauseAfter } from '../nats/consume.nats.ts';
import type { FollowItem, IndexLog } from './index-log.ts';
import { LogCursor, type Consumed } from './log-cursor.ts';

/** The time-out of each request to the server. */
const requestTimeoutMs = 2000;
/** The time-out of one look (L7). */
const lookTimeoutMs = 800;
const lookAgainMs = 200;
/** How many records a follower requests before it checks again for its consumer (L8). */
const askAtOnce = 16;
/** The longest pause between two consumers of one follower. Each consumer begins with a look, and the pause bounds what looks cost. */
const pauseMaxMs = 250;

export interface NatsIndexLogOptions {
  readonly connection: NatsConnection;
  readonly region: RegionId;
  /** How many servers keep a copy; 3 in production. */
  readonly replicas?: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Opens the region's log and makes its stream if there is none. @throws TangazaError `LOG_UNAVAILABLE` */
export async function openNatsIndexLog(options: NatsIndexLogOptions): Promise<IndexLog> {
  try {
    const manager = await jetstreamManager(options.connection, { timeout: requestTimeoutMs });
    const { domain } = await manager.getAccountInfo();
    const name = `${subjects.indexStream}-${options.region}`;
    await ensureStream(manager, name, options);
    const looks = await jetstreamManager(options.connection, { timeout: lookTimeoutMs, checkAPI: false });
    return new NatsIndexLog(options, { manager, looks }, { name, domain });
  } catch (error) {
    throw unavailable('the index log cannot be opened', error);
  }
}

/** Makes the JetStream stream, or gives it these settings: nothing ages out (L2), and reads ask the leader (L3). */
async function ensureStream(
  manager: JetStreamManager,
  name: string,
  options: NatsIndexLogOptions,
): Promise<void> {
  const vital = {
    subjects: [subjects.allIndexes(options.region)],
    allow_direct: false,
    max_age: 0,
    max_msgs: -1,
    max_bytes: -1,
    max_msgs_per_subject: -1,
  };
  const found = await manager.streams.info(name).catch((error: unknown) => {
    if (isStreamGone(error)) return undefined;
    throw error;
  });
  if (found !== undefined) {
    await manager.streams.update(name, vital);
    return;
  }
  await manager.streams.add({
    name,
    ...vital,
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    num_replicas: options.replicas ?? 1,
  });
}

class NatsIndexLog implements IndexLog {
  readonly #connection: NatsConnection;
  readonly #region: RegionId;
  readonly #logger: Logger;
  readonly #js: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #looks: JetStreamManager;
  readonly #ensure: () => Promise<void>;
  readonly #stream: { readonly name: string; readonly domain: string | undefined };
  readonly #appends: Counter;
  readonly #appendSeconds: Histogram;
  readonly #restarts: Counter;
  readonly #unreadable: Counter;

  constructor(
    options: NatsIndexLogOptions,
    { manager, looks }: { readonly manager: JetStreamManager; readonly looks: JetStreamManager },
    stream: { readonly name: string; readonly domain: string | undefined },
  ) {
    const { connection, region, logger, metrics } = options;
    this.#connection = connection;
    this.#region = region;
    this.#logger = logger;
    this.#manager = manager;
    this.#looks = looks;
    this.#js = jetstream(connection, { timeout: requestTimeoutMs });
    this.#stream = stream;
    this.#ensure = () => ensureStream(manager, stream.name, options);
    this.#appends = metrics.counter({
      name: 'tangaza_index_appends_total',
      help: 'Appends to the index log.',
      labels: ['outcome'],
    });
    this.#appendSeconds = metrics.histogram({
      name: 'tangaza_index_append_seconds',
      help: 'From an append to its acknowledgement.',
    });
    this.#restarts = metrics.counter({
      name: 'tangaza_index_follow_restarts_total',
      help: 'Followers that began again.',
    });
    this.#unreadable = metrics.counter({
      name: 'tangaza_index_unreadable_total',
      help: 'Records that cannot be read.',
    });
  }

  /** Appends behind the expected sequence, and sends no message id (L1). */
  async append(stream: StreamId, record: IndexRecord, expectedSequence: number): Promise<number> {
    // Nobody could read back a malformed record, and it would block the stream for ever. This is a programmer's error, so it is thrown
    // before the record is sent.
    const body = JSON.stringify(IndexRecord.parse(record));
    const startedMs = performance.now();
    try {
      const ack = await this.#js.publish(subjects.index(this.#region, stream), body, {
        timeout: requestTimeoutMs,
        expect: { lastSubjectSequence: expectedSequence, streamName: this.#stream.name },
      });
      // An acknowledgement from another stream or domain means that the record is not in this log (C10).
      if (
        ack.stream !== this.#stream.name ||
        (ack.domain || undefined) !== (this.#stream.domain || undefined)
      )
        throw new Error(`acknowledged by ${ack.stream} of domain ${ack.domain ?? '(none)'}`);
      this.#appends.add(1, { outcome: 'stored' });
      this.#appendSeconds.observe((performance.now() - startedMs) / 1000);
      return ack.seq;
    } catch (error) {
      const isFenced = isWrongRevision(error);
      this.#appends.add(1, { outcome: isFenced ? 'fenced' : 'unavailable' });
      if (!isFenced) throw unavailable(`append of ${record.kind} to ${stream}`, error);
      throw new TangazaError('FENCED', `${stream}: the log's tail is not ${expectedSequence}`, {
        cause: error,
      });
    }
  }

  async tail(stream: StreamId): Promise<IndexEntry | undefined> {
    try {
      const found = await this.#last(stream);
      return found === null ? undefined : { sequence: found.seq, record: IndexRecord.parse(found.json()) };
    } catch (error) {
      throw unavailable(`tail of ${stream}`, error);
    }
  }

  /** Reads the last record. A JetStream stream that is gone is made again, empty (L6). */
  async #last(stream: StreamId): Promise<StoredMsg | null> {
    try {
      return await this.#look({ last_by_subj: subjects.index(this.#region, stream) });
    } catch (error) {
      if (isStreamGone(error)) await this.#ensure();
      throw error;
    }
  }

  /** Repeats the look every 200 ms while nobody answers. The first answer counts (L7). */
  #look(query: MsgRequest): Promise<StoredMsg | null> {
    return askingAgain(() => this.#looks.streams.getMessage(this.#stream.name, query), lookAgainMs);
  }

  async read(stream: StreamId, fromSequence = 1, atMost = Infinity): Promise<readonly IndexEntry[]> {
    const entries: IndexEntry[] = [];
    const ending = new AbortController();
    try {
      const tail = await this.#last(stream);
      if (tail === null || tail.seq < fromSequence) return entries;
      for await (const item of this.#consume(stream, fromSequence, ending.signal)) {
        if (item.entry !== undefined) entries.push(item.entry);
        if (item.sequence >= tail.seq || entries.length >= atMost) return entries;
      }
    } catch (error) {
      throw unavailable(`read of ${stream}`, error);
    } finally {
      ending.abort();
    }
    throw unavailable(`read of ${stream} ended early`, undefined);
  }

  async *follow(stream: StreamId, fromSequence: number, signal: AbortSignal): AsyncIterable<FollowItem> {
    const cursor = new LogCursor(fromSequence);
    let failures = 0;
    while (!signal.aborted && !this.#connection.isClosed()) {
      try {
        const tail = await this.#last(stream);
        if (await this.#hasGoneBack(stream, cursor, tail)) {
          cursor.rewind();
          yield { wentBack: true };
        }
        cursor.aim(tail?.seq ?? 0);
        if (cursor.catchesUp()) yield { caughtUp: true };
        for await (const item of this.#consume(stream, cursor.next, signal)) {
          failures = 0;
          if (!cursor.pass(item)) continue;
          if (item.entry !== undefined) yield item.entry;
          if (cursor.catchesUp()) yield { caughtUp: true };
        }
      } catch (error) {
        this.#logger.debug({ stream, err: error }, 'a follower of the index log starts again');
      }
      if (signal.aborted) return;
      this.#restarts.add(1);
      await pauseAfter(failures, signal, pauseMaxMs);
      failures += 1;
    }
  }

  /** Says whether the log has lost the record before the cursor (L5). */
  async #hasGoneBack(stream: StreamId, { next, given }: LogCursor, tail: StoredMsg | null): Promise<boolean> {
    if (next === 1) return false;
    if ((tail?.seq ?? 0) < next - 1) return true;
    if (given === undefined || given.sequence !== next - 1) return false;
    const stored = await this.#look({ seq: given.sequence });
    const entry = stored === null ? undefined : this.#parse(stream, stored.seq, stored.data);
    return entry?.record.recordId !== given.record.recordId;
  }

  async purgeBelow(stream: StreamId, sequence: number): Promise<void> {
    try {
      await this.#manager.streams.purge(this.#stream.name, {
        filter: subjects.index(this.#region, stream),
        seq: sequence,
      });
    } catch (error) {
      throw unavailable(`purge of ${stream}`, error);
    }
  }

  /** Reads on behind its own cursor, and makes a new consumer after any fault (L4). */
  async *#consume(stream: StreamId, fromSequence: number, signal: AbortSignal): AsyncIterable<Consumed> {
    const source = { connection: this.#connection, js: this.#js, stream: this.#stream.name };
    const from = {
      filter_subjects: subjects.index(this.#region, stream),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: fromSequence,
    };
    let next = fromSequence;
    for await (const { seq, data } of consume(source, from, signal, () => this.#ask(stream, next))) {
      if (seq < next) continue;
      next = seq + 1;
      yield { sequence: seq, entry: this.#parse(stream, seq, data) };
    }
  }

  /** Requests single records from that sequence on, as long as there are more (L8). */
  async *#ask(stream: StreamId, fromSequence: number): AsyncIterable<StoredMsg> {
    const query = { seq: fromSequence, next_by_subj: subjects.index(this.#region, stream) };
    for (let asked = 0; asked < askAtOnce; asked += 1) {
      const found = await this.#look(query);
      if (found === null) return;
      yield found;
      query.seq = found.seq + 1;
    }
  }

  #parse(stream: StreamId, sequence: number, data: Uint8Array): IndexEntry | undefined {
    try {
      return { sequence, record: IndexRecord.parse(JSON.parse(Buffer.from(data).toString())) };
    } catch (error) {
      this.#unreadable.add(1);
      this.#logger.error(
        { stream, sequence, err: error },
        'a record of the index log cannot be read and is left out',
      );
      return undefined;
    }
  }
}

function unavailable(what: string, cause: unknown): TangazaError {
  if (cause instanceof TangazaError && errorCodeOf(cause) === 'LOG_UNAVAILABLE') return cause;
  return new TangazaError('LOG_UNAVAILABLE', `${what}: ${reasonOf(cause)}`, { cause });
}
