/** What the story of a demo remembers, and what it says. */

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
  /** Of processes that are dead, when they died. */
  readonly deadSinceMs: ReadonlyMap<string, number>;
  /** Of processes that died in the last minute, when. */
  readonly deathsMs: ReadonlyMap<string, readonly number[]>;
  readonly ownerOf: ReadonlyMap<string, string>;
  /** Nodes that NATS does not answer, and since when the first of them. */
  readonly withoutNats: ReadonlySet<string>;
  readonly natsGoneMs: number;
  /** Lives whose end was told, newest last. */
  readonly gone: readonly string[];
  readonly floods: ReadonlyMap<string, Flood>;
}

/** One thing to say; sentences of one `about` are one flood. */
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
    natsGoneMs: 0,
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
