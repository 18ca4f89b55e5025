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
  readonly atMs: number;
}

/** A reaction is alive for so long: before its second is reached, and after (A5). */
const aliveSeconds = 30;
const mostHeld = 200;

/** Reactions to what this viewer has not seen yet wait until they see it; those to what they saw long ago, or will see later still, float for others. */
export class ReactionsInTime {
  #held: readonly Held[] = [];

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
    this.#held = [...this.#held, ...near.filter(isAhead)].slice(-mostHeld);
    return [...countsIn(left), ...near.filter((one) => !isAhead(one))];
  }

  /** @returns what floats now, as the viewer has come to its second */
  due(playhead: number | undefined, nowMs: number): readonly Floating[] {
    const held = this.#held.filter(({ atMs }) => nowMs - atMs <= aliveSeconds * 1000);
    const isDue = ({ second }: Held): boolean => playhead === undefined || second <= playhead;
    this.#held = held.filter((one) => !isDue(one));
    return held.filter(isDue);
  }
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
