/** A read that is older than what was known: a deposed leader's, or of a bucket that begins again. */
import { expect, test } from 'vitest';
import { OlderReads } from '../../../../cluster/membership/older-reads.ts';

test('one older read proves nothing, and one that is not older begins the count again', () => {
  const reads = new OlderReads();
  expect(reads.prove(true, 0)).toBe(false);
  expect(reads.prove(true, 2999)).toBe(false);
  expect(reads.prove(false, 3000)).toBe(false);
  expect(reads.prove(true, 3100)).toBe(false);
  expect(reads.prove(true, 6099)).toBe(false);
});

test('what is older for 3 s is all there is', () => {
  const reads = new OlderReads();
  reads.prove(true, 1000);
  expect(reads.prove(true, 4000)).toBe(true);
});
