/** Measures bytes and pictures per second over the last whole seconds, in a ring of one-second buckets. */
interface Bucket {
  second: number;
  bytes: number;
  pictures: number;
}

const windowSeconds = 5;

export class InputMeter {
  readonly #buckets: readonly Bucket[] = Array.from({ length: windowSeconds + 1 }, () => ({
    second: -1,
    bytes: 0,
    pictures: 0,
  }));
  #firstMs: number | undefined;
  #lastMs: number | undefined;

  /** When the last packet came. Before the first one, when somebody first asked: a new session is no ghost (C2). */
  lastPacketMs(monotonicMs: number): number {
    this.#lastMs ??= monotonicMs;
    return this.#lastMs;
  }

  note(monotonicMs: number, bytes: number, pictures: number): void {
    this.#firstMs ??= monotonicMs;
    this.#lastMs = monotonicMs;
    const second = Math.floor(monotonicMs / 1000);
    const bucket = this.#buckets[second % this.#buckets.length];
    if (bucket === undefined) return;
    if (bucket.second !== second) Object.assign(bucket, { second, bytes: 0, pictures: 0 });
    bucket.bytes += bytes;
    bucket.pictures += pictures;
  }

  /** The rates over the last 5 whole seconds, or over as many as there were. */
  rates(monotonicMs: number): { readonly bytesPerSecond: number; readonly picturesPerSecond: number } {
    const current = Math.floor(monotonicMs / 1000);
    const since = current - Math.floor((this.#firstMs ?? monotonicMs) / 1000);
    const span = Math.max(1, Math.min(windowSeconds, since));
    const counted = this.#buckets.filter(
      ({ second }) => second >= current - span && (second < current || since === 0),
    );
    return {
      bytesPerSecond: counted.reduce((sum, { bytes }) => sum + bytes, 0) / span,
      picturesPerSecond: counted.reduce((sum, { pictures }) => sum + pictures, 0) / span,
    };
  }
}
