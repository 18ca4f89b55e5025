import { expect, test } from 'vitest';
import { chooseBitrate } from '../../../../../actors/ingest/feed/period.ts';

test.for([
  ['nothing told: the measurement', undefined, 90_000, 90_000],
  ['nothing measured: what was told', 128_000, 0, 128_000],
  ['a silent beginning measures less than the encoder says: its word', 128_000, 18_000, 128_000],
  ['a word that the measurement belies: the measurement', 30_000, 128_000, 128_000],
  ['a word beyond all bitrates: the measurement', 9e9, 128_000, 128_000],
] as const)('%s', ([, told, measured, expected]) => {
  expect(chooseBitrate(told, measured)).toBe(expected);
});
