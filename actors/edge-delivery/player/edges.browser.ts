/** The edges that serve a stream: first the one that served the page, then the others in the order that the cluster gives. */

const timeoutMs = 3000;

export class Edges {
  readonly #streamId: string;
  #known: readonly string[] = [location.origin];
  #index = 0;

  constructor(streamId: string) {
    this.#streamId = streamId;
  }

  get current(): string {
    return this.#known[this.#index % this.#known.length] ?? location.origin;
  }

  next(): void {
    this.#index += 1;
  }

  /** Asks the current edge which others there are. If it does not answer, the known edges stay. */
  async refresh(): Promise<void> {
    try {
      const address = `${this.current}/v1/streams/${encodeURIComponent(this.#streamId)}/edges`;
      const reply = await fetch(address, { signal: AbortSignal.timeout(timeoutMs) });
      if (!reply.ok) return;
      const { items }: { items: readonly { readonly url: string }[] } = await reply.json();
      const urls = items.map(({ url }) => url).filter((url) => url !== location.origin);
      this.#known = [location.origin, ...urls];
    } catch {
      // The next edge is asked another time.
    }
  }
}
