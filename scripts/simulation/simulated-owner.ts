/**
 * The owner of a stream in the simulation: a model of the product's outbox (C1), as that needs media.
 *
 * It has one append under way at a time, and each expects the sequence of the owner's last one. When an append is refused or unanswered,
 * the tail decides. It writes every 10 s, which is less than in the product; every record is checked.
 */
import type { BootId, Epoch, NodeId, StreamId } from '../../cluster/model/ids.ts';
import type { SimulatedLog } from './simulated-log.ts';
import type { Process, World } from './world.ts';
import { nextBody, withBody, type LogRecord, type Written } from './written.ts';

export interface OwnerParts {
  readonly world: World;
  readonly log: SimulatedLog;
  readonly process: Process;
  readonly stream: StreamId;
  readonly author: { readonly epoch: Epoch; readonly node: NodeId; readonly bootId: BootId };
  readonly utcMs: () => number;
  readonly newRecordId: () => string;
  /** The number of the publisher's present connection. */
  readonly connection: () => number;
  /** The log belongs to another owner, and this one writes no more. */
  readonly onFenced: () => void;
}

type TailVerdict = 'fenced' | 'ours' | 'unchanged';

export class SimulatedOwner {
  readonly #parts: OwnerParts;
  #sequence: number;
  #written: Written;
  #isAppending = false;

  constructor(parts: OwnerParts, openSequence: number) {
    this.#parts = parts;
    this.#sequence = openSequence;
    this.#written = parts.log.of(parts.stream).written;
  }

  write(): void {
    if (this.#isAppending) return;
    this.#isAppending = true;
    const { world, log, process, stream, author, newRecordId, connection, utcMs } = this.#parts;
    const body = nextBody(this.#written, connection());
    const record: LogRecord = { ...author, recordId: newRecordId(), atMs: utcMs(), body };
    world.request(process, 'write', {
      apply: () => log.append(stream, record, this.#sequence),
      done: (sequence) => this.#take(record, sequence),
      failed: () => this.#readTail(record),
    });
  }

  #take({ body }: LogRecord, sequence: number): void {
    this.#sequence = sequence;
    this.#written = withBody(this.#written, body);
    this.#isAppending = false;
  }

  #readTail(record: LogRecord): void {
    const { world, process, onFenced } = this.#parts;
    world.request(process, 'read', {
      apply: () => this.#judgeTail(record),
      done: (verdict) => {
        this.#isAppending = false;
        if (verdict === 'fenced') onFenced();
        else if (verdict === 'ours') this.#take(record, this.#sequence + 1);
      },
      failed: () => {
        this.#isAppending = false;
      },
    });
  }

  #judgeTail({ recordId, epoch, bootId }: LogRecord): TailVerdict {
    const { tail } = this.#parts.log.of(this.#parts.stream);
    if (tail?.epoch !== epoch || tail.bootId !== bootId) return 'fenced';
    return tail.recordId === recordId ? 'ours' : 'unchanged';
  }
}
