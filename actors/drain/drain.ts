/**
 * Drains a node: it gives everything away and leaves (C2). Streams go first, then publishers, then the node itself.
 *
 * G1. The view says `draining` before anything moves, so that nothing new comes meanwhile; also for the last node.
 * G2. Streams are handed over by consent. Their publishers stay connected here and feed the new owners from afar.
 * G3. A publisher with a twin at another node is closed at its next keyframe. Another one is asked to connect
 *     elsewhere, if it understands that, and so becomes such a twin. Publishers that are left shortly before the bound
 *     are closed at a keyframe.
 * G4. The last node that could own streams drains only with `force`, because nobody could take over.
 * G5. At a stop, streams that nobody took over stay for a moment. Their publishers are closed first. The owner then
 *     waits for them, and for publishers at other nodes that stop as well, so that the unfinished ends of all are in
 *     the log. The next boot commits them.
 * G6. A stop whose streams were all taken over treats its publishers as a drain does (G3), in less time. When the nodes
 *     that took them stop as well, this node does not keep them waiting for what its publishers sent.
 * G7. Pages are asked to move their live sockets once the view says that this node drains, spread over a time that grows with their number
 *     (A9). The node waits for them that long, and for pages that do not understand it no longer.
 */
import type { HandOverPorts } from '../../cluster/contract/hand-over.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { NodeId, StreamId } from '../../cluster/model/ids.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { isOverWithin, within } from '../../cluster/time/within.ts';

export interface DrainPorts {
  readonly node: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long giving away may take, ms. The stop of the process follows. */
  readonly withinMs: number;
  /** Other nodes that may own streams. */
  readonly othersLeft: () => number;
  readonly setDraining: () => Promise<void>;
  /** The streams and the publishers of this node. */
  readonly local: Readonly<HandOverPorts>;
  /** Ends the process in order. */
  readonly exit: () => void;
}

/** A node's last seconds: publishers end their segment, and services stop. */
const lastMs = 5000;
/** For how long, at a stop, another node may try to hand over its streams before it closes its publishers. */
const sessionsGoneWithinMs = 3000;
/** For how long, at a stop, publishers are asked to leave; within the rest they are closed at a keyframe (G6). */
const partingMs = { asked: 1000, inAll: 3000 };
/** Over how long pages are spread as they move: so that at most 200 a second come to the other edges (G7). */
const moving = { leastMs: 1000, eachMs: 5 };
const lookEveryMs = 250;
const viewWithinMs = 1000;

export class Drain {
  readonly #ports: DrainPorts;
  #isDraining = false;
  /** Until when pages have time to move. */
  #movedMs = -Infinity;

  constructor(ports: DrainPorts) {
    this.#ports = ports;
  }

  /**
   * Begins to drain. The rest happens by itself within `withinMs`.
   *
   * @throws TangazaError `CONFLICT` when this is the last node and `force` is not set (G4), or when it drains already
   */
  begin({ isForced }: { readonly isForced: boolean }): { readonly withinSeconds: number } {
    const { node, othersLeft, withinMs, logger } = this.#ports;
    if (this.#isDraining) throw new TangazaError('CONFLICT', `${node} is draining already.`);
    if (othersLeft() === 0 && !isForced)
      throw new TangazaError(
        'CONFLICT',
        `${node} is the last node that could own streams: start another one first, or use --force to end what is on air.`,
      );
    this.#isDraining = true;
    void this.#run().catch((error: unknown) => {
      logger.error({ err: error }, 'the drain failed; the node stops all the same');
      this.#ports.exit();
    });
    return { withinSeconds: withinMs / 1000 };
  }

  /** The drain of a planned stop: hands streams over within `handOverMs`. What follows adds 4.5 s at most (G5, G6). */
  async leaveNow(handOverMs: number): Promise<void> {
    const { othersLeft, clock, local } = this.#ports;
    const { owners, publishers } = local;
    const left = await this.#giveAway(handOverMs, partingMs.asked);
    if (left.length > 0) await Promise.all([publishers.end(), owners.sessionsGone(sessionsGoneWithinMs)]);
    else {
      const beganMs = clock.runningMs();
      const mayWait = (ms: number): boolean => othersLeft() > 0 && clock.runningMs() < beganMs + ms;
      await this.#letPublishersGo(
        () => mayWait(partingMs.asked),
        () => mayWait(partingMs.inAll),
      );
    }
  }

  /**
   * Hands streams over by consent (G2). @returns streams that are still owned here
   *
   * @throws TangazaError `UNAVAILABLE` when the owners do not come back, so that nothing here holds the stop up
   */
  async #giveAway(withinMs: number, moveMs = withinMs): Promise<readonly StreamId[]> {
    const { local, clock, logger } = this.#ports;
    const endMs = clock.runningMs() + withinMs;
    this.#isDraining = true;
    await this.#announce(moveMs);
    const ms = Math.max(1, endMs - clock.runningMs());
    const left = await within(local.owners.handOver(ms), { clock, ms: ms + lastMs, late: refuseToWait });
    if (left.length > 0) logger.warn({ left }, 'streams are left here; their successors will find them');
    return left;
  }

  async #run(): Promise<void> {
    const { othersLeft, clock, withinMs, logger, exit } = this.#ports;
    const endMs = clock.runningMs() + withinMs - lastMs;
    if (othersLeft() > 0) await this.#giveAway(withinMs - lastMs);
    else await this.#announce(withinMs - lastMs);
    await this.#letPublishersGo(
      () => clock.runningMs() < endMs,
      () => clock.runningMs() < endMs + lastMs,
    );
    logger.info({}, 'the node has drained');
    exit();
  }

  /** Waits for pages that were asked to move, as long as they were given (G7). */
  async #waitForSockets(): Promise<void> {
    const { clock, local } = this.#ports;
    while (local.sockets.count() > 0 && clock.runningMs() < this.#movedMs) await clock.sleep(lookEveryMs);
  }

  /** Asks publishers whose twin feeds elsewhere to leave, and closes the rest just before the bound (G3). */
  async #letPublishersGo(mayAsk: () => boolean, mayWait: () => boolean): Promise<void> {
    const { clock, logger } = this.#ports;
    const { publishers } = this.#ports.local;
    while (publishers.count() > 0 && mayAsk()) {
      await publishers.askToLeave().catch((error: unknown) => {
        logger.warn({ err: error }, 'could not ask publishers to leave; they are closed at the bound');
      });
      await clock.sleep(lookEveryMs);
    }
    await this.#waitForSockets();
    publishers.closeAtKeyframe();
    while (publishers.count() > 0 && mayWait()) await clock.sleep(lookEveryMs);
  }

  /**
   * Tells the others that this node drains (G1), and then its pages (G7). Without NATS nobody could hear it, so the stop does not wait for that.
   *
   * @param moveMs how long pages may take at most
   */
  async #announce(moveMs: number): Promise<void> {
    const { setDraining, clock, logger, local } = this.#ports;
    logger.info({}, 'the node drains');
    const told = setDraining().catch((error: unknown) => {
      logger.warn({ err: error }, 'could not tell the other nodes that this node drains');
    });
    await isOverWithin(told, { clock, ms: viewWithinMs });
    const { sockets } = local;
    const spreadMs = Math.min(moveMs, moving.leastMs + moving.eachMs * sockets.count());
    if (sockets.askToMove(spreadMs) > 0) this.#movedMs = clock.runningMs() + spreadMs + lookEveryMs;
  }
}

function refuseToWait(): never {
  throw new TangazaError(
    'UNAVAILABLE',
    'The owners of this node have not given their streams away in time; successors will find the streams.',
  );
}
