import { expect, test } from 'vitest';
import { SessionWarnings } from '../../../../actors/ingest/session-warnings.ts';

test('a warning is told once in 10 s', () => {
  const warnings = new SessionWarnings();
  const told = [0, 9_999, 10_000, 10_001].map((atMs) => warnings.note('audioGap', 'a hole', atMs));
  expect(told).toEqual([true, false, true, false]);
});

test('a drift of audio, as each loop of a film brings it, is told once, and stays in health while it comes again', () => {
  const warnings = new SessionWarnings();
  const told = [0, 60_000, 120_000].map((atMs) => warnings.note('audioDrift', 'audio drifts', atMs));
  expect(told).toEqual([true, false, false]);
  expect(warnings.list(121_000)).toEqual(['audio drifts (3 times)']);
});
