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

test('what is expected or mended is listed and is no fault; the newest harm is', () => {
  const warnings = new SessionWarnings();
  warnings.note('beforeKeyframe', 'pictures before the first keyframe are dropped', 0);
  expect({ listed: warnings.list(1000).length, fault: warnings.fault(1000) }).toEqual({
    listed: 1,
    fault: undefined,
  });
  warnings.note('audioGap', 'sound is missing', 1000);
  warnings.note('interlaced', 'the video is interlaced', 2000);
  expect({ listed: warnings.list(2000).length, fault: warnings.fault(2000) }).toEqual({
    listed: 3,
    fault: 'sound is missing',
  });
});
