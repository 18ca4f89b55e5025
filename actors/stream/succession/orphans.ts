/**
 * Streams whose owner is gone find another (C2).
 *
 * O1. A node that holds a session of the stream attaches at once and so takes it over itself. The others wait for their
 *     place in line: 300 ms, and 700 ms more for each one before them, and then look at the record again.
 * O2. Who is in line is decided by rendezvous with bounded load (C4), so every node arrives at the same line.
 * O3. Compare-and-set and the log's fence decide, whatever the waits: two that try at once do no harm (C1).
 * O4. Every 5 s records are looked through for owners that no longer live, in case a death was missed, and for what this
 *     node has won without knowing it: the answer to its claim was lost (found by the simulator, seed 5).
 * O5. A broadcast that has ended has no owner to mourn: the next publish claims it. Whoever finds that it has ended, its owner or the
 *     next in line, writes so into its record, which is no load from then on (C4) and is not asked for again.
 * O6. The same look finds what this node owns and no record says: own-records.ts.
 * O7. Where the record cannot be read, the log's head says who owns the stream (T5 of the take-over): one that is dead is
 *     mourned, a living one writes its record again (O6).
 * O8. Who waits in line costs a timer and is not counted against the bound on adoptions: a node may leave hundreds of orphans, and those
 *     that others will take must not hold up those that are ours.
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
/** Adoptions at once, each of some requests to NATS; the others wait for them (O8). */
const maxAtOnce = 32;
/** Waiting in line or for an adoption; the rest is found by the next look (O4). */
const maxMourned = 10_000;

export interface OrphanPorts {
  readonly node: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: IndexLog;
  readonly ownership: OwnershipStore;
  readonly candidates: () => readonly Candidate[];
  readonly isAlive: (node: NodeId, bootId: BootId) => boolean;
  readonly isActive: (stream: StreamId) => boolean;
  /** What this node owns, without what is being taken over. */
  readonly own: () => readonly OwnStream[];
  readonly bootId: BootId;
  /** Takes the stream over; refuses when it is owned again meanwhile. */
  readonly adopt: (stream: StreamId, reason: string) => Promise<unknown>;
}

export class Orphans {
  readonly #ports: OrphanPorts;
  readonly #underWay = new Set<StreamId>();
  readonly #gate = new Gate({ about: 'an adoption', running: maxAtOnce, waiting: maxMourned });
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

  /** Orphans that wait in line, or are being adopted. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** O4; also what follows a death. */
  async look(): Promise<void> {
    try {
      const { records, unreadable } = await this.#ports.ownership.list();
      const loads = loadsOf(records);
      for (const [stream, record] of records) this.#mourn(stream, record, loads);
      await restoreRecords(this.#ports.own(), records, this.#ports, this.#ending.signal);
      await this.#mournUnreadable(unreadable, loads);
    } catch (error) {
      this.#ports.logger.debug({ code: errorCodeOf(error) }, 'orphaned streams cannot be looked for now');
    }
  }

  /** Finds the owner of a stream whose record cannot be read by the log's head (O7). */
  async #mournUnreadable(streams: readonly StreamId[], loads: ReadonlyMap<NodeId, number>): Promise<void> {
    for (const stream of streams) {
      if (this.#ending.signal.aborted) return;
      const holder = holderOf(undefined, await this.#ports.log.tail(stream));
      if (holder !== undefined) this.#mourn(stream, holder, loads);
    }
  }

  #mourn(stream: StreamId, record: OwnershipRecord, loads: ReadonlyMap<NodeId, number>): void {
    const { node, candidates, logger } = this.#ports;
    if (!this.#isOrphan(stream, record) || this.#underWay.has(stream)) return;
    const place = this.#isOwn(record) ? 0 : lineOf(stream, candidates(), loads).indexOf(node);
    if (place < 0 || this.#underWay.size >= maxMourned || this.#ending.signal.aborted) return;
    this.#underWay.add(stream);
    void this.#adoptLater(stream, record, place)
      .catch((error: unknown) => {
        const code = errorCodeOf(error);
        if (code !== 'NOT_OWNER' && code !== 'CONFLICT' && !this.#ending.signal.aborted)
          logger.warn({ stream, err: error }, 'an orphaned stream could not be adopted');
      })
      .finally(() => this.#underWay.delete(stream));
  }

  #isOwn({ owner, bootId }: OwnershipRecord): boolean {
    return owner === this.#ports.node && bootId === this.#ports.bootId;
  }

  #isOrphan(stream: StreamId, record: OwnershipRecord): boolean {
    if (record.endedAt !== undefined) return false;
    const { isAlive, isActive } = this.#ports;
    // A node that was declared dead takes up nothing, not even its own: the others are in line.
    return isAlive(record.owner, record.bootId)
      ? this.#isOwn(record) && !isActive(stream)
      : !this.#isOwn(record);
  }

  /** Waits for this node's place in line, then looks at the record again (O1, O8). */
  async #adoptLater(stream: StreamId, record: OwnershipRecord, place: number): Promise<void> {
    const { signal } = this.#ending;
    await this.#ports.clock.sleep(adoptionWaitMs(place), signal);
    await this.#gate.run(() => this.#adoptNow(stream, record), signal);
  }

  /** Takes the stream over, unless its broadcast has ended (O5). */
  async #adoptNow(stream: StreamId, { epoch, owner }: OwnershipRecord): Promise<void> {
    const { clock, ownership, log, adopt } = this.#ports;
    const { record, revision } = await ownership.get(stream);
    const tail = await log.tail(stream);
    const holder = record ?? holderOf(undefined, tail);
    if (holder?.epoch !== epoch || !this.#isOrphan(stream, holder)) return;
    if (tail === undefined || tail.record.kind === 'end') {
      const endedAt = new Date(clock.utcMs()).toISOString();
      await ownership.put(stream, { ...holder, endedAt }, revision);
    } else await adopt(stream, this.#isOwn(holder) ? holder.reason : `owner died (${owner})`);
  }
}
