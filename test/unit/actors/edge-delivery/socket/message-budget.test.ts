import { expect, test } from 'vitest';
import { fullBudget, spend, type Spent } from '../../../../../actors/edge-delivery/socket/message-budget.ts';

/** Sends so many messages, one each `everyMs`. */
function send(count: number, everyMs: number, from = fullBudget(0), beginMs = 0): readonly Spent[] {
  let budget = from;
  return Array.from({ length: count }, (_, index) => {
    const spent = spend(budget, beginMs + index * everyMs);
    budget = spent.budget;
    return spent;
  });
}
const kinds = (spent: readonly Spent[]) => {
  const of = (kind: Spent['kind']): number => spent.filter((one) => one.kind === kind).length;
  return { allowed: of('allowed'), refused: of('refused'), flood: of('flood') };
};

test('20 messages a second are allowed for ever, and 40 at once', () => {
  expect(kinds(send(1000, 50))).toEqual({ allowed: 1000, refused: 0, flood: 0 });
  expect(kinds(send(50, 0))).toEqual({ allowed: 40, refused: 10, flood: 0 });
});

test('the sender is told once a second', () => {
  const told = send(150, 20).filter((one) => one.kind === 'refused' && one.isTold);
  expect(told.length).toBeLessThanOrEqual(3);
  expect(told.length).toBeGreaterThan(0);
});

test('a flood is one that goes on, and one that pauses begins anew', () => {
  expect(kinds(send(239, 0))).toEqual({ allowed: 40, refused: 199, flood: 0 });
  expect(kinds(send(240, 0))).toEqual({ allowed: 40, refused: 199, flood: 1 });
  const tired = send(239, 0).at(-1)?.budget ?? fullBudget(0);
  expect(kinds(send(100, 0, tired, 60_000))).toEqual({ allowed: 40, refused: 60, flood: 0 });
});
