/**
 * Keeps the acknowledgement windows of RTMP (Adobe RTMP 1.0, clauses 5.4.3 to 5.4.5), as far as a receiver of media must.
 *
 * A peer that announced a window may send no more than that many bytes without an acknowledgement. We send little, so we
 * wait for no acknowledgements.
 */

/** An acknowledgement is sent after so many bytes, and more often to a peer that announced a small window. */
const leastOftenBytes = 1_000_000;
const wrap = 2 ** 32;

/** When to acknowledge what. */
export class ReceiveWindow {
  #received = 0;
  #acknowledged = 0;
  #everyBytes = leastOftenBytes;

  /** Bytes so far, the handshake included. */
  get received(): number {
    return this.#received;
  }

  /** Takes the peer's Window Acknowledgement Size. Half of it is used, so that the peer need never wait; 0 is ignored. */
  announce(windowBytes: number): void {
    if (windowBytes > 0)
      this.#everyBytes = Math.max(1, Math.min(Math.floor(windowBytes / 2), leastOftenBytes));
  }

  take(bytes: number): void {
    this.#received += bytes;
  }

  /** @returns the sequence number to acknowledge, 32 bit, once it is time */
  due(): number | undefined {
    if (this.#received - this.#acknowledged < this.#everyBytes) return undefined;
    this.#acknowledged = this.#received;
    return this.#received % wrap;
  }
}

/** Limit types of Set Peer Bandwidth. */
const [hard, soft, dynamic] = [0, 1, 2];

/** The window of what we send, as the peer limits it. */
export class SendWindow {
  #bytes: number;
  #wasHard = false;

  /** @param bytes as it was announced to the peer */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /**
   * Set Peer Bandwidth: *hard* sets the window, *soft* only lowers it, *dynamic* is hard behind a hard one and nothing else.
   *
   * @returns the window to announce to the peer, where it has changed
   */
  limit(bytes: number, type: number): number | undefined {
    const isHard = type === hard || (type === dynamic && this.#wasHard);
    if (!isHard && type !== soft) return undefined;
    this.#wasHard = type === hard || this.#wasHard;
    const next = isHard ? bytes : Math.min(bytes, this.#bytes);
    if (next === this.#bytes || next === 0) return undefined;
    this.#bytes = next;
    return next;
  }
}
