/** How often each reaction was given in the last seconds, and which of them float now, from the sums that the server tells; pure. */

export const reactions = [
  { kind: 'heart', sign: '❤️', name: 'Heart' },
  { kind: 'clap', sign: '👏', name: 'Applause' },
  { kind: 'laugh', sign: '😂', name: 'Laughing' },
  { kind: 'wow', sign: '😮', name: 'Wow' },
  { kind: 'sad', sign: '😢', name: 'Sad' },
  { kind: 'fire', sign: '🔥', name: 'Fire' },
] as const;
export type ReactionKind = (typeof reactions)[number]['kind'];

/** By kind; a kind without any is absent. */
export type ReactionSums = Readonly<Partial<Record<ReactionKind, number>>>;

const toldForMs = 10_000;
/** The server tells at most five times a second. */
const mostWindows = 64;

export class ReactionTally {
  readonly #windows: { readonly atMs: number; readonly sums: ReactionSums }[] = [];

  add(sums: ReactionSums, nowMs: number): void {
    this.#windows.push({ atMs: nowMs, sums });
    if (this.#windows.length > mostWindows) this.#windows.shift();
  }

  of(kind: ReactionKind, nowMs: number): number {
    const recent = this.#windows.filter(({ atMs }) => nowMs - atMs < toldForMs);
    return recent.reduce((sum, { sums }) => sum + (sums[kind] ?? 0), 0);
  }
}

/** What was given in a window: of these sums, what its senders saw at which second of media. */
export interface GivenReactions {
  readonly sums: ReactionSums;
  readonly bySecond: readonly { readonly second: number; readonly sums: ReactionSums }[];
}

export interface Floating {
  readonly kind: ReactionKind;
  readonly count: number;
}

interface Held extends Floating {
  readonly second: number;
  /** When the last of them was told. */
  readonly atMs: number;
}

/** A reaction is alive for so long: before its second is reached, and after (A5). */
const aliveSeconds = 30;
/** Of each second ahead there is one of each kind; a viewer who jumps to and fro has more. */
const mostHeld = 200;
/** So far beyond a second without having stopped at it, the viewer has skipped it. */
const skippedSeconds = 3;

/**
 * Reactions to what this viewer has not seen yet wait until they see it; those to what they saw long ago, or will see later still, float for
 * others. Those of one kind float as one, with their sum: a busy stream has more than a picture has room for.
 */
export class ReactionsInTime {
  /** By second and kind, the one that was told last at the end. */
  readonly #held = new Map<string, Held>();

  /** @param playhead where the viewer is in the stream, in seconds; undefined while nobody knows: then all float at once @returns what floats at once */
  give({ sums, bySecond }: GivenReactions, playhead: number | undefined, nowMs: number): readonly Floating[] {
    const left = { ...sums };
    const ofSeconds = bySecond.flatMap(({ second, sums: at }) =>
      countsIn(at).map(({ kind, count }) => {
        left[kind] = Math.max(0, (left[kind] ?? 0) - count);
        return { kind, count, second, atMs: nowMs };
      }),
    );
    const isFar = ({ second }: Held): boolean =>
      playhead !== undefined && Math.abs(second - playhead) > aliveSeconds;
    const isAhead = ({ second }: Held): boolean => playhead !== undefined && second > playhead;
    const near = ofSeconds.filter((one) => !isFar(one));
    for (const one of near.filter(isAhead)) this.#hold(one);
    return summed([...countsIn(left), ...near.filter((one) => !isAhead(one))]);
  }

  /** @param playhead undefined while nobody knows: what waits waits on @returns what floats now, as the viewer has come to its second */
  due(playhead: number | undefined, nowMs: number): readonly Floating[] {
    const due: Held[] = [];
    for (const [key, one] of this.#held) {
      const isReached = playhead !== undefined && one.second <= playhead;
      const isOver = nowMs - one.atMs > aliveSeconds * 1000;
      if (isOver || isReached) this.#held.delete(key);
      if (isReached && !isOver && playhead - one.second < skippedSeconds) due.push(one);
    }
    return summed(due);
  }

  #hold(one: Held): void {
    const key = `${one.second} ${one.kind}`;
    const count = one.count + (this.#held.get(key)?.count ?? 0);
    this.#held.delete(key);
    this.#held.set(key, { ...one, count });
    const [oldest] = this.#held.keys();
    if (this.#held.size > mostHeld && oldest !== undefined) this.#held.delete(oldest);
  }
}

/** One of each kind. */
function summed(floating: readonly Floating[]): readonly Floating[] {
  const sums: Partial<Record<ReactionKind, number>> = {};
  for (const { kind, count } of floating) sums[kind] = (sums[kind] ?? 0) + count;
  return countsIn(sums);
}

function countsIn(sums: ReactionSums): readonly Floating[] {
  return reactions.flatMap(({ kind }) => {
    const count = sums[kind] ?? 0;
    return count > 0 ? [{ kind, count }] : [];
  });
}

/** `12`, `1.2k`, `3.4M`. */
export function shortNumber(count: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(count);
}
