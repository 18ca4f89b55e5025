/**
 * Listens to what the driver hears of nodes that go and come: those of the own data centre by their connections, those of the others by what
 * Cassandra's nodes tell of each other. When one is back, the writes that it missed come late, by hints, and so does what it took meanwhile.
 */
import type { Client } from 'cassandra-driver';

/** A cut link is noticed 15 to 20 s after it was cut, and what was written before may have been under way. */
const unnoticedMs = 60_000;
/** After a longer absence the oldest is left to who reads pages. */
const mostMs = 3_600_000;

export class Absences {
  readonly #listeners = new Set<(sinceMs: number) => void>();
  /** Since when each has been away, UTC. */
  readonly #away = new Map<string, number>();
  readonly #utcMs: () => number;

  constructor(utcMs: () => number) {
    this.#utcMs = utcMs;
  }

  watch(client: Pick<Client, 'on'>): void {
    client.on('hostDown', ({ address }: { readonly address: string }) => this.left(address));
    client.on('hostUp', ({ address }: { readonly address: string }) => this.came(address));
  }

  /** @param name of a node, or of a data centre */
  left(name: string): void {
    if (!this.#away.has(name)) this.#away.set(name, this.#utcMs());
  }

  /** Tells it with the time since when something may come late. */
  came(name: string): void {
    const leftMs = this.#away.get(name);
    if (leftMs === undefined) return;
    this.#away.delete(name);
    const sinceMs = Math.max(leftMs - unnoticedMs, this.#utcMs() - mostMs);
    for (const listener of this.#listeners) listener(sinceMs);
  }

  onBack(listener: (sinceMs: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
