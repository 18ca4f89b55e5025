/**
 * Observes in which data centres the comments are that this node has acknowledged (A6). Only what a read of a data centre itself has found
 * counts: no event, and no acknowledgement of another one.
 *
 * Each data centre has rounds of its own, so one that is slow holds up no other one. Bound: it remembers the last 50,000 that were found.
 */
import type { CommentId } from '../../../cluster/model/ids.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { StoredComment } from '../store/comment-store.ts';
import { Pending, type DueRead, type Seen } from './pending.ts';
import type { ReplicaReads } from './replica-reads.ts';
import type { ReplicatedChange, Replication } from './replication.ts';
import { replicationMetrics, type ReplicationMetrics } from './replication-metrics.ts';

export interface ObserverPorts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly reads: ReplicaReads;
}

type Tell = (change: ReplicatedChange) => void;

const mostKnown = 50_000;
/** In one event to the other nodes. */
const mostTold = 500;

export class Observer implements Replication {
  readonly isOn = true;
  readonly #ports: ObserverPorts;
  readonly #metrics: ReplicationMetrics;
  readonly #pending = new Pending();
  readonly #known = new Set<CommentId>();
  readonly #looking = new Set<string>();

  constructor(ports: ObserverPorts) {
    this.#ports = ports;
    this.#metrics = replicationMetrics(ports.metrics);
  }

  watch(comment: StoredComment, keptIn: string | undefined): void {
    const { id, streamId, clientId, author, createdAtMs } = comment;
    if (this.has(id)) return;
    const acknowledged = { id, streamId, clientId, authorId: author.id, createdAtMs };
    const answer = this.#pending.add(acknowledged, keptIn, this.#ports.clock.monotonicMs());
    if (answer === 'full') this.#metrics.unwatched.add(1, { why: 'full' });
    else if (answer !== 'pending') this.#remember([answer]);
  }

  has(id: CommentId): boolean {
    return this.#known.has(id);
  }

  heard({ comments }: ReplicatedChange): void {
    for (const { id } of comments) this.#know(id);
  }

  async look(tell: Tell): Promise<void> {
    this.#metrics.unwatched.add(this.#pending.giveUp(this.#ports.clock.monotonicMs()), { why: 'late' });
    await Promise.all(this.#ports.reads.dataCentres.map((one) => this.#lookIn(one, tell)));
    this.#metrics.pending.set(this.#pending.size);
  }

  async #lookIn(dataCentre: string, tell: Tell): Promise<void> {
    if (this.#looking.has(dataCentre)) return;
    this.#looking.add(dataCentre);
    const due = this.#pending.due(dataCentre, this.#ports.clock.monotonicMs());
    await Promise.all(due.map((read) => this.#read(read, tell)));
    this.#looking.delete(dataCentre);
  }

  async #read(read: DueRead, tell: Tell): Promise<void> {
    const { clock, logger, reads } = this.#ports;
    const { dataCentre } = read;
    try {
      const there = await reads.there(read);
      this.#metrics.reads.add(1, { data_centre: dataCentre, outcome: 'done' });
      this.#saw(this.#pending.found(read, there, clock.monotonicMs()), tell);
    } catch (error) {
      this.#metrics.reads.add(1, { data_centre: dataCentre, outcome: 'failed' });
      this.#pending.failed(read, clock.monotonicMs());
      if (!['UNAVAILABLE', 'OVERLOADED'].includes(errorCodeOf(error)))
        logger.error({ err: error, dataCentre }, 'what a data centre has of the comments cannot be read');
    }
  }

  #saw(seen: readonly Seen[], tell: Tell): void {
    this.#remember(seen);
    const byStream = Map.groupBy(seen, ({ comment }) => comment.streamId);
    for (const [streamId, ofStream] of byStream)
      for (let first = 0; first < ofStream.length; first += mostTold) {
        const some = ofStream.slice(first, first + mostTold);
        const comments = some.map(({ comment: { id, clientId, authorId } }) => ({ id, clientId, authorId }));
        tell({ kind: 'replicated', streamId, comments });
      }
  }

  #remember(seen: readonly Seen[]): void {
    for (const { comment, afterMs } of seen) {
      this.#know(comment.id);
      this.#metrics.seconds.observe(afterMs / 1000);
    }
  }

  #know(id: CommentId): void {
    this.#known.delete(id);
    this.#known.add(id);
    const [oldest] = this.#known;
    if (this.#known.size > mostKnown && oldest !== undefined) this.#known.delete(oldest);
  }
}
