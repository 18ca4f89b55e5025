/**
 * Keeps a region's own database of comments level with those of other regions (A14): gives them what changes here, and takes what changes there.
 * An event only says that something has changed (A7).
 */
import type { Changes, ChangesQuery } from '../../../cluster/contract/regions/changes.ts';
import {
  commentChanges,
  commentsChanged,
  type CommentChange,
} from '../../../cluster/contract/regions/comments.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import { ChangePuller } from '../../../cluster/region/change-puller.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { clockWindow } from '../ids/client-id.ts';
import type { ChangeStore, ErasedUser, TakenChanges } from '../store/change-store.ts';
import type { ModerationStore } from '../store/moderation-store.ts';

export interface ToldChanges extends TakenChanges {
  readonly erased: readonly ErasedUser[];
  /** Where comments of those were emptied here. */
  readonly erasedIn: readonly StreamId[];
}

export interface CommentSyncPorts {
  readonly store: ChangeStore & Pick<ModerationStore, 'eraseUser'>;
  readonly others: OtherRegions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether this node is the one of its region that pulls. */
  readonly isMine: () => boolean;
  /** Tells the sockets and nodes of this region. It never rejects. */
  readonly tell: (taken: ToldChanges) => Promise<void>;
}

/** Other regions are told no more often that something has changed. */
const hintEveryMs = 50;
/** For so long an act that must be everywhere waits for the other regions. */
const everywhereMs = 3000;
const lookEveryMs = 50;

export class CommentSync {
  readonly #ports: CommentSyncPorts;
  readonly #puller: ChangePuller<CommentChange>;
  /** What regions said last, so that it is written down when it is another thing. */
  readonly #noted = new Map<RegionId, string>();
  #stops: readonly (() => void)[] = [];
  /** Whether all that was here before there were regions has its numbers. */
  #isNumbered = false;
  #isTelling = false;
  #isToTell = false;

  constructor(ports: CommentSyncPorts) {
    this.#ports = ports;
    this.#puller = new ChangePuller({
      ...ports,
      name: 'comments',
      call: commentChanges,
      hint: commentsChanged,
      database: {
        cursor: (region) => ports.store.cursor(region),
        take: (...taken) => this.#take(...taken),
      },
    });
  }

  start(): void {
    const { others } = this.#ports;
    this.#stops = [others.serve(commentChanges, (query, from) => this.#give(query, from))];
    this.#puller.start();
  }

  stop(): void {
    this.#puller.stop();
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  /** Something has changed here. */
  changed(): void {
    this.#isToTell = true;
    if (!this.#isTelling) void this.#tellOthers();
  }

  /** @throws TangazaError `UNAVAILABLE` with the regions that have not committed yet what has changed here until now */
  async mustBeEverywhere(): Promise<void> {
    const { store, others, clock } = this.#ports;
    const untilMs = clock.runningMs() + everywhereMs;
    // What changes from now on is not waited for: while people talk, that has no end.
    const seq = await store.lastChange();
    for (;;) {
      const behind = await store.behind(others.regions, seq);
      if (behind.length === 0) return;
      if (clock.runningMs() >= untilMs)
        throw new TangazaError(
          'UNAVAILABLE',
          `It is done in this region, and not yet in ${behind.join(', ')}: there it is done as soon as that can be reached. Ask again until all have done it.`,
        );
      await clock.sleep(lookEveryMs);
    }
  }

  async #tellOthers(): Promise<void> {
    const { others, clock, store, logger } = this.#ports;
    this.#isTelling = true;
    try {
      const [region] = others.regions;
      if (region === undefined) return;
      const { by: databaseId } = await store.cursor(region);
      while (this.#isToTell) {
        this.#isToTell = false;
        others.publish(commentsChanged, { databaseId });
        await clock.sleep(hintEveryMs);
      }
    } catch (error) {
      logger.debug({ err: error }, 'other regions hear in 2 s that comments have changed');
    } finally {
      this.#isTelling = false;
    }
  }

  async #give(query: ChangesQuery, from: RegionId): Promise<Changes<CommentChange>> {
    const { store } = this.#ports;
    const said = JSON.stringify(query);
    if (this.#noted.get(from) !== said) {
      await store.noteTaken(from, query);
      this.#noted.set(from, said);
    }
    let answer = await store.changes(query);
    // So what was here before there were regions is numbered as fast as others take it, and what is new waits for a part of it at most. A part
    // may bring nothing, as what changed meanwhile has its numbers: an answer is all only once nothing is left to be numbered.
    while (answer.isAll && !this.#isNumbered) {
      this.#isNumbered = (await store.numberSome()) === 0;
      answer = await store.changes(query);
    }
    return answer;
  }

  async #take(region: RegionId, answer: Changes<CommentChange>, askedAtMs: number): Promise<void> {
    const { store, clock, logger, tell } = this.#ports;
    // Before it is committed: who hears that a user is erased here may rely on it.
    const erased = answer.changes.filter((change) => change.kind === 'erased');
    const erasedIn = new Set<StreamId>();
    for (const { userId, atMs } of await store.unerased(erased)) {
      const { streams } = await store.eraseUser(userId, atMs - clockWindow.afterMs);
      for (const stream of streams) erasedIn.add(stream);
    }
    const times = { nowMs: clock.utcMs(), askedAtMs };
    const taken = await store.takeChanges(region, answer, times);
    if (taken.refused > 0)
      logger.warn({ region, refused: taken.refused }, 'changes of another region cannot be read: left out');
    // Those of an answer that comes again, too: the first time it may have been interrupted before they were told.
    await tell({ ...taken, erased, erasedIn: [...erasedIn] });
  }
}
