/** What `bench regions` concludes from what edges of two regions showed. Pure: times are given, nothing is asked. */

/** The first time that an edge's playlist named a segment. */
export interface Sighting {
  readonly number: number;
  /** Relative to the playlist: it names period and media, so it is the same in all regions. */
  readonly uri: string;
  readonly atMs: number;
}

/** What a viewer of one edge saw of one playlist. */
export interface Watched {
  /** In the order in which they came; all of the first playlist have the same time. */
  readonly sightings: readonly Sighting[];
  /** How often the newest number of the playlist was lower than before. */
  readonly wentBack: number;
  /** Segments that were left out, or that were other media than before under the same number. */
  readonly faults: number;
}

/** Takes one playlist after the other. */
export class Watch implements Watched {
  readonly sightings: Sighting[] = [];
  wentBack = 0;
  faults = 0;
  readonly #uris = new Map<number, string>();
  #newest = -1;

  take(segments: readonly { readonly number: number; readonly uri: string }[], atMs: number): void {
    const last = segments.at(-1)?.number ?? this.#newest;
    if (last < this.#newest) this.wentBack += 1;
    for (const { number, uri } of segments) {
      const known = this.#uris.get(number);
      if (known === undefined) this.#add({ number, uri, atMs });
      else if (known !== uri) this.faults += 1;
    }
  }

  #add(sighting: Sighting): void {
    const { number, uri } = sighting;
    const isFirst = this.#uris.size === 0;
    const isOfFirst = this.sightings[0]?.atMs === sighting.atMs;
    if (!isFirst && !isOfFirst && number !== this.#newest + 1) this.faults += 1;
    this.#uris.set(number, uri);
    this.sightings.push(sighting);
    this.#newest = Math.max(this.#newest, number);
  }
}

/** Segments that came while it was watched: those of the first playlist may be of any age. */
const cameWhileWatched = ({ sightings }: Watched): readonly Sighting[] =>
  sightings.filter(({ atMs }) => atMs !== sightings[0]?.atMs);

/** How much later the far edge showed each segment than the near one, in ms. One that only one of both showed is left out. */
export function behindMs(near: Watched, far: Watched): readonly number[] {
  const nearMs = new Map(cameWhileWatched(near).map(({ number, atMs }) => [number, atMs]));
  return cameWhileWatched(far).flatMap(({ number, atMs }) => {
    const sinceMs = nearMs.get(number);
    return sinceMs === undefined ? [] : [Math.max(0, atMs - sinceMs)];
  });
}

/** The same of all that the near edge showed in a span; infinite for what the far one never showed. */
export function latenessMs(near: Watched, far: Watched, span: Span): readonly number[] {
  const farMs = new Map(far.sightings.map(({ number, atMs }) => [number, atMs]));
  return cameWhileWatched(near)
    .filter(({ atMs }) => isWithin(atMs, span))
    .map(({ number, atMs }) => Math.max(0, (farMs.get(number) ?? Number.POSITIVE_INFINITY) - atMs));
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

const isWithin = (atMs: number, { fromMs, toMs }: Span): boolean => atMs >= fromMs && atMs <= toMs;

/** How the segments of two edges compare, over the numbers that both had the time to show. */
export interface Comparison {
  /** Shown near, and never far. */
  readonly lost: number;
  /** Media that the far edge shows under two numbers. */
  readonly doubled: number;
  /** Numbers under which both show different media. */
  readonly different: number;
}

/** @param graceMs what the near edge showed so late is not expected at the far one */
export function compare(near: Watched, far: Watched, graceMs: number): Comparison {
  const farUris = new Map(far.sightings.map(({ number, uri }) => [number, uri]));
  const first = Math.min(...farUris.keys());
  const endMs = far.sightings.at(-1)?.atMs ?? 0;
  const expected = near.sightings.filter(({ number, atMs }) => number >= first && atMs <= endMs - graceMs);
  const uris = far.sightings.map(({ uri }) => uri);
  return {
    lost: expected.filter(({ number }) => !farUris.has(number)).length,
    doubled: uris.length - new Set(uris).size,
    different: near.sightings.filter(({ number, uri }) => (farUris.get(number) ?? uri) !== uri).length,
  };
}

/**
 * When the far edge had all again that the near edge showed at the heal.
 *
 * @returns ms after the heal; undefined where it never had
 */
export function resumedAfterMs(near: Watched, far: Watched, healedAtMs: number): number | undefined {
  const wanted = near.sightings.findLast(({ atMs }) => atMs <= healedAtMs)?.number;
  if (wanted === undefined) return undefined;
  const there = far.sightings.find(({ number, atMs }) => number >= wanted && atMs >= healedAtMs);
  return there === undefined ? undefined : there.atMs - healedAtMs;
}

/** The longest time in a span in which an edge showed nothing new, with the end of the span. */
export function longestSilenceMs({ sightings }: Watched, { fromMs, toMs }: Span): number {
  const times = sightings.map(({ atMs }) => atMs).filter((atMs) => atMs > fromMs && atMs < toMs);
  const all = [fromMs, ...times, toMs];
  return Math.max(...all.slice(1).map((atMs, index) => atMs - (all[index] ?? atMs)));
}

/**
 * Counts the records that say the same place of the home's log as one before them. A snapshot of a relayer's own fold repeats the place up to
 * which it reaches (R4), so it does not count.
 */
export function doubledPlaces(
  entries: readonly {
    readonly record: { readonly kind: string; readonly home?: { readonly recordId: string } | undefined };
  }[],
): number {
  const ids = entries.flatMap(({ record: { kind, home } }) =>
    kind === 'snapshot' || home === undefined ? [] : [home.recordId],
  );
  return ids.length - new Set(ids).size;
}

/** What one region asked another for, and what lies in its store since. */
export interface Crossed {
  /** Requests that the other region answered. */
  readonly requests: number;
  /** Different objects of the stream that are in the store now and were not before. */
  readonly objects: number;
}

/** How often an object crossed. */
export const crossingsPerObject = ({ requests, objects }: Crossed): number => requests / objects;

/** @param share 0.95 for p95; NaN of nothing */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
