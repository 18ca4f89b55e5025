/**
 * Sums of reactions by stream, and within it by the second of media that they were given at. Whoever takes them begins anew.
 *
 * Bounds: streams; of more than that nothing is counted, which is measured. Seconds of a stream; at more than that reactions count without.
 */
import {
  mostSeconds,
  ReactionKind,
  type ReactionCounts,
  type ReactionSums,
} from '../../cluster/contract/audience/reactions.ts';
import type { StreamId } from '../../cluster/model/ids.ts';

type Counts = Map<ReactionKind, number>;

interface Sums {
  readonly counts: Counts;
  readonly bySecond: Map<string, Counts>;
}

export class WindowSums {
  readonly #mostStreams: number;
  #sums = new Map<StreamId, Sums>();

  constructor(mostStreams: number) {
    this.#mostStreams = mostStreams;
  }

  /** @param mediaTime in seconds @returns false over the bound of streams */
  add(stream: StreamId, kind: ReactionKind, mediaTime?: number): boolean {
    const sums = this.#of(stream);
    if (sums === undefined) return false;
    add(sums.counts, kind, 1);
    if (mediaTime !== undefined) addAt(sums, String(Math.floor(mediaTime)), kind, 1);
    return true;
  }

  /** Adds the sums of a node. @returns false over the bound of streams */
  addSums(stream: StreamId, { counts, bySecond = {} }: ReactionSums): boolean {
    const sums = this.#of(stream);
    if (sums === undefined) return false;
    for (const [kind, count] of entriesOf(counts)) add(sums.counts, kind, count);
    for (const [second, at] of Object.entries(bySecond))
      for (const [kind, count] of entriesOf(at)) addAt(sums, second, kind, count);
    return true;
  }

  /** @returns what was added since the last call */
  take(): readonly (readonly [StreamId, ReactionSums])[] {
    const taken = this.#sums;
    this.#sums = new Map();
    return [...taken].map(([stream, sums]) => [stream, told(sums)]);
  }

  #of(stream: StreamId): Sums | undefined {
    const known = this.#sums.get(stream);
    if (known !== undefined || this.#sums.size >= this.#mostStreams) return known;
    const sums: Sums = { counts: new Map(), bySecond: new Map() };
    this.#sums.set(stream, sums);
    return sums;
  }
}

export function entriesOf(counts: ReactionCounts): readonly (readonly [ReactionKind, number])[] {
  return ReactionKind.options.flatMap((kind) => {
    const count = counts[kind];
    return count === undefined ? [] : [[kind, count] as const];
  });
}

function add(counts: Counts, kind: ReactionKind, count: number): void {
  counts.set(kind, (counts.get(kind) ?? 0) + count);
}

function addAt({ bySecond }: Sums, second: string, kind: ReactionKind, count: number): void {
  const known = bySecond.get(second);
  if (known === undefined && bySecond.size >= mostSeconds) return;
  const counts = known ?? new Map<ReactionKind, number>();
  bySecond.set(second, counts);
  add(counts, kind, count);
}

function told({ counts, bySecond }: Sums): ReactionSums {
  const sums = { counts: Object.fromEntries(counts) };
  if (bySecond.size === 0) return sums;
  const seconds = [...bySecond].map(([second, at]) => [second, Object.fromEntries(at)] as const);
  return { ...sums, bySecond: Object.fromEntries(seconds) };
}
