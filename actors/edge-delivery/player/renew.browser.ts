/** Loads the page anew where its server has another version of it. */
import { entryScriptOf, mayRenew, renewedAddress, unmarked, type RenewedPage } from '../viewing/renewal.ts';

const timeoutMs = 4000;

export class Renewal {
  readonly #mayRenew: boolean;
  #isAsking = false;

  constructor(query: URLSearchParams) {
    this.#mayRenew = mayRenew(query, Date.now());
    if (query.has('renewed')) history.replaceState(history.state, '', unmarked(location.href));
  }

  /** A part of the page could not be fetched: is there another page by now? A server that does not answer has none. */
  async look(page: () => RenewedPage): Promise<void> {
    if (!this.#mayRenew || this.#isAsking) return;
    this.#isAsking = true;
    const script = await fetchEntryScript();
    this.#isAsking = false;
    const own = document.querySelector('script[type="module"][src^="/assets/"]')?.getAttribute('src');
    if (script !== undefined && script !== own)
      location.replace(renewedAddress(location.href, page(), Date.now()));
  }
}

async function fetchEntryScript(): Promise<string | undefined> {
  try {
    const reply = await fetch(location.href, {
      headers: { accept: 'text/html' },
      cache: 'no-store',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return reply.ok ? entryScriptOf(await reply.text()) : undefined;
  } catch {
    return undefined;
  }
}
