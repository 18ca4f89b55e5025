/**
 * What a stream's feed has to do with other regions that write into the same database and send no events (A7): one node of this region reads
 * for all (reading-turn.ts), and tells the others what it found. Where no other region writes there, this does nothing.
 */
import type { CommentId, NodeId, StreamId } from '../../../cluster/model/ids.ts';
import type { Gate } from '../../../cluster/bounds/gate.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { CountsElsewhere, lookBackMs, type ChangedCounts } from './changed-counts.ts';
import type { AudienceEvents } from '../feed/audience-events.ts';
import type { Change } from '../feed/change.ts';
import type { Sender } from '../feed/numbers.ts';
import { ReadingTurn } from './reading-turn.ts';

export interface OtherRegionsPorts {
  readonly node: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Pick<AudienceEvents, 'downMs'>;
  /** Bounds the reads. */
  readonly background: Gate;
  /** Other regions write into the same database, and send no events: one node of the region reads the store each second. */
  readonly isSharedByRegions: boolean;
  /** Whose likes or answers other regions have counted; absent where there are none. */
  readonly changedCounts?: ChangedCounts | undefined;
  /** They are counted here as well, and told. */
  readonly recount?: ((ids: readonly CommentId[]) => void) | undefined;
  /** Called for each change that the store had and nobody told: it came from another region. */
  readonly onFound: (change: Change) => void;
  /** Tells the other nodes that this one has read a stream up to that time, and told what it found. */
  readonly tellRead: (stream: StreamId, readToMs: number) => void;
}

export class OtherRegions {
  readonly #stream: StreamId;
  readonly #ports: OtherRegionsPorts;
  readonly #turn: ReadingTurn;
  readonly #counts = new CountsElsewhere();
  #isReadingCounts = false;

  constructor(stream: StreamId, ports: OtherRegionsPorts) {
    this.#stream = stream;
    this.#ports = ports;
    this.#turn = new ReadingTurn(stream, ports.node);
  }

  /** Whether another node of this region reads for this one. Without events each reads for itself. */
  get areReadElsewhere(): boolean {
    const { isSharedByRegions, events, clock } = this.#ports;
    return isSharedByRegions && events.downMs() === 0 && this.#turn.reliesOnOther(clock.runningMs());
  }

  /** Another node has read. @returns whether this one relies on it */
  heardRead(sender: Sender): boolean {
    return this.#turn.heard(sender, this.#ports.clock.runningMs());
  }

  /** This node has read all that was there, and told it. @param beganRunningMs when it began, in time of this process */
  hasRead(beganMs: number, beganRunningMs: number): void {
    if (!this.#ports.isSharedByRegions) return;
    this.#turn.hasRead(beganRunningMs);
    if (!this.areReadElsewhere) this.#ports.tellRead(this.#stream, beganMs);
  }

  /** The store had something that nobody told. */
  found(change: Change): void {
    if (this.#ports.isSharedByRegions) this.#ports.onFound(change);
  }

  /** Looks whose numbers other regions have changed, unless it does already. What cannot be read now is read in a second. */
  async readCounts(): Promise<void> {
    const { clock, changedCounts, recount, background, logger } = this.#ports;
    if (changedCounts === undefined || this.#isReadingCounts) return;
    this.#isReadingCounts = true;
    const nowMs = clock.utcMs();
    const read = () => changedCounts.elsewhereSince(this.#stream, nowMs - lookBackMs);
    const found = await background.run(read).catch((error: unknown) => {
      logger.debug(
        { err: error, stream: this.#stream },
        'changed counts were not read; they are in a second',
      );
      return [];
    });
    this.#isReadingCounts = false;
    recount?.(this.#counts.choose(found, nowMs));
  }
}
