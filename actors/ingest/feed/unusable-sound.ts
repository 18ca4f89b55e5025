/**
 * Measures for how long sound came and no frame of it could be used, because its times lie too far from those of the
 * pictures.
 *
 * A pause of more than `pauseMs` between two frames ends the count, and the next frame begins a new one.
 */
const pauseMs = 1000;

export class UnusableSound {
  #nowMs = 0;
  #since: { readonly ms: number; apartMs: number } | undefined;

  /** @param nowMs when the frame came that the next call is about */
  at(nowMs: number): void {
    if (nowMs - this.#nowMs > pauseMs) this.#since = undefined;
    this.#nowMs = nowMs;
  }

  dropped(apartMs: number): void {
    this.#since ??= { ms: this.#nowMs, apartMs };
    this.#since.apartMs = apartMs;
  }

  used(): void {
    this.#since = undefined;
  }

  /**
   * For how long all sound was dropped, and how far from the pictures it last lay (negative: behind); undefined when
   * none is dropped.
   */
  for(): { readonly lostMs: number; readonly apartMs: number } | undefined {
    if (this.#since === undefined) return undefined;
    return { lostMs: this.#nowMs - this.#since.ms, apartMs: this.#since.apartMs };
  }
}
