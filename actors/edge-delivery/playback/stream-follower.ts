/**
 * One stream as an edge sees it: follows its index log, folds it, and keeps the entities made of the fold.
 *
 * Nothing is shown that the log does not say. While the log is silent, the last fold stays (C8). After a failure the log is followed again
 * from behind the last folded record, with a growing, bounded pause.
 *
 * F1. Rendered entities live exactly as long as the fold that they were made of. Each is made and compressed once.
 */
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { within } from '../../../cluster/time/within.ts';
import { applyEntry, emptyTimeline, rewound } from '../../media/timeline/fold.ts';
import type { FoldedTimeline, Timeline } from '../../media/timeline/timeline.ts';
import { Holds, type HoldLimits, type Outcome } from './holds.ts';
import type { Entity, HttpRequest } from '../http/http.ts';

export interface FollowerPorts {
  readonly clock: Clock;
  readonly log: IndexLog;
  readonly logger: Logger;
  readonly holdLimits: HoldLimits;
}

/** How many manifests of one fold are kept. Further ones are rendered each time. */
const maxRendered = 64;
const catchUpMs = 5000;
const firstPauseMs = 100;
const lastPauseMs = 5000;

export class StreamFollower {
  readonly id: StreamId;
  readonly #ports: FollowerPorts;
  readonly #holds: Holds;
  readonly #abort = new AbortController();
  readonly #rendered = new Map<string, Entity>();
  readonly #caughtUp = Promise.withResolvers<void>();
  #timeline: FoldedTimeline = emptyTimeline();
  #isCaughtUp = false;
  #usedMs: number;
  #hits = 0;
  #silentMs = 0;
  #isHearing = false;

  constructor(id: StreamId, ports: FollowerPorts) {
    this.id = id;
    this.#ports = ports;
    this.#holds = new Holds(ports.holdLimits);
    this.#usedMs = ports.clock.runningMs();
    this.#caughtUp.promise.catch(() => {}); // possibly nobody waits when it closes
    void this.#follow();
  }

  get timeline(): Timeline {
    return this.#timeline;
  }

  /**
   * For how long no media was announced. `sweep` counts it while the log can be heard, from when it first could. Rejected: to
   * count from the time in the newest record. Clocks that differ by seconds then made a stream on air look interrupted.
   */
  get silentMs(): number {
    return this.#silentMs;
  }

  get heldRequests(): number {
    return this.#holds.requests;
  }

  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Nobody follows the stream here any more. */
  get isClosed(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Resolves when all that was in the log at the start is folded. @throws TangazaError `LOG_UNAVAILABLE` after 5 s */
  async ready(): Promise<void> {
    if (this.#isCaughtUp) return;
    const late = (): never => {
      throw new TangazaError('LOG_UNAVAILABLE', `The index log of ${this.id} cannot be read now.`);
    };
    await within(this.#caughtUp.promise, { clock: this.#ports.clock, ms: catchUpMs, late });
  }

  /** Like `Holds.wait`, but resolves at once when the timeline satisfies the condition already. */
  async hold(
    request: HttpRequest,
    key: string,
    isSettled: (timeline: Timeline) => boolean,
    ms: number,
  ): Promise<Outcome> {
    if (isSettled(this.#timeline)) return 'settled';
    return this.#holds.wait(request, key, isSettled, this.#ports.clock.runningMs() + ms);
  }

  touch(): void {
    this.#usedMs = this.#ports.clock.runningMs();
  }

  /** When it was last used, in monotonic ms. A hit of a rendered entity counts as use too. */
  usedMs(): number {
    let hits = 0;
    for (const entity of this.#rendered.values()) hits += entity.hits;
    if (hits !== this.#hits || this.#holds.requests > 0) this.touch();
    this.#hits = hits;
    return this.#usedMs;
  }

  /** An entity that was made of the present fold, if there is one. */
  rendered(target: string): Entity | undefined {
    return this.#rendered.get(target);
  }

  /** The entity for `target`, which is made once for each fold (F1). */
  render(target: string, make: (timeline: Timeline) => Entity): Entity {
    const known = this.#rendered.get(target);
    if (known !== undefined) return known;
    const entity = make(this.#timeline);
    if (this.#rendered.size < maxRendered) this.#rendered.set(target, entity);
    return entity;
  }

  /** Something other than the log has changed what is rendered: the edges, or staleness. */
  forgetRendered(): void {
    this.usedMs();
    this.#rendered.clear();
    this.#hits = 0;
  }

  /** Ends waits that took too long. @param heardMs for how long the log could be heard since the last call */
  sweep(heardMs: number): void {
    if (this.#isHearing) this.#silentMs += heardMs;
    this.#holds.expire(this.#ports.clock.runningMs());
  }

  close(): void {
    this.#abort.abort();
    this.#holds.close();
    this.#caughtUp.reject(
      new TangazaError('UNAVAILABLE', 'This edge is closing or does not follow the stream any more.'),
    );
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      const before = this.#timeline.lastSequence;
      await this.#followOnce(signal).catch((error: unknown) => {
        this.#isHearing = false;
        if (!signal.aborted)
          this.#ports.logger.warn(
            { stream: this.id, error },
            'the index log cannot be followed; trying again',
          );
      });
      if (this.#timeline.lastSequence > before) pauseMs = firstPauseMs;
      await this.#ports.clock.sleep(pauseMs, signal).catch(() => {});
      pauseMs = Math.min(lastPauseMs, pauseMs * 2);
    }
  }

  async #followOnce(signal: AbortSignal): Promise<void> {
    for await (const item of this.#ports.log.follow(this.id, this.#timeline.lastSequence + 1, signal)) {
      if (signal.aborted) return;
      if ('record' in item) this.#take(item);
      else if ('caughtUp' in item) this.#catchUp();
      else this.#rewind();
    }
  }

  #take(entry: IndexEntry): void {
    if (entry.record.kind === 'source' || entry.record.kind === 'clock') this.#silentMs = 0;
    this.#apply(applyEntry(this.#timeline, entry));
  }

  #apply(timeline: FoldedTimeline): void {
    const isChanged = shownDiffers(this.#timeline, timeline);
    this.#timeline = timeline;
    if (!this.#isCaughtUp) return;
    if (isChanged) this.forgetRendered();
    this.#holds.advance(timeline);
  }

  /** The log went back, but what viewers have seen stays (C7). */
  #rewind(): void {
    this.#ports.logger.warn(
      { stream: this.id },
      'the index log went back to an earlier state: all that it has is read again',
    );
    this.#timeline = rewound(this.#timeline);
  }

  #catchUp(): void {
    this.#isCaughtUp = true;
    this.#isHearing = true;
    this.forgetRendered();
    this.#holds.advance(this.#timeline);
    this.#caughtUp.resolve();
  }
}

/** Sources, and records that the fold ignored, change no manifest. Counters are compared, as lists grow in place. */
function shownDiffers(before: Timeline, after: Timeline): boolean {
  return (
    before.nextNumber !== after.nextNumber ||
    before.firstNumber !== after.firstNumber ||
    before.state !== after.state ||
    before.publishedAtMs !== after.publishedAtMs ||
    before.periods !== after.periods ||
    before.nextOrdinal !== after.nextOrdinal ||
    before.shownFrom !== after.shownFrom ||
    before.changedAt !== after.changedAt
  );
}
