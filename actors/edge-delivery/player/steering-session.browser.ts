/** The session by which steering knows this player (A10). A page that goes says so, or it would be counted for half a minute more. */
export class SteeringSession {
  /** Where steering is asked the next time. */
  #url: string | undefined;
  readonly #over = new AbortController();

  constructor() {
    window.addEventListener('pagehide', () => this.#leave(), { signal: this.#over.signal });
  }

  /** @param reply of the steering server */
  learn(reply: unknown): void {
    if (this.#over.signal.aborted || typeof reply !== 'object' || reply === null) return;
    const url: unknown = Reflect.get(reply, 'RELOAD-URI');
    if (typeof url === 'string' && URL.canParse(url)) this.#url = url;
  }

  /** @param text of a reply */
  learnFrom(text: string): void {
    try {
      this.learn(JSON.parse(text));
    } catch {
      // The library complains about it.
    }
  }

  /** The player stops. */
  end(): void {
    this.#leave();
    this.#over.abort();
  }

  #leave(): void {
    if (this.#url === undefined) return;
    const url = new URL(this.#url);
    this.#url = undefined;
    url.searchParams.set('leaves', 'true');
    void fetch(url, { keepalive: true, cache: 'no-store' }).catch(() => {}); // then it is missed after a while
  }
}
