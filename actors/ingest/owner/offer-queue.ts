/**
 * Brings a session's segments to the owner: stores a few at a time, and submits them one by one in their order (C2,
 * C8).
 *
 * Jobs are submitted in the order in which they were added, each once. A job that is not submitted is lost, and the
 * queue reports that. At most `maxBytes` and `maxWorks` wait to be stored. When more comes the oldest is lost, so that
 * the stream stays close to live. A step that fails for a passing reason is tried again, with growing pauses, until the
 * job is `maxAgeMs` old.
 */
import { catalogue } from '../../../cluster/errors/catalogue.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import type { Clock } from '../../../cluster/time/clock.ts';

export interface Work {
  /** Bytes held in memory until the work is stored. */
  readonly bytes: number;
  /** Stores the work. May run together with the `store` of others; must be repeatable. */
  store(signal: AbortSignal): Promise<void>;
  /** Submits the work, alone and after every earlier work's `submit`; must be repeatable. */
  submit(signal: AbortSignal): Promise<void>;
  /** Called once, when the work is given up. */
  lost(reason: string): void;
}

export interface OfferQueueLimits {
  readonly maxBytes: number;
  readonly maxWorks: number;
  readonly maxAgeMs: number;
  /** How many works are stored at once. */
  readonly maxStoring: number;
}

/** An outage of 120 s (C8), and 64 MB (C2, M4). */
export const offerQueueLimits: OfferQueueLimits = {
  maxBytes: 64 * 1024 * 1024,
  maxWorks: 256,
  maxAgeMs: 120_000,
  maxStoring: 4,
};

const firstPauseMs = 100;
const longestPauseMs = 2000;

interface Entry {
  readonly work: Work;
  readonly addedAtMs: number;
  readonly stop: AbortController;
  /** Set once storing has begun; resolves to whether the work is stored. */
  stored: Promise<boolean> | undefined;
  heldBytes: number;
  isLost: boolean;
}

export class OfferQueue {
  readonly #clock: Clock;
  readonly #limits: OfferQueueLimits;
  readonly #entries: Entry[] = [];
  #running: Promise<void> | undefined;
  #heldBytes = 0;
  #storing = 0;
  #isAborted = false;

  constructor(clock: Clock, limits: OfferQueueLimits = offerQueueLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** How many bytes wait to be stored. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** How many works are not submitted yet. */
  get length(): number {
    return this.#entries.length;
  }

  add(work: Work): void {
    if (this.#isAborted) {
      work.lost('stopped');
      return;
    }
    const entry: Entry = {
      work,
      addedAtMs: this.#clock.runningMs(),
      stop: new AbortController(),
      stored: undefined,
      heldBytes: work.bytes,
      isLost: false,
    };
    this.#entries.push(entry);
    this.#heldBytes += work.bytes;
    this.#makeRoom();
    this.#startStoring();
    this.#running ??= this.#run();
  }

  /** Resolves when everything is submitted or lost, including what is added meanwhile. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Gives up all that waits, and takes no more. */
  abort(): void {
    this.#isAborted = true;
    for (const entry of this.#entries) this.#lose(entry, 'stopped');
  }

  #makeRoom(): void {
    const { maxBytes, maxWorks } = this.#limits;
    const isTooMuch = (): boolean =>
      this.#heldBytes > maxBytes || this.#entries.filter(({ isLost }) => !isLost).length > maxWorks;
    while (isTooMuch()) {
      const oldest = this.#entries.find(
        ({ isLost, heldBytes }) => !isLost && (heldBytes > 0 || this.#heldBytes <= maxBytes),
      );
      if (oldest === undefined) return;
      this.#lose(oldest, 'full');
    }
  }

  /** Storing runs ahead of submitting, so an outage of the owner leaves descriptions in memory and no bytes. */
  #startStoring(): void {
    for (const entry of this.#entries) {
      if (this.#storing >= this.#limits.maxStoring) return;
      if (entry.stored === undefined && !entry.isLost) entry.stored = this.#store(entry);
    }
  }

  async #store(entry: Entry): Promise<boolean> {
    this.#storing += 1;
    const isStored = await this.#attempt(entry, (signal) => entry.work.store(signal));
    this.#storing -= 1;
    this.#release(entry);
    this.#startStoring();
    return isStored;
  }

  async #run(): Promise<void> {
    for (let entry = this.#entries[0]; entry !== undefined; entry = this.#entries[0]) {
      const { work } = entry;
      if ((await entry.stored) === true) await this.#attempt(entry, (signal) => work.submit(signal));
      this.#entries.shift();
      this.#startStoring();
    }
    this.#running = undefined;
  }

  async #attempt(entry: Entry, step: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const { signal } = entry.stop;
    for (let pauseMs = firstPauseMs; !entry.isLost; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        await step(signal);
        return !entry.isLost;
      } catch (error) {
        const code = errorCodeOf(error);
        const isOld = this.#clock.runningMs() - entry.addedAtMs > this.#limits.maxAgeMs;
        if (catalogue[code].retry === 'never' || isOld) this.#lose(entry, code);
        else await this.#clock.sleep(pauseMs, signal).catch(() => {});
      }
    }
    return false;
  }

  #lose(entry: Entry, reason: string): void {
    if (entry.isLost) return;
    entry.isLost = true;
    this.#release(entry);
    entry.stop.abort();
    entry.work.lost(reason);
  }

  #release(entry: Entry): void {
    this.#heldBytes -= entry.heldBytes;
    entry.heldBytes = 0;
  }
}
