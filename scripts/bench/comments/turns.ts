/** Many callers at once, of whom each asks again as soon as it is answered; and what they waited. */
export interface Turns {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Does `count` calls, `callers` of them at a time. @throws what a call throws */
export async function takeTurns(
  { count, callers }: { readonly count: number; readonly callers: number },
  call: (index: number) => Promise<void>,
): Promise<Turns> {
  const waitedMs: number[] = [];
  let next = 0;
  const one = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const begunMs = performance.now();
      await call(index);
      waitedMs.push(performance.now() - begunMs);
    }
  };
  const begunMs = performance.now();
  await Promise.all(Array.from({ length: callers }, one));
  const seconds = (performance.now() - begunMs) / 1000;
  const inOrder = waitedMs.toSorted((a, b) => a - b);
  const at = (share: number): number => inOrder[Math.floor(share * (inOrder.length - 1))] ?? NaN;
  return { perSecond: count / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** The median of each figure over several rounds. */
export function medianTurns(rounds: readonly Turns[]): Turns {
  const of = (figure: keyof Turns): number => median(rounds.map((round) => round[figure]));
  return { perSecond: of('perSecond'), p50Ms: of('p50Ms'), p99Ms: of('p99Ms') };
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
