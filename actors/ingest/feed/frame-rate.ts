/**
 * Chooses a period's frame rate (M7): what the encoder says if it is plausible, else the measured one, snapped to a
 * standard rate.
 */
import type { Ratio } from '../../../cluster/contract/renditions.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { maxFramesPerSecond } from '../../../cluster/model/media-limits.ts';
import { frameRateAdvice } from '../encoder-advice.ts';

const standardRates: readonly Ratio[] = [
  [1, 5],
  [1, 4],
  [1, 3],
  [1, 2],
  [1, 1],
  [2, 1],
  [3, 1],
  [4, 1],
  [5, 1],
  [6, 1],
  [8, 1],
  [10, 1],
  [12, 1],
  [15, 1],
  [20, 1],
  [24_000, 1001],
  [24, 1],
  [25, 1],
  [30_000, 1001],
  [30, 1],
  [48, 1],
  [50, 1],
  [60_000, 1001],
  [60, 1],
  [100, 1],
  [120_000, 1001],
  [120, 1],
];

/** A third of the distance between 29.97 and 30, on either side. */
const toldTolerance = 0.0003;
/** Times in whole milliseconds leave a doubt of this size over two seconds. */
const measuredTolerance = 0.01;
/** The slowest rate that is believed: a picture in ten seconds, because no keyframe interval may be longer. */
const slowest = 0.1;
/**
 * How far what the encoder says may lie from the measurement. 24 for 25 is wrong; 30 and 29.97 look the same within two
 * seconds.
 */
const plausible = 0.02;
/** The share of steps that must be alike for a feed to have a steady rate. */
const alike = 0.75;

function nearest(framesPerSecond: number): { readonly rate: Ratio; readonly error: number } {
  const byError = standardRates.map((rate) => ({
    rate,
    error: Math.abs(rate[0] / rate[1] / framesPerSecond - 1),
  }));
  return byError.reduce((best, one) => (one.error < best.error ? one : best));
}

function snap(framesPerSecond: number, tolerance: number): Ratio {
  const { rate, error } = nearest(framesPerSecond);
  if (error <= tolerance) return rate;
  return [Math.max(1, Math.round(framesPerSecond * 100)), 100];
}

/**
 * Measures the frames per second of presentation times in ms, in any order.
 *
 * The median of the steps would say 30.3 for 29.97, where steps of 33 and 34 ms alternate. The mean of the steps near
 * the median does not, and a hole does not move it. When fewer steps are alike (pictures that come in pairs, or only
 * when they change), the mean of all steps is the rate.
 *
 * @returns undefined for fewer than two different times
 */
export function measureFrameRate(timesMs: readonly number[]): number | undefined {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const steps = sorted
    .slice(1)
    .map((time, i) => time - (sorted[i] ?? time))
    .filter((step) => step > 0);
  const median = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)];
  if (median === undefined) return undefined;
  const near = steps.filter((step) => step > median / 2 && step < median * 1.5);
  return rateOf(near.length < alike * steps.length ? steps : near);
}

const rateOf = (steps: readonly number[]): number =>
  (1000 * steps.length) / steps.reduce((sum, step) => sum + step, 0);

/** @param told by the metadata or the sequence header, best first */
export function resolveFrameRate(told: readonly (number | undefined)[], measured: number | undefined): Ratio {
  const word = told.find((one) => isPlausible(one, measured));
  if (word !== undefined) return snap(word, toldTolerance);
  return snap(Math.min(measured ?? 25, maxFramesPerSecond), measuredTolerance);
}

function isPlausible(told: number | undefined, measured: number | undefined): told is number {
  if (told === undefined || told < slowest || told > maxFramesPerSecond) return false;
  return measured === undefined || Math.abs(told / measured - 1) <= plausible;
}

/** With fewer pictures than these the rate is too uncertain to refuse a feed for it. */
const enoughPictures = 60;

/** @throws TangazaError `CODEC_REFUSED` for video that is faster than players and segments allow */
export function checkFrameRate(pictures: number, measured: number | undefined): void {
  if (measured === undefined || pictures < enoughPictures) return;
  if (measured <= maxFramesPerSecond * (1 + plausible)) return;
  throw new TangazaError(
    'CODEC_REFUSED',
    `Video of ${Math.round(measured)} pictures a second is not taken: send at most ${maxFramesPerSecond} (${frameRateAdvice})`,
  );
}
