/** Sound that comes, and of which no frame can be used, because its times are not those of the pictures. */
/** Sound that comes leaves no longer pauses: behind one, what was dropped before it is no part of what is dropped now. */
const pauseMs = 1000;

export class StrayedSound {
  #nowMs = 0;
  #since: { readonly ms: number; apartMs: number } | undefined;

  /** @param nowMs when the frame came of which the next call tells */
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

  /** For how long all sound was dropped, and how far behind (or before) the pictures it was last; undefined for none. */
  for(): { readonly lostMs: number; readonly apartMs: number } | undefined {
    if (this.#since === undefined) return undefined;
    return { lostMs: this.#nowMs - this.#since.ms, apartMs: this.#since.apartMs };
  }
}
