/** The counted audio clock (M9): holes, lateness, drift. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AudioClock } from '../../../../../actors/ingest/feed/audio-clock.ts';

const silence = Uint8Array.of(0);
const real = Uint8Array.of(1);
const rate = 48_000;
const spf = 1024;
const make = (): AudioClock => new AudioClock({ sampleRate: rate, samplesPerFrame: spf, silence });

test('frames lie back to back, whatever the milliseconds say', () => {
  const clock = make();
  for (let i = 0; i < 1000; i += 1) clock.push(Math.round((i * spf * 1000) / rate) * 48, real);
  expect(clock.next).toBe(1000 * spf);
  expect(clock.takeUntil(2 * rate)).toMatchObject({ start: 0, end: 94 * spf });
});

test('the first frame is the first at or after the first picture', () => {
  const clock = make();
  expect({
    before: clock.push(-500, real),
    across: clock.push(-1, real),
    behind: clock.push(523, real),
  }).toEqual({ before: 'early', across: 'early', behind: 'taken' });
  expect(clock.takeUntil(rate)).toMatchObject({ start: 523, end: 523 + spf });
});

test('a first frame that comes late has silence before it, from the first picture on', () => {
  const clock = make();
  expect(clock.push(1.5 * rate, real)).toBe('gap');
  const { start, frames } = clock.takeUntil(2 * rate);
  expect(start).toBeLessThan(spf);
  expect(frames.filter(({ isSilent }) => isSilent).length).toBe(70);
  expect(frames.filter(({ isSilent }) => !isSilent).length).toBe(1);
});

test('a jump ahead is bridged by as many silent frames as it lasts, a step back drops what is late', () => {
  const clock = make();
  for (let i = 0; i < 10; i += 1) clock.push(i * spf, real);
  expect(clock.push(60 * spf, real)).toBe('gap');
  expect(clock.next).toBe(61 * spf);
  expect(clock.push(20 * spf, real)).toBe('late');
  expect(clock.push(60 * spf, real)).toBe('late');
  expect(clock.push(61 * spf + 100, real)).toBe('taken');
  expect(clock.next).toBe(62 * spf);
});

test('after silence was put in, frames join where they belong, not where they arrive', () => {
  const clock = make();
  clock.push(0, real);
  expect(clock.fillTo(50 * spf)).toBe(49);
  expect({
    first: clock.push(48 * spf, real),
    second: clock.push(49 * spf, real),
    third: clock.push(50 * spf, real),
  }).toEqual({ first: 'late', second: 'late', third: 'taken' });
  expect(clock.next).toBe(51 * spf);
});

// Goal: the counted clock follows a sound card that runs fast or slow. Method: ten minutes of frames whose FLV times run
// at another rate; borders every 2 s. The error must stay within two frames, by single corrections.
test.each([-0.002, -0.0005, 0.0005, 0.002])('drift of %f is corrected a frame at a time', (drift) => {
  const clock = make();
  let worst = 0;
  let border = 2 * rate;
  for (let i = 0; (i * spf) / rate < 600; i += 1) {
    const time = i * spf * (1 + drift);
    clock.push(Math.round(time / 48) * 48, real);
    worst = Math.max(worst, Math.abs(time + spf - clock.next));
    if (clock.hasPassed(border)) {
      clock.takeUntil(border);
      border += 2 * rate;
    }
  }
  expect(clock.corrections).toBeGreaterThan(Math.abs(drift) * 600 * (rate / spf) * 0.8);
  expect(clock.corrections).toBeLessThan(Math.abs(drift) * 600 * (rate / spf) + 3);
  expect(worst).toBeLessThan(3 * spf);
});

test('jitter of 300 ms around the right time corrects nothing', () => {
  const clock = make();
  for (let i = 0; i < 2000; i += 1) {
    clock.push(i * spf + (i % 2 === 0 ? 1 : -1) * 0.3 * rate, real);
    if (i % 94 === 93) clock.takeUntil(i * spf);
  }
  expect(clock.corrections).toBe(0);
});

test('whatever comes, stretches tile: each begins where the one before ended', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -40_000, max: 200_000 }), fc.boolean()), { maxLength: 200 }),
      (steps) => {
        const clock = make();
        let time = 0;
        let end: number | undefined;
        for (const [step, isBorder] of steps) {
          time = Math.max(0, time + step);
          clock.push(time, real);
          if (!isBorder) continue;
          clock.fillTo(time);
          const stretch = clock.takeUntil(time);
          if (end !== undefined) expect(stretch.start).toBe(end);
          expect(stretch.end - stretch.start).toBe(stretch.frames.length * spf);
          end = stretch.end;
        }
      },
    ),
    { numRuns: 300 },
  );
});
