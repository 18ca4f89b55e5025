/** The compact state of a fold: its size, and that nothing strange is ever taken for one. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromSnapshot, toSnapshot } from '../../../../../actors/media/timeline/snapshot.ts';
import { applyEntry, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import type { Rendition } from '../../../../../cluster/contract/renditions.ts';
import { PeriodId, RenditionName } from '../../../../../cluster/model/ids.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { by, fullLadder } from '../../../../support/ports/records.ts';

const sixRenditions: readonly Rendition[] = [
  ...fullLadder.slice(0, 1).map((one) => ({ ...one, name: RenditionName.parse('h264-1080p') })),
  ...fullLadder,
];
const throughJson = (state: unknown): unknown => JSON.parse(JSON.stringify(state));

test('half an hour of six renditions stays below 900 kB, hence below what NATS takes', () => {
  const timeline = new LogBuilder().open().clock(sixRenditions).segments(900, { bytes: 1_234_567 }).fold();
  const text = JSON.stringify(toSnapshot(timeline));
  expect(text.length).toBeLessThan(400_000);
  expect(fromSnapshot(throughJson(toSnapshot(timeline)))).toEqual(timeline);
});

test('gaps, absent rungs of every reason, several periods and pending sources come back as they were', () => {
  const log = new LogBuilder()
    .open()
    .clock()
    .segment({ absent: ['h264-720p'] })
    .gap(90_000)
    .segment()
    .source();
  log.clock(undefined, 7).segments(2).end().clock().source(1).source(2).trim(1);
  const timeline = log.fold();
  expect(fromSnapshot(throughJson(toSnapshot(timeline)))).toEqual(timeline);
});

test.for(['late', 'failed', 'dropped', 'missing'] as const)(
  'a rung that is absent because %s stays so',
  (absent) => {
    const log = new LogBuilder().open().clock();
    const renditions = { [RenditionName.parse('h264-720p')]: { absent } };
    const place = { number: 0, period: PeriodId.parse(2), start90k: 0, duration90k: 180_000 };
    const timeline = log.fold();
    const folded = applyEntry(timeline, {
      sequence: 3,
      record: { kind: 'commit', ...by(), ...place, renditions },
    });
    expect(folded.nextNumber).toBe(1);
    expect(fromSnapshot(throughJson(toSnapshot(folded)))).toEqual(folded);
  },
);

test('a snapshot from a number on is what a trim to that number leaves', () => {
  const log = new LogBuilder()
    .open()
    .clock()
    .segments(5, { absent: ['h264-720p'] })
    .segments(5)
    .clock()
    .segments(4);
  const short = fromSnapshot(throughJson(toSnapshot(log.fold(), 7)));
  const { lastSequence } = log.fold();
  expect(short).toEqual({ ...log.trim(7).fold(), lastSequence });
});

test('a broken snapshot is refused, counted, and leaves the timeline as it is', () => {
  const timeline = new LogBuilder().open().clock().segments(2).fold();
  const state = { ...Object(toSnapshot(timeline)), periods: [{ id: 1 }] };
  const record = { kind: 'snapshot' as const, ...by(), nextNumber: 9, state };
  expect(applyEntry(emptyTimeline(), { sequence: 1, record })).toMatchObject({ ignored: 1, nextNumber: 0 });
});

test('no text in place of hashes or rows makes it throw', () => {
  const good = throughJson(toSnapshot(new LogBuilder().open().clock().segments(3).gap().fold()));
  const text = JSON.stringify(good);
  fc.assert(
    fc.property(fc.nat(text.length), fc.nat(12), fc.string({ maxLength: 4 }), (from, length, other) => {
      const state = parsed(text.slice(0, from) + other + text.slice(from + length));
      const result = fromSnapshot(state);
      if (result !== undefined)
        expect(result.periods.every((period) => Array.isArray(period.segments))).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
