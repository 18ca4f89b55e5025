/** Feeds that encoders in the field send and that must go on air as they are: no refusal, no warning, one period. */
import { expect, test } from 'vitest';
import { feed, periodsOf, play, refusalsOf, segmentsOf, wallOfMedia } from '../../../support/flv-builders.ts';

test.each([
  { framesPerSecond: 0.2, gopSeconds: 5, frameRate: [1, 5] },
  { framesPerSecond: 0.5, gopSeconds: 2, frameRate: [1, 2] },
  { framesPerSecond: 1, gopSeconds: 2, frameRate: [1, 1] },
  { framesPerSecond: 2, gopSeconds: 2, frameRate: [2, 1] },
  { framesPerSecond: 5, gopSeconds: 2, frameRate: [5, 1] },
  { framesPerSecond: 7, gopSeconds: 2, frameRate: [700, 100] },
  { framesPerSecond: 30_000 / 1001, gopSeconds: 2, frameRate: [30_000, 1001] },
  { framesPerSecond: 50, gopSeconds: 2, frameRate: [50, 1] },
  { framesPerSecond: 120, gopSeconds: 2, frameRate: [120, 1] },
])('a feed of $framesPerSecond pictures a second says so, also where the header does not', (shape) => {
  const played = play(feed({ seconds: 30, ...shape }), { wallMs: wallOfMedia() });
  expect(refusalsOf(played)).toEqual([]);
  expect(periodsOf(played).map(({ video }) => video?.source.frameRate)).toEqual([shape.frameRate]);
  expect(segmentsOf(played).length).toBeGreaterThan(4);
});
