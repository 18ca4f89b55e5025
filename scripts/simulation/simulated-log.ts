/**
 * The region's index log and ownership records as the simulator keeps them, with what must always hold (`cluster/README.md`).
 *
 * I1. In each stream's log epochs never decrease, and one epoch has one node and boot.
 * I2. Each source is in the log once and is decided once, in order; numbers go on from each decision to the next: none is missing,
 *     none comes twice, none goes back.
 * I3. A record of ownership moves only away from a boot that is gone, or that was declared dead since it won that record.
 */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { BootId, NodeId, StreamId } from '../../cluster/model/ids.ts';
import type { OwnershipRecord } from '../../cluster/ownership/ownership-store.ts';
import type { FollowedLog } from './followed-log.ts';
import { Holdings } from './holdings.ts';
import { misfitOf, nothingWritten, withBody, type LogRecord, type Written } from './written.ts';

export interface LogState {
  sequence: number;
  tail: LogRecord | undefined;
  written: Written;
}

interface Kept {
  readonly record: OwnershipRecord | undefined;
  readonly revision: number;
}

const neverKept: Kept = { record: undefined, revision: 0 };
/** One of each for all, as their stacks say nothing and cost much. */
const fenced = new TangazaError('FENCED', 'simulated: the tail is another');
const conflict = new TangazaError('CONFLICT', 'simulated: the revision is another');

export interface LogChecks {
  /** Sabotage: every append is accepted, whatever it expects. */
  readonly isFenceBroken: boolean;
  readonly violate: (what: string) => void;
  readonly nowMs: () => number;
  /** Says whether this boot may lose what it won at that time. */
  readonly mayLose: (node: NodeId, bootId: BootId, wonAtMs: number) => boolean;
}

export class SimulatedLog {
  readonly holdings = new Holdings();
  /** Streams whose records are kept for edges to read. */
  readonly followed = new Map<StreamId, FollowedLog>();
  /** How often a record went from one node to another. */
  moves = 0;
  readonly #checks: LogChecks;
  readonly #logs = new Map<StreamId, LogState>();
  readonly #owners = new Map<string, string>();
  readonly #wonAtMs = new Map<StreamId, number>();

  constructor(checks: LogChecks) {
    this.#checks = checks;
  }

  of(stream: StreamId): LogState {
    const found = this.#logs.get(stream);
    if (found !== undefined) return found;
    const made: LogState = { sequence: 0, tail: undefined, written: nothingWritten };
    this.#logs.set(stream, made);
    return made;
  }

  /** @throws TangazaError `FENCED` */
  append(stream: StreamId, record: LogRecord, expected: number): number {
    const log = this.of(stream);
    if (log.sequence !== expected && !this.#checks.isFenceBroken) throw fenced;
    this.#check(stream, log, record);
    log.sequence += 1;
    log.tail = record;
    this.followed.get(stream)?.add(record, log.sequence);
    log.written = withBody(log.written, record.body);
    return log.sequence;
  }

  #check(stream: StreamId, { tail, written }: LogState, record: LogRecord): void {
    const { violate } = this.#checks;
    const { epoch, node, bootId, body } = record;
    if (tail !== undefined && epoch < tail.epoch)
      violate(`I1: ${stream} went back from epoch ${tail.epoch} to ${epoch} of ${node}`);
    if (tail?.epoch !== epoch || tail.bootId !== bootId) this.#checkOwner(stream, record);
    const misfit = misfitOf(written, body);
    if (misfit !== undefined) violate(`I2: ${stream} ${misfit}`);
  }

  #checkOwner(stream: StreamId, { epoch, node, bootId }: LogRecord): void {
    const key = `${stream} ${epoch}`;
    const owner = `${node} ${bootId}`;
    const known = this.#owners.get(key) ?? owner;
    this.#owners.set(key, owner);
    if (known !== owner)
      this.#checks.violate(`I1: epoch ${epoch} of ${stream} has two owners: ${known} and ${owner}`);
  }

  record(stream: StreamId): Kept {
    return this.holdings.of(stream) ?? neverKept;
  }

  /** @throws TangazaError `CONFLICT` */
  putRecord(stream: StreamId, record: OwnershipRecord, revision: number): number {
    const kept = this.record(stream);
    if (kept.revision !== revision) throw conflict;
    const former = kept.record;
    const { nowMs, mayLose, violate } = this.#checks;
    if (former !== undefined && former.owner !== record.owner) {
      this.moves += 1;
      if (!mayLose(former.owner, former.bootId, this.#wonAtMs.get(stream) ?? 0))
        violate(`I3: ${record.owner} took ${stream} from ${former.owner}, which is well`);
    }
    this.#wonAtMs.set(stream, nowMs());
    this.holdings.put(stream, record, revision + 1);
    return revision + 1;
  }
}
