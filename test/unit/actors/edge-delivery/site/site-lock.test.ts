import { expect, test } from 'vitest';
import { isNamesake } from '../../../../../actors/edge-delivery/site/site.disk.ts';

test('a lock with our own pid from before we began is of a process that is gone; one that we took is ours', () => {
  const own = { pid: 7, atMs: 1000 };
  expect(isNamesake({ pid: 7, atMs: 400 }, own)).toBe(true);
  expect(isNamesake({ pid: 7, atMs: 2000 }, own)).toBe(false);
  expect(isNamesake({ pid: 8, atMs: 400 }, own)).toBe(false);
});
