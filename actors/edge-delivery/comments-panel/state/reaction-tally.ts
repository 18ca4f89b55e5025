/** How often each reaction was given in the last seconds, from the sums that the server tells; pure. */

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

/** `12`, `1.2k`, `3.4M`. */
export function shortNumber(count: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(count);
}
