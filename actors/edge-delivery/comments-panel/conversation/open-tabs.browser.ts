/**
 * Tells the tabs of this browser from one another: each one holds a Web Lock of its name for as long as it is open, so that none takes up
 * what another is still sending. A page in the browser's cache of former pages holds none, as it would not be kept there.
 */

const prefix = 'tangaza-tab-';

export class OpenTabs {
  /** The name of this tab. */
  readonly self = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16)).join('');
  #letGo: (() => void) | undefined;

  constructor() {
    this.#hold();
    window.addEventListener('pagehide', () => this.#letGo?.());
    window.addEventListener('pageshow', () => this.#hold());
  }

  /** The names of all tabs that are open. Empty where the browser has no such locks, as on a page without TLS on another machine. */
  async names(): Promise<ReadonlySet<string>> {
    const { held = [] } = (await locks()?.query()) ?? {};
    return new Set(held.map(({ name }) => (name ?? '').slice(prefix.length)));
  }

  #hold(): void {
    if (this.#letGo !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#letGo = () => {
      this.#letGo = undefined;
      resolve();
    };
    // A page that is closed meanwhile is not granted it, and needs it no more.
    locks()
      ?.request(`${prefix}${this.self}`, () => promise)
      .catch(() => {});
  }
}

const locks = (): LockManager | undefined => ('locks' in navigator ? navigator.locks : undefined);
