/**
 * When a read that is older than what was known before it is believed.
 *
 * It may be of a bucket that was lost and made again, or restored; or of a leader that was deposed and does not know it yet. One
 * read tells nothing of which. A deposed leader steps down within a moment: what is older for 3 s is all there is.
 */
const believedAfterMs = 3000;

export class OlderReads {
  #sinceMs: number | undefined;

  /** Takes what one read was. @returns true when all reads were older for long enough */
  prove(isOlder: boolean, nowMs: number): boolean {
    this.#sinceMs = isOlder ? (this.#sinceMs ?? nowMs) : undefined;
    return this.#sinceMs !== undefined && nowMs - this.#sinceMs >= believedAfterMs;
  }
}
