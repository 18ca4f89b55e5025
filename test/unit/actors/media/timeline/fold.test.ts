/** The fold of the index log: fencing, periods, order, pending sources, trim, end and reopening (C1, C9, M1, M7, M11). */
import { describe, expect, test } from 'vitest';
import { applyEntry, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import { toSnapshot } from '../../../../../actors/media/timeline/snapshot.ts';
import { PeriodId, RenditionName } from '../../../../../cluster/model/ids.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { by, clockRecord, openRecord, sha } from '../../../../support/ports/records.ts';

const numbers = (log: LogBuilder): readonly (readonly number[])[] =>
  log.fold().periods.map((period) => period.segments.map((segment) => segment.number));

describe('a record is fenced (C1)', () => {
  test('an open of a higher epoch takes over, and what the old owner still writes is ignored and counted', () => {
    const log = new LogBuilder().open({ epoch: 1, bootId: 'b1' }).clock().segments(2);
    log.open({ epoch: 2, bootId: 'b2' });
    const stale = log.entries.find((entry) => entry.record.kind === 'commit');
    if (stale === undefined) throw new Error('no commit');
    log.add({ ...stale.record });
    log.segment();
    const timeline = log.fold();
    expect(timeline).toMatchObject({ epoch: 2, bootId: 'b2', ignored: 1, nextNumber: 3, lastSequence: 7 });
  });

  test('a record of the same epoch and another process is ignored', () => {
    const log = new LogBuilder().open({ epoch: 5, bootId: 'b1' }).clock().segment();
    log.add({ kind: 'end', ...by({ epoch: 5, bootId: 'b2' }), reason: 'not mine' });
    expect(log.fold()).toMatchObject({ state: 'live', ignored: 1, bootId: 'b1' });
  });

  test('an entry at or below the last sequence gives back the same timeline', () => {
    const timeline = new LogBuilder().open().clock().segment().fold();
    expect(applyEntry(timeline, { sequence: 3, record: openRecord({ epoch: 9 }) })).toBe(timeline);
  });
});

describe('a period', () => {
  test('has the sequence of its clock record for id, and the availability start of the first one for life (M1, M10)', () => {
    const log = new LogBuilder().open().clock().segment();
    log.add(clockRecord({}, { availabilityStartMs: 5, presentationZero90k: 180_000 }));
    const timeline = log.fold();
    expect(timeline.periods.map((period) => period.id)).toEqual([2, 4]);
    expect(timeline.availabilityStartMs).toBe(1_700_000_000_000);
  });

  // Method: in a log that went back, a period that names the last one; and one that does not (C7).
  test('has an id above the period that its clock record names, and none that was one already', () => {
    const log = new LogBuilder().open().clock().segment();
    log.add(clockRecord({}, { presentationZero90k: 180_000, above: PeriodId.parse(900) }));
    log.add(clockRecord({}, { presentationZero90k: 360_000 }));
    log.add(clockRecord({}, { presentationZero90k: 540_000, above: PeriodId.parse(3) }));
    const { periods, ignored } = log.fold();
    expect({ periods: periods.map(({ id }) => id), ignored }).toEqual({ periods: [2, 901], ignored: 2 });
  });

  test('takes inits from its clock for what is not encoded, and from the first commit for the rest (M7)', () => {
    const log = new LogBuilder()
      .open()
      .clock()
      .segment({ absent: ['h264-480p'] })
      .segment();
    const first = log.fold().periods[0]?.inits;
    expect(Object.keys(first ?? {})).toEqual([
      'h264-720p',
      'aac-128k',
      'h264-360p',
      'h264-240p',
      'h264-480p',
    ]);
    log.add({
      kind: 'commit',
      ...by(),
      number: 2,
      period: PeriodId.parse(2),
      start90k: 360_000,
      duration90k: 180_000,
      renditions: {},
      inits: { [RenditionName.parse('h264-480p')]: { sha256: sha('ff'), bytes: 1 } },
    });
    expect(log.fold().periods[0]?.inits).toEqual(first);
  });

  test('counts as a discontinuity only from its first segment on', () => {
    const log = new LogBuilder().open().clock().segment().clock().clock().segment();
    const timeline = log.fold();
    expect(timeline.periods.map(({ id, ordinal }) => [Number(id), ordinal])).toEqual([
      [2, 0],
      [5, 1],
    ]);
    expect(timeline.nextOrdinal).toBe(2);
  });

  test('still takes the segments it had in work when the next one opens, until that one has its first', () => {
    const log = new LogBuilder().open().clock().segment().source(180_000);
    const late = log.sourceRecord();
    log.add(clockRecord({}, { presentationZero90k: 900_000 }));
    log.add({
      kind: 'gap',
      ...by(),
      number: 1,
      period: late.period,
      start90k: late.start90k,
      duration90k: 180_000,
      reason: 'late',
    });
    const newer = PeriodId.parse(5);
    log.add({
      kind: 'gap',
      ...by(),
      number: 2,
      period: newer,
      start90k: 0,
      duration90k: 180_000,
      reason: 'first of the new one',
    });
    log.add({
      kind: 'gap',
      ...by(),
      number: 3,
      period: late.period,
      start90k: 360_000,
      duration90k: 180_000,
      reason: 'too late',
    });
    expect(numbers(log)).toEqual([[0, 1], [2]]);
    expect(log.fold()).toMatchObject({ ignored: 1, nextNumber: 3 });
    expect(log.fold().pending.size).toBe(0);
  });

  test('begins a run whenever the set of present rungs changes, but not at a gap of all (M13)', () => {
    const log = new LogBuilder()
      .open()
      .clock()
      .segments(2)
      .gap()
      .segment()
      .segments(2, { absent: ['h264-720p'] })
      .segment();
    expect(log.fold().periods[0]?.runs).toEqual([
      { firstNumber: 0, start90k: 0, present: ['h264-720p', 'h264-480p', 'h264-360p', 'h264-240p'] },
      { firstNumber: 4, start90k: 720_000, present: ['h264-480p', 'h264-360p', 'h264-240p'] },
      { firstNumber: 6, start90k: 1_080_000, present: ['h264-720p', 'h264-480p', 'h264-360p', 'h264-240p'] },
    ]);
  });

  test('begins no run at a commit that has sound but no picture (M13)', () => {
    const all = ['h264-720p', 'h264-480p', 'h264-360p', 'h264-240p'];
    const log = new LogBuilder().open().clock().segments(2).segment({ absent: all }).segment();
    expect(log.fold().periods[0]?.runs).toHaveLength(1);
  });

  test('that waits behind another one counts after it', () => {
    const log = new LogBuilder().open().clock().segment().clock();
    const first = log.sourceRecord().period;
    log.clock();
    const second = log.sourceRecord().period;
    const gap = { kind: 'gap', ...by(), start90k: 0, duration90k: 180_000, reason: 'test' } as const;
    log.add({ ...gap, number: 1, period: first });
    log.add({ ...gap, number: 2, period: second });
    expect(log.fold().periods.map((period) => period.ordinal)).toEqual([0, 1, 2]);
    expect(log.fold()).toMatchObject({ nextOrdinal: 3, ignored: 0 });
  });

  test('that never has a segment is forgotten when there are too many', () => {
    const log = new LogBuilder().open();
    for (let count = 0; count < 50; count += 1) log.clock().source();
    expect(log.fold().periods).toHaveLength(8);
    expect(log.fold().pending.size).toBe(8);
  });
});

describe('order (C9)', () => {
  const place = { period: PeriodId.parse(2), duration90k: 180_000, reason: 'test' };
  const rows = [
    ['a number that was given', { ...place, number: 1, start90k: 360_000 }],
    ['a number that skips one', { ...place, number: 3, start90k: 360_000 }],
    ['a start inside of the last segment', { ...place, number: 2, start90k: 359_999 }],
    ['an unknown period', { ...place, number: 2, start90k: 360_000, period: PeriodId.parse(77) }],
  ] as const;
  test.for(rows)('%s is ignored and counted', ([, row]) => {
    const log = new LogBuilder().open().clock().segments(2);
    const before = log.fold();
    log.add({ kind: 'gap', ...by(), ...row });
    expect(log.fold()).toEqual({ ...before, lastSequence: 5, ignored: 1 });
  });

  test('a log whose beginning was purged starts at its first number', () => {
    const log = new LogBuilder().open().clock();
    log.add({
      kind: 'gap',
      ...by(),
      number: 41,
      period: PeriodId.parse(2),
      start90k: 0,
      duration90k: 180_000,
      reason: 'first kept',
    });
    expect(log.fold()).toMatchObject({ firstNumber: 41, nextNumber: 42, ignored: 0 });
  });

  test('the longest segment is never forgotten, audio and gaps included (M11)', () => {
    const log = new LogBuilder().open().clock().segment({ duration90k: 401_000 }).segments(3);
    expect(log.fold().longest90k).toBe(401_280);
    log.trim(3);
    expect(log.fold().longest90k).toBe(401_280);
    expect(log.gap(500_000).fold().longest90k).toBe(500_000);
  });
});

describe('pending sources', () => {
  test('wait in log order until their commit or gap', () => {
    const log = new LogBuilder().open().clock().source().source(180_000).source(360_000).segment();
    expect([...log.fold().pending.keys()]).toEqual(['2/180000', '2/360000']);
    expect([...log.gap().fold().pending.keys()]).toEqual(['2/360000']);
  });

  test('a second offer of one start, and one of what is decided, are ignored', () => {
    const log = new LogBuilder().open().clock().source().source().segment();
    log.add({ ...log.sourceRecord(), start90k: 0 });
    expect(log.fold()).toMatchObject({ ignored: 2 });
    expect(log.fold().pending.size).toBe(0);
  });

  test('one that a later commit has passed cannot be decided any more and goes', () => {
    const log = new LogBuilder().open().clock().source().source(180_000).hole(180_000).segment();
    expect(log.fold().pending.size).toBe(0);
  });

  test('are bounded: the oldest goes first', () => {
    const log = new LogBuilder().open().clock();
    for (let count = 0; count < 1030; count += 1) log.source(count * 180_000);
    const timeline = log.fold();
    expect(timeline.pending.size).toBe(1024);
    expect(timeline.pending.has('2/0')).toBe(false);
    expect(timeline.ignored).toBe(6);
  });
});

describe('end and trim', () => {
  test('after an end a new clock goes live again, numbers go on', () => {
    const log = new LogBuilder().open().clock().segments(2).source().end();
    expect(log.fold()).toMatchObject({ state: 'ended' });
    expect(log.fold().pending.size).toBe(0);
    log.open({ epoch: 2, bootId: 'b2' }).clock(undefined, 40).segment();
    expect(log.fold()).toMatchObject({ state: 'live', nextNumber: 3, ignored: 0 });
    expect(numbers(log)).toEqual([[0, 1], [2]]);
  });

  test('a trim drops segments, runs and periods below it, and the period that may still grow stays', () => {
    const log = new LogBuilder()
      .open()
      .clock()
      .segments(3)
      .clock()
      .segments(2, { absent: ['h264-720p'] })
      .segments(2);
    expect(numbers(log.trim(2))).toEqual([[2], [3, 4, 5, 6]]);
    expect(numbers(log.trim(6))).toEqual([[6]]);
    expect(log.fold().periods[0]?.runs).toHaveLength(1);
    expect(numbers(log.trim(99))).toEqual([[]]);
    expect(log.fold().firstNumber).toBe(7);
    log.trim(1).segment();
    expect(log.fold()).toMatchObject({ firstNumber: 7, nextNumber: 8 });
    expect(log.fold().periods[0]?.ordinal).toBe(1);
  });

  test('publish time is the last change that viewers see, and never goes back', () => {
    const log = new LogBuilder().open().clock().segment();
    const shown = log.fold().publishedAtMs;
    expect(shown).toBe(log.entries.at(-1)?.record.atMs);
    expect(log.source().open({ epoch: 3 }).fold().publishedAtMs).toBe(shown);
    const last = log.end().entries.at(-1);
    if (last === undefined) throw new Error('no record');
    const early = { ...last, record: { ...last.record, atMs: 1 } };
    expect(applyEntry(log.fold(log.entries.length - 1), early)).toMatchObject({
      state: 'ended',
      publishedAtMs: shown,
    });
  });
});

// Goal: a day folds in linear time. Method: 43,200 segments of six renditions; a quadratic fold would take minutes and
// end in the time-out of the test.
test('a day of 2 s segments folds, and a trim at each of its last segments does, too', () => {
  const log = new LogBuilder().open().clock().segments(43_200);
  let timeline = log.fold();
  let sequence = timeline.lastSequence;
  for (let number = 40_000; number < 43_000; number += 1) {
    sequence += 1;
    timeline = applyEntry(timeline, { sequence, record: { kind: 'trim', ...by(), firstNumber: number } });
  }
  expect(timeline).toMatchObject({ nextNumber: 43_200, firstNumber: 42_999, ignored: 0 });
  expect(timeline.periods[0]?.segments).toHaveLength(201);
});

test('two empty timelines share nothing', () => {
  applyEntry(emptyTimeline(), { sequence: 1, record: clockRecord() });
  expect(emptyTimeline().periods).toEqual([]);
});

// Goal: an edge that missed a period learns of it from the snapshot that brings it back (C7). Method: a fold without the period's
// record, and a snapshot of one with it, at the same number.
test('a period that was lost before its first segment comes back with a snapshot', () => {
  const before = new LogBuilder().open().clock().segments(3).fold();
  const known = new LogBuilder().open().clock().segments(3).clock().fold();
  const state: unknown = JSON.parse(JSON.stringify(toSnapshot(known)));
  const record = { kind: 'snapshot' as const, ...by(), nextNumber: known.nextNumber, state };
  const after = applyEntry(before, { sequence: before.lastSequence + 5, record });
  expect(after.periods.map(({ id }) => id)).toEqual(known.periods.map(({ id }) => id));
  expect({
    segments: after.periods[0]?.segments.length,
    nextNumber: after.nextNumber,
    ignored: after.ignored,
  }).toEqual({ segments: 3, nextNumber: 3, ignored: 0 });
});
