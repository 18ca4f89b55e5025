/**
 * Finds a new owner for streams whose owner is gone (C2).
 *
 * Rendezvous with bounded load decides who is in line (C4), so every node arrives at the same line. Compare-and-set and
 * the log's fence decide who wins, whatever the waits: two nodes that try at once do no harm (C1). A node that holds a
 * session of the stream attaches at once and so takes the stream over without waiting in line.
 *
 * U1. The others wait for their place in line: 300 ms, and 700 ms more for each node before them. Then they look at the
 *     record again.
 * U2. Every 5 s the node looks through the records for owners that no longer live, in case a death was missed. It also
 *     finds what it has won without knowing it, because the answer to its claim was lost (found by the simulator, seed
 *     5).
 * U3. A broadcast that has ended needs no new owner: the next publish claims it. Its owner, or the next in line, writes
 *     into the record that it has ended. From then on the record counts as no load (C4), and nobody looks at it again. So it is where
 *     another region has the stream now, as the log's head is relayed (R4).
 * U4. The same look finds streams that this node owns and no record names (own-records.ts).
 * U5. Where the record cannot be read, the log's head says who owns the stream (take-over.ts T5). A dead owner's stream
 *     is an orphan; a living owner writes its record again (U4).
 *     Where that head is relayed, the owner is of another region, and no death in this one (R4).
 * U6. A node that waits in line costs a timer, and does not count against the bound on adoptions. One node may leave
 *     hundreds of orphans, and those that others will take must not hold up our own.
 */
import { Gate } from '../../../cluster/bounds/gate.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import type { BootId, NodeId, StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import type { OwnershipRecord, OwnershipStore } from '../../../cluster/ownership/ownership-store.ts';
import { adoptionWaitMs, lineOf, loadsOf, type Candidate } from '../../../cluster/ownership/succession.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { holderOf } from '../../../cluster/ownership/take-over.ts';
import { restoreRecords, type OwnStream } from '../owner/own-records.ts';

const lookEveryMs = 5000;
/** Adoptions at once, each of some requests to NATS. Further ones wait (U6). */
const maxAtOnce = 32;
/** Orphans that wait in line or for an adoption. The next look finds the rest (U2). */
const maxWaiting = 10_000;

export interface OrphanPorts {
  readonly node: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: IndexLog;
  readonly ownership: OwnershipStore;
  readonly candidates: () => readonly Candidate[];
  readonly isAlive: (node: NodeId, bootId: BootId) => boolean;
  readonly isActive: (stream: StreamId) => boolean;
  /** The streams that this node owns, without those that it is taking over. */
  readonly own: () => readonly OwnStream[];
  readonly bootId: BootId;
  /** Takes the stream over; refuses when somebody owns it again. */
  readonly adopt: (stream: StreamId, reason: string) => Promise<unknown>;
}

export class Orphans {
  readonly #ports: OrphanPorts;
  readonly #underWay = new Set<StreamId>();
  readonly #gate = new Gate({ about: 'an adoption', running: maxAtOnce, waiting: maxWaiting });
  readonly #ending = new AbortController();
  #stopLooking: (() => void) | undefined;

  constructor(ports: OrphanPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#stopLooking = this.#ports.clock.every(lookEveryMs, () => this.look());
  }

  stop(): void {
    this.#stopLooking?.();
    this.#ending.abort();
  }

  /** How many orphans wait in line or are being adopted. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Looks through all records for orphans and for lost records; also called after a death (U2, U4). */
  async look(): Promise<void> {
    try {
      const { records, unreadable } = await this.#ports.ownership.list();
      const loads = loadsOf(records);
      for (const [stream, record] of records) this.#lineUp(stream, record, loads);
      await restoreRecords(this.#ports.own(), records, this.#ports, this.#ending.signal);
      await this.#lineUpUnreadable(unreadable, loads);
    } catch (error) {
      this.#ports.logger.debug({ code: errorCodeOf(error) }, 'cannot look for orphaned streams now');
    }
  }

  /** Takes the owner from the log's head for streams whose record cannot be read (U5). */
  async #lineUpUnreadable(streams: readonly StreamId[], loads: ReadonlyMap<NodeId, number>): Promise<void> {
    for (const stream of streams) {
      if (this.#ending.signal.aborted) return;
      const tail = await this.#ports.log.tail(stream);
      const holder = tail?.record.home === undefined ? holderOf(undefined, tail) : undefined;
      if (holder !== undefined) this.#lineUp(stream, holder, loads);
    }
  }

  /** Waits in line for an orphan, unless the stream is none. */
  #lineUp(stream: StreamId, record: OwnershipRecord, loads: ReadonlyMap<NodeId, number>): void {
    const { node, candidates, logger } = this.#ports;
    if (!this.#isOrphan(stream, record) || this.#underWay.has(stream)) return;
    const place = this.#isOwn(record) ? 0 : lineOf(stream, candidates(), loads).indexOf(node);
    if (place < 0 || this.#underWay.size >= maxWaiting || this.#ending.signal.aborted) return;
    this.#underWay.add(stream);
    void this.#adoptLater(stream, record, place)
      .catch((error: unknown) => {
        const code = errorCodeOf(error);
        if (code !== 'NOT_OWNER' && code !== 'CONFLICT' && !this.#ending.signal.aborted)
          logger.warn({ stream, err: error }, 'could not adopt an orphaned stream');
      })
      .finally(() => this.#underWay.delete(stream));
  }

  #isOwn({ owner, bootId }: OwnershipRecord): boolean {
    return owner === this.#ports.node && bootId === this.#ports.bootId;
  }

  #isOrphan(stream: StreamId, record: OwnershipRecord): boolean {
    if (record.endedAt !== undefined) return false;
    const { isAlive, isActive } = this.#ports;
    // A node that was declared dead takes up nothing, not even its own streams: the others are in line.
    return isAlive(record.owner, record.bootId)
      ? this.#isOwn(record) && !isActive(stream)
      : !this.#isOwn(record);
  }

  /** Waits for this node's place in line, then looks at the record again (U1, U6). */
  async #adoptLater(stream: StreamId, record: OwnershipRecord, place: number): Promise<void> {
    const { signal } = this.#ending;
    await this.#ports.clock.sleep(adoptionWaitMs(place), signal);
    await this.#gate.run(() => this.#adoptNow(stream, record), signal);
  }

  /** Takes the stream over, or writes down that its broadcast has ended (U3). */
  async #adoptNow(stream: StreamId, { epoch, owner }: OwnershipRecord): Promise<void> {
    const { clock, ownership, log, adopt } = this.#ports;
    const { record, revision } = await ownership.get(stream);
    const tail = await log.tail(stream);
    const holder = record ?? holderOf(undefined, tail);
    if (holder?.epoch !== epoch || !this.#isOrphan(stream, holder)) return;
    if (tail === undefined || tail.record.kind === 'end' || tail.record.home !== undefined) {
      const endedAt = new Date(clock.utcMs()).toISOString();
      await ownership.put(stream, { ...holder, endedAt }, revision);
    } else await adopt(stream, this.#isOwn(holder) ? holder.reason : `owner died (${owner})`);
  }
}
