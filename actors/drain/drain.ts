/**
 * A node gives all away and leaves (C2): streams first, then publishers, then itself.
 *
 * G1. The view says `draining` before anything moves, so that nothing new comes while the old goes; of the last node, too.
 * G2. Streams are handed over by consent; their publishers stay connected here and feed the new owners from afar.
 * G3. A publisher with a twin at another node is closed at its next keyframe; another one is asked to connect elsewhere, if
 *     it understands that, and becomes such a twin. Who is left shortly before the bound is closed at a keyframe.
 * G4. The last node that could own streams drains only when told twice: nobody could take over.
 * G5. At a stop, what nobody took over stays for a moment: its publishers are closed first, and its owner waits for them and for
 *     those of other nodes that stop as well, so that the unfinished ends of all are in the log. The next boot commits them.
 * G6. A stop whose streams were all taken over does with its publishers what a drain does (G3), in less time; when those that took
 *     them leave as well, it does not keep them waiting for what its publishers sent.
 */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { NodeId, StreamId } from '../../cluster/model/ids.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Clock } from '../../cluster/time/clock.ts';

export interface DrainPorts {
  readonly node: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From the first word to the last of what is given away, ms; the stop of the process follows. */
  readonly withinMs: number;
  /** Others that may own streams. */
  readonly othersLeft: () => number;
  readonly setDraining: () => Promise<void>;
  /** @returns streams that are still owned here after `withinMs` */
  readonly handOver: (withinMs: number) => Promise<readonly StreamId[]>;
  /** G5: resolves when no session feeds a stream of this node any more, or after `withinMs`. */
  readonly sessionsGone: (withinMs: number) => Promise<void>;
  /** G5: closes the ingest; resolves when its sessions have brought what they have, or within its own bound. */
  readonly endPublishers: () => Promise<void>;
  /** Publishers that are connected here. */
  readonly publishers: () => Promise<number>;
  /** G3: those that have a twin elsewhere, or can connect elsewhere at our word. */
  readonly askPublishersToLeave: () => Promise<void>;
  /** Closes each publisher with a twin elsewhere at its next keyframe (G3). */
  readonly closePublishers: () => Promise<void>;
  /** Ends the process in order. */
  readonly exit: () => void;
}

/** Of a node that has no streams and no publishers. */
export const nothingToHandOver = {
  handOver: () => Promise.resolve([]),
  sessionsGone: () => Promise.resolve(),
  endPublishers: () => Promise.resolve(),
  publishers: () => Promise.resolve(0),
  askPublishersToLeave: () => Promise.resolve(),
  closePublishers: () => Promise.resolve(),
} satisfies Partial<DrainPorts>;

/** A node's last seconds: publishers end their segment, services stop. */
const lastMs = 5000;
/** Of a stop: another node may try for as long to hand its streams over before it closes its publishers. */
const sessionsGoneWithinMs = 3000;
/** Of a stop: publishers are asked for so long, and closed at a keyframe within the rest (G6). */
const partingMs = { asked: 1000, inAll: 3000 };
const lookEveryMs = 250;
const viewWithinMs = 1000;

export class Drain {
  readonly #ports: DrainPorts;
  #isDraining = false;

  constructor(ports: DrainPorts) {
    this.#ports = ports;
  }

  /**
   * Begins to drain; the rest happens by itself within `withinMs`.
   *
   * @throws TangazaError `CONFLICT` when this is the last node and it is not forced, or when it drains already
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
      logger.error({ err: error }, 'the drain failed; the node ends all the same');
      this.#ports.exit();
    });
    return { withinSeconds: withinMs / 1000 };
  }

  /** The drain of a planned stop: streams are handed over, within `handOverMs`; what follows adds 4.5 s at most (G5, G6). */
  async leaveNow(handOverMs: number): Promise<void> {
    const { endPublishers, sessionsGone, othersLeft, clock } = this.#ports;
    const left = await this.#giveAway(handOverMs);
    if (left.length > 0) await Promise.all([endPublishers(), sessionsGone(sessionsGoneWithinMs)]);
    else {
      const beganMs = clock.runningMs();
      const mayWait = (ms: number): boolean => othersLeft() > 0 && clock.runningMs() < beganMs + ms;
      await this.#letPublishersGo(
        () => mayWait(partingMs.asked),
        () => mayWait(partingMs.inAll),
      );
    }
  }

  /** @returns streams that are still owned here */
  async #giveAway(withinMs: number): Promise<readonly StreamId[]> {
    const { handOver, clock, logger } = this.#ports;
    const endMs = clock.runningMs() + withinMs;
    this.#isDraining = true;
    await this.#announce();
    const left = await handOver(Math.max(1, endMs - clock.runningMs()));
    if (left.length > 0) logger.warn({ left }, 'streams were left: their successors will find them');
    return left;
  }

  async #run(): Promise<void> {
    const { othersLeft, clock, withinMs, logger, exit } = this.#ports;
    const endMs = clock.runningMs() + withinMs - lastMs;
    if (othersLeft() > 0) await this.#giveAway(withinMs - lastMs);
    else await this.#announce();
    await this.#letPublishersGo(
      () => clock.runningMs() < endMs,
      () => clock.runningMs() < endMs + lastMs,
    );
    logger.info({}, 'the node has drained');
    exit();
  }

  /** Publishers whose twin feeds elsewhere go first; the rest just before the bound (G3). */
  async #letPublishersGo(mayAsk: () => boolean, mayWait: () => boolean): Promise<void> {
    const { clock, publishers, askPublishersToLeave, closePublishers, logger } = this.#ports;
    while ((await publishers()) > 0 && mayAsk()) {
      await askPublishersToLeave().catch((error: unknown) => {
        logger.warn({ err: error }, 'publishers could not be asked to leave; they are closed at the bound');
      });
      await clock.sleep(lookEveryMs);
    }
    await closePublishers();
    while ((await publishers()) > 0 && mayWait()) await clock.sleep(lookEveryMs);
  }

  /** G1. Without NATS nobody could hear it: the stop does not wait for it. */
  async #announce(): Promise<void> {
    const { setDraining, clock, logger } = this.#ports;
    logger.info({}, 'the node drains');
    const told = setDraining().catch((error: unknown) => {
      logger.warn({ err: error }, 'the others could not be told that this node drains');
    });
    const waiting = new AbortController();
    await Promise.race([told, clock.sleep(viewWithinMs, waiting.signal).catch(() => {})]);
    waiting.abort();
  }
}
