/**
 * Keeps the keys of accounts, and decides when to read them again. They are read again 10 minutes after they were read, and when a token names
 * a key that is not among them, as its issuer may have put a new one in; but not twice within 30 s, so that made-up key names cost nobody
 * anything. While their place does not answer, the last ones count on for a day: an outage there locks nobody out.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { accountKeysOf, type AccountKey } from './account-keys.ts';

const freshMs = 10 * 60_000;
const usableMs = 24 * 3_600_000;
const coolDownMs = 30_000;
/** Without any keys nobody can sign in, so it asks more often. */
const firstCoolDownMs = 2000;

interface Kept {
  readonly keys: readonly AccountKey[];
  readonly atMs: number;
}

export interface KeptKeysPorts {
  /** Rejects within a bound. */
  readonly read: () => Promise<string>;
  /** Names the place of the keys in the log. */
  readonly place: string;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly logger: Logger;
  readonly onRead?: (result: 'read' | 'failed') => void;
}

export class KeptKeys {
  readonly #ports: KeptKeysPorts;
  #kept: Kept | undefined;
  #reading: Promise<void> | undefined;
  #triedAtMs = -Infinity;
  #isFailing = false;

  constructor(ports: KeptKeysPorts) {
    this.#ports = ports;
  }

  /** @throws TangazaError `UNAVAILABLE` when there are none */
  async current(): Promise<readonly AccountKey[]> {
    const ageMs = this.#ageMs();
    if (ageMs > usableMs) await this.#readAgain();
    else if (ageMs > freshMs) void this.#readAgain();
    return this.#usable();
  }

  /** The keys after a look whether there are new ones, at most once in a while. @throws TangazaError `UNAVAILABLE` when there are none */
  async renewed(): Promise<readonly AccountKey[]> {
    await this.#readAgain();
    return this.#usable();
  }

  #ageMs(): number {
    return this.#kept === undefined ? Infinity : this.#ports.clock.monotonicMs() - this.#kept.atMs;
  }

  #usable(): readonly AccountKey[] {
    if (this.#kept !== undefined && this.#ageMs() <= usableMs) return this.#kept.keys;
    throw new TangazaError(
      'UNAVAILABLE',
      'The keys that sign the tokens of accounts cannot be read now: try again in a few seconds.',
    );
  }

  /** All who want them at once wait for one read. It never rejects. */
  #readAgain(): Promise<void> {
    if (this.#reading !== undefined) return this.#reading;
    const nowMs = this.#ports.clock.monotonicMs();
    const pauseMs = this.#kept === undefined ? firstCoolDownMs : coolDownMs;
    if (nowMs - this.#triedAtMs < pauseMs) return Promise.resolve();
    this.#triedAtMs = nowMs;
    this.#reading = this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    const { read, place, clock, logger, onRead } = this.#ports;
    try {
      const found = accountKeysOf(await read());
      if ('fault' in found) throw new Error(`it ${found.fault}`);
      this.#kept = { keys: found.keys, atMs: clock.monotonicMs() };
      if (this.#isFailing) logger.info({ place }, 'the keys of accounts can be read again');
      this.#isFailing = false;
      onRead?.('read');
    } catch (error) {
      const why = error instanceof Error ? describe(error) : String(error);
      if (!this.#isFailing)
        logger.warn(
          { place, why, hasOldOnes: this.#kept !== undefined },
          'the keys of accounts cannot be read',
        );
      this.#isFailing = true;
      onRead?.('failed');
    }
  }
}

/** `fetch` says why in the cause. */
function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
