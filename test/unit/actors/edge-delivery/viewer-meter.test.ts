import { expect, test } from 'vitest';
import { ViewerMeter } from '../../../../actors/edge-delivery/public/viewer-meter.ts';

/** `viewers` each ask for a segment whenever one is over; sampled four times a second. */
function watch(meter: ViewerMeter, fromMs: number, forMs: number, { viewers = 0, segmentMs = 2000 }): void {
  for (let atMs = fromMs; atMs < fromMs + forMs; atMs += 250) {
    if (atMs % segmentMs === 0) meter.requests += viewers;
    meter.sample(atMs);
  }
}

test.each([
  [0, 2000],
  [1, 2000],
  [250, 2000],
  [3, 4000],
  [7, 10_000],
])('%i viewers of segments of %i ms are seen as so many', (viewers, segmentMs) => {
  const meter = new ViewerMeter();
  watch(meter, 0, 60_000, { viewers, segmentMs });
  expect(meter.viewers(segmentMs / 1000)).toBe(viewers);
});

test('who has just begun counts, and who has left is gone after ten seconds', () => {
  const meter = new ViewerMeter();
  watch(meter, 0, 20_000, { viewers: 5 });
  meter.requests += 3;
  expect(meter.viewers(2)).toBeGreaterThanOrEqual(5);
  watch(meter, 20_000, 11_000, { viewers: 0 });
  expect(meter.viewers(2)).toBe(0);
});
