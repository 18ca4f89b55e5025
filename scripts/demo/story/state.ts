/** The state of a demo's story: what it remembers, and what it prints. */

/** A line of a node's log. */
export interface Logged {
  readonly kind: 'logged';
  readonly node: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Flood {
  readonly sinceMs: number;
  readonly told: number;
  readonly untold: number;
}

export interface Story {
  readonly phase: 'starting' | 'running' | 'stopping';
  /** When each process died, for processes that are dead. */
  readonly deadSinceMs: ReadonlyMap<string, number>;
  /** The times of death of processes that died in the last minute. */
  readonly deathsMs: ReadonlyMap<string, readonly number[]>;
  /** By region and stream. */
  readonly ownerOf: ReadonlyMap<string, string>;
  /** The nodes that NATS does not answer. */
  readonly withoutNats: ReadonlySet<string>;
  /** Since when the first node of each region got no answer. */
  readonly natsGoneMs: ReadonlyMap<string, number>;
  /** Since when a region does not reach another one, by both names: `region-1 region-2`. */
  readonly cutOffMs: ReadonlyMap<string, number>;
  /** Lives whose end was printed, newest last. */
  readonly gone: readonly string[];
  readonly floods: ReadonlyMap<string, Flood>;
}

/** One sentence to print. Sentences with the same `about` are limited together. */
export interface Sentence {
  readonly about: string;
  readonly text: string;
}

export interface Told {
  readonly story: Story;
  readonly sentences: readonly Sentence[];
}

export function newStory(): Story {
  return {
    phase: 'starting',
    deadSinceMs: new Map(),
    deathsMs: new Map(),
    ownerOf: new Map(),
    withoutNats: new Set(),
    natsGoneMs: new Map(),
    cutOffMs: new Map(),
    gone: [],
    floods: new Map(),
  };
}

export function without<T>(set: ReadonlySet<T>, one: T): ReadonlySet<T> {
  if (!set.has(one)) return set;
  const rest = new Set(set);
  rest.delete(one);
  return rest;
}

/** `0.8 s`, `12 s` */
export function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/** The region of a node, by its name: `region-2-node-1` is one of region-2. */
export const regionOf = (node: string): string => node.replace(/-node-\d+$/, '');
