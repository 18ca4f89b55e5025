/** What `/readyz` says of a segment store that fails: since when, why, and for how long. */
import { expect, test } from 'vitest';
import { StoreHealth } from '../../../../actors/segment-store/store-health.ts';
import { JumpingClock } from '../../../support/ports/jumping-clock.ts';

function watched() {
  const clock = new JumpingClock();
  const health = new StoreHealth(clock);
  const saidAt = (nowMs: number) => {
    clock.nowMs = nowMs;
    return health.parts().map(({ detail }) => detail);
  };
  const failAt = (nowMs: number) => {
    clock.nowMs = nowMs;
    health.note('write', 'the disk is full');
  };
  return { health, saidAt, failAt };
}

test('one fault is told from one that lasts', () => {
  const { saidAt, failAt } = watched();
  failAt(0);
  const once = saidAt(3000);
  failAt(40_000);
  expect({ once, again: saidAt(43_000) }).toEqual({
    once: ['storing fails, once, 3 s ago: the disk is full'],
    again: ['storing fails, first 43 s ago, last 3 s ago: the disk is full'],
  });
});

test('what nobody has tried for a minute is not said, and begins anew', () => {
  const { saidAt, failAt } = watched();
  failAt(0);
  const said = { at60s: saidAt(60_000).length, at61s: saidAt(61_000).length };
  failAt(70_000);
  expect({ ...said, again: saidAt(71_000) }).toEqual({
    at60s: 1,
    at61s: 0,
    again: ['storing fails, once, 1 s ago: the disk is full'],
  });
});

test('only a use of the same kind that works takes the words away', () => {
  const { health, saidAt, failAt } = watched();
  failAt(0);
  health.note('read', undefined);
  health.note('delete', undefined);
  const others = saidAt(0).length;
  health.note('write', undefined);
  expect({ others, same: saidAt(0).length }).toEqual({ others: 1, same: 0 });
});
