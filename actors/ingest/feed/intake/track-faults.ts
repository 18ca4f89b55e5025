/**
 * Counts what is wrong with one track of a feed, and says when it is too much.
 *
 * Headers and codec ids are hearsay: one that cannot be used changes nothing. A track is refused when
 * - it sends media for 10 s without a usable header,
 * - more than 50 of its tags in a row are damaged,
 * - or a codec that is not taken names itself in five tags in a row, for one alone may be a damaged byte.
 * The refusal names the last cause.
 */
import { errorCodeOf, TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import type { SessionLimits } from '../../session-limits.ts';

/** Tags of one codec in a row from which it is believed that the encoder sends it. */
const foreignFrom = 5;

interface Reading {
  /** Whether the track has its configuration already. */
  readonly isUnderWay: boolean;
  readonly tellDropped: (why: string) => void;
}

/** What an error of a reader says, for a warning. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : 'unreadable');

/** Whether a header came again with the same bytes. */
export const isSameHeader = (before: Uint8Array | undefined, bytes: Uint8Array): boolean =>
  before !== undefined && Buffer.compare(before, bytes) === 0;

export class TrackFaults {
  readonly #limits: Pick<SessionLimits, 'announceTimeoutMs' | 'maxCorruptInRow'>;
  #damagedInRow = 0;
  #lastDamage = '';
  /** Since when media comes that no header explains. */
  #unexplainedSinceMs: number | undefined;
  #headerFault: string | undefined;
  #damaged = 0;
  #foreign = { inRow: 0, detail: '' };

  constructor(limits: Pick<SessionLimits, 'announceTimeoutMs' | 'maxCorruptInRow'>) {
    this.#limits = limits;
  }

  /** Damaged tags since `forget`, and what was wrong with the last one. */
  get damage(): { readonly count: number; readonly last: string } {
    return { count: this.#damaged, last: this.#lastDamage };
  }

  /**
   * Reads a tag, or what is in it. A damaged one is dropped, told and counted. So is one of a codec that is not taken, once the track is under
   * way.
   *
   * @param what in the plural, for a refusal: "H.264 pictures"
   * @returns undefined for what is dropped
   * @throws TangazaError `MEDIA_INVALID`, `CODEC_REFUSED` when it is one too many; what `read` throws besides
   */
  read<T>(what: string, read: () => T, { isUnderWay, tellDropped }: Reading): T | undefined {
    try {
      return read();
    } catch (error) {
      const code = errorCodeOf(error);
      const isForeign = code === 'CODEC_REFUSED' && isUnderWay;
      if (code !== 'MEDIA_INVALID' && !isForeign) throw error;
      tellDropped(wordsOf(error));
      if (isForeign && error instanceof Error) this.#foreignTag(what, error);
      else this.#damagedTag(what, wordsOf(error));
      return undefined;
    }
  }

  /** Media was used. */
  sound(): void {
    this.#damagedInRow = 0;
    this.#unexplainedSinceMs = undefined;
    this.#foreign.inRow = 0;
  }

  forget(): void {
    this.#damaged = 0;
  }

  /**
   * @param what as for `read`
   * @throws TangazaError `MEDIA_INVALID` when it is one too many
   */
  #damagedTag(what: string, detail: string): void {
    this.#damaged += 1;
    this.#damagedInRow += 1;
    this.#lastDamage = detail;
    if (this.#damagedInRow <= this.#limits.maxCorruptInRow) return;
    throw new TangazaError(
      'MEDIA_INVALID',
      `${this.#damagedInRow} damaged ${what} in a row, the last: ${detail}`,
    );
  }

  /**
   * A tag names a codec that is not taken.
   *
   * @param what as for `read`
   * @throws TangazaError `CODEC_REFUSED` once the same refusal was due some times in a row; `MEDIA_INVALID` as `#damagedTag`
   */
  #foreignTag(what: string, refusal: Error): void {
    const { inRow, detail } = this.#foreign;
    this.#foreign = { inRow: detail === refusal.message ? inRow + 1 : 1, detail: refusal.message };
    if (this.#foreign.inRow >= foreignFrom) throw refusal;
    this.#damagedTag(what, refusal.message);
  }

  /** A header came that cannot be used. */
  badHeader(detail: string): void {
    this.#headerFault = detail;
  }

  goodHeader(): void {
    this.#headerFault = undefined;
    this.#unexplainedSinceMs = undefined;
  }

  /** Media came that no header explains. */
  unexplained(nowMs: number): void {
    this.#unexplainedSinceMs ??= nowMs;
  }

  /**
   * @param codec as the refusal names it
   * @param advice what to set
   * @throws TangazaError `MEDIA_INVALID` when no usable header came in time
   */
  check(nowMs: number, codec: string, advice: string): void {
    const since = this.#unexplainedSinceMs;
    if (since === undefined || nowMs - since < this.#limits.announceTimeoutMs) return;
    const seconds = Math.round((nowMs - since) / 1000);
    const fault = this.#headerFault === undefined ? 'none came' : this.#headerFault;
    throw new TangazaError(
      'MEDIA_INVALID',
      `no usable sequence header of ${codec} in ${seconds} s (${fault}); ${advice}`,
    );
  }
}
