/**
 * The server's time on a machine whose clock may be wrong. Each message that tells it was under way for a while, so what it tells is late
 * by that: the largest of the latest offsets is the nearest one. It is never ahead of the server, which takes no comment from the future (A2).
 */

/** A clock that drifts is followed again after so many messages. */
const remembered = 64;

export class ServerTime {
  readonly #offsets: number[] = [];

  /** @param receivedAtMs by this machine's clock */
  learn(serverMs: number, receivedAtMs: number): void {
    this.#offsets.push(serverMs - receivedAtMs);
    if (this.#offsets.length > remembered) this.#offsets.shift();
  }

  get isKnown(): boolean {
    return this.#offsets.length > 0;
  }

  /** The server's time when this machine's clock shows `localMs`. */
  at(localMs: number): number {
    return Math.round(localMs + (this.isKnown ? Math.max(...this.#offsets) : 0));
  }

  /** After a sleep, or a change of the clock, what was learnt is worth nothing. */
  forget(): void {
    this.#offsets.length = 0;
  }
}
