/**
 * Finds owners that do not work although their node answers, and fences them by taking the stream over (C3).
 *
 * A session reports when it has waited a while for its owner's answer, or for the log to show what the owner accepted.
 * It reports to the stream actor of its own node, each second, until the wait is over. That actor then looks for
 * itself.
 *
 * L1. The owner is fenced only when log and record could be read at each look and neither has changed for 6 s. A log
 *     that cannot be read is evidence against nobody (C8).
 * L2. The session's node takes the stream. Where that node is the owner itself, or drains, the next in line takes it.
 *
 * The actor keeps one entry for each stream with a waiting session here, and forgets it when nobody waits any more.
 */
import type { AdoptParams, StandsStillReply } from '../../../cluster/contract/stream-actions.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Epoch, NodeId, StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import type { OwnershipRecord, OwnershipStore } from '../../../cluster/ownership/ownership-store.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

export const standstillMs = 6000;
/** Sessions that wait ask each second. After a longer pause the count begins again. */
const longestPauseMs = 3000;

export interface StandstillPorts {
  readonly node: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: IndexLog;
  readonly ownership: OwnershipStore;
  /** Whether this node may take a stream over. */
  readonly mayTake: () => boolean;
  /** The nodes that would take the stream over, best first, without this node. */
  readonly successors: (stream: StreamId) => Promise<readonly NodeId[]>;
  readonly adopt: (node: NodeId, params: AdoptParams) => Promise<unknown>;
}

interface Seen {
  readonly sequence: number;
  readonly epoch: Epoch;
  readonly sinceMs: number;
  readonly askedMs: number;
}

export class Standstills {
  readonly #ports: StandstillPorts;
  readonly #seen = new Map<StreamId, Seen>();

  constructor(ports: StandstillPorts) {
    this.#ports = ports;
  }

  /**
   * Looks at a stream for which a session here waits (L1).
   *
   * @returns who owns the stream now, if this look changed it
   */
  async look(stream: StreamId): Promise<StandsStillReply> {
    this.#forgetOld();
    const found = await this.#read(stream);
    const nowMs = this.#ports.clock.runningMs();
    if (found === undefined) {
      this.#seen.delete(stream);
      return {};
    }
    const { record, sequence } = found;
    const seen = this.#seen.get(stream);
    const isSame = seen?.sequence === sequence && seen.epoch === record.epoch;
    const sinceMs = isSame ? seen.sinceMs : nowMs;
    this.#seen.set(stream, { sequence, epoch: record.epoch, sinceMs, askedMs: nowMs });
    if (nowMs - sinceMs < standstillMs) return {};
    this.#seen.delete(stream);
    return { owner: await this.#fence(stream, record) };
  }

  /** Undefined when the log or the record cannot be read, and for a broadcast that is over (L1). */
  async #read(stream: StreamId) {
    const { log, ownership, logger } = this.#ports;
    try {
      const [tail, { record }] = await Promise.all([log.tail(stream), ownership.get(stream)]);
      if (tail === undefined || record === undefined || tail.record.kind === 'end') return undefined;
      return { record, sequence: tail.sequence };
    } catch (error) {
      logger.debug({ stream, code: errorCodeOf(error) }, 'could not read whether the log stands still');
      return undefined;
    }
  }

  /**
   * Has the right node take the stream over (L2).
   *
   * @throws TangazaError `NOT_OWNER` when another was faster; `UNAVAILABLE`
   */
  async #fence(stream: StreamId, { owner, epoch }: OwnershipRecord): Promise<NodeId> {
    const { node, mayTake, successors, adopt, logger } = this.#ports;
    const to = owner !== node && mayTake() ? node : (await successors(stream)).find((one) => one !== owner);
    if (to === undefined)
      throw new TangazaError(
        'UNAVAILABLE',
        `${stream} stands still at ${owner}, and nobody else could own it.`,
      );
    const reason = `the log stood still for ${standstillMs / 1000} s (${owner})`;
    logger.warn({ stream, owner, epoch, to }, 'the owner stands still; another node takes the stream over');
    await adopt(to, { streamId: stream, from: owner, epoch, reason, sessions: [] });
    return to;
  }

  #forgetOld(): void {
    const beforeMs = this.#ports.clock.runningMs() - longestPauseMs;
    for (const [stream, { askedMs }] of this.#seen) if (askedMs < beforeMs) this.#seen.delete(stream);
  }
}
