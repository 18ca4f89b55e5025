/** How many messages a socket may send: a bucket that fills with time. What is over it is refused, and a flood ends the socket. */
export interface MessageBudget {
  readonly left: number;
  readonly atMs: number;
  /** How many were refused since the bucket was last full. */
  readonly refused: number;
  readonly toldMs: number;
}

export type Spent =
  | { readonly kind: 'allowed'; readonly budget: MessageBudget }
  /** `isTold`: its sender hears of it, once a second. */
  | { readonly kind: 'refused'; readonly budget: MessageBudget; readonly isTold: boolean }
  | { readonly kind: 'flood'; readonly budget: MessageBudget };

const burst = 40;
const perSecond = 20;
/** Who sends this many more than is allowed does not listen. */
const mostRefused = 200;
const tellEveryMs = 1000;

export const fullBudget = (nowMs: number): MessageBudget => ({
  left: burst,
  atMs: nowMs,
  refused: 0,
  toldMs: -Infinity,
});

export function spend(budget: MessageBudget, nowMs: number): Spent {
  const left = Math.min(burst, budget.left + ((nowMs - budget.atMs) / 1000) * perSecond);
  const refused = left >= burst ? 0 : budget.refused;
  if (left >= 1) return { kind: 'allowed', budget: { ...budget, left: left - 1, atMs: nowMs, refused } };
  const isTold = nowMs - budget.toldMs >= tellEveryMs;
  const after = {
    left,
    atMs: nowMs,
    refused: refused + 1,
    toldMs: isTold ? nowMs : budget.toldMs,
  };
  return after.refused >= mostRefused
    ? { kind: 'flood', budget: after }
    : { kind: 'refused', budget: after, isTold };
}
