/** Eyes on one manifest at every edge: what each answered over time, and whether what they said ever disagreed. */
import { systemClock } from '../../../cluster/time/clock.system.ts';
import type { DemoNode } from '../../../scripts/demo/site.ts';
import { parsePlaylist, type Playlist } from '../media/playlists.ts';

export interface Look {
  readonly node: string;
  /** Undefined when nobody answered. */
  readonly status: number | undefined;
  /** What `tangaza-log-stale` says, where it is said (C8). */
  readonly staleSeconds: number | undefined;
  /** Of an answer of 200. */
  readonly lastNumber: number | undefined;
}

const pollMs = 250;
/** Who answers late was there; who is gone refuses at once. This is only so that no look lasts for ever. */
const timeoutMs = 60_000;

export class ManifestWatch implements AsyncDisposable {
  readonly looks: Look[] = [];
  /** Numbering that went back at an edge, and numbers that named other media than before, at any edge. */
  readonly faults: string[] = [];
  readonly #path: string;
  readonly #last = new Map<string, Playlist>();
  readonly #uris = new Map<number, string>();
  readonly #loops: readonly Promise<void>[];
  readonly #over = new AbortController();

  /** `path` is that of a media playlist. */
  constructor(nodes: readonly DemoNode[], path: string) {
    this.#path = path;
    this.#loops = nodes.map((node) => this.#follow(node));
  }

  /** The last look at each edge. */
  latest(): readonly Look[] {
    return [...new Map(this.looks.map((look) => [look.node, look])).values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#loops);
  }

  async #follow({ node, url }: DemoNode): Promise<void> {
    while (!this.#over.signal.aborted) {
      this.looks.push(await this.#look(node, `${url}${this.#path}`));
      await systemClock.sleep(pollMs);
    }
  }

  async #look(node: string, url: string): Promise<Look> {
    const nobody = { node, status: undefined, staleSeconds: undefined, lastNumber: undefined };
    try {
      const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(timeoutMs)]);
      const reply = await fetch(url, { signal });
      const text = await reply.text();
      const said = reply.headers.get('tangaza-log-stale');
      const looked = { node, status: reply.status, staleSeconds: said === null ? undefined : Number(said) };
      if (!reply.ok) return { ...looked, lastNumber: undefined };
      const playlist = parsePlaylist(text);
      this.#compare(node, playlist);
      return { ...looked, lastNumber: playlist.lastNumber };
    } catch {
      return nobody;
    }
  }

  #compare(node: string, now: Playlist): void {
    const before = this.#last.get(node);
    this.#last.set(node, now);
    for (const key of ['mediaSequence', 'discontinuitySequence', 'lastNumber'] as const) {
      if (before !== undefined && now[key] < before[key])
        this.faults.push(`${node}: ${key} went from ${before[key]} to ${now[key]}`);
    }
    for (const { number, uri } of now.segments) {
      const known = this.#uris.get(number);
      if (known !== undefined && known !== uri)
        this.faults.push(`${node}: ${number} was ${known}, is ${uri}`);
      this.#uris.set(number, uri);
    }
  }
}
