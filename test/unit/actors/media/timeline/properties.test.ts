/** What must hold of every log, whoever wrote it: nothing goes back, a snapshot replaces its past, equal logs are equal bytes. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mpd } from '../../../../../actors/media/dash/mpd.ts';
import { dashPeriods } from '../../../../../actors/media/dash/periods.ts';
import { mediaPlaylist } from '../../../../../actors/media/hls/media-playlist.ts';
import { applyEntry, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import { toSnapshot } from '../../../../../actors/media/timeline/snapshot.ts';
import type { Timeline } from '../../../../../actors/media/timeline/timeline.ts';
import type { IndexEntry, IndexRecord } from '../../../../../cluster/contract/index-records.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { by, fullLadder, passThroughOnly, stream } from '../../../../support/ports/records.ts';

const options = {
  streamId: stream,
  dvrWindowSeconds: 40,
  leastHoldBackSeconds: 10,
  edges: { revision: 0, edges: [] },
};

type Step = (log: LogBuilder) => void;
const rungs = fc.subarray(['h264-720p', 'h264-480p', 'h264-360p']);
const duration = fc.integer({ min: 45_000, max: 1_000_000 });

/** Things an owner does, and things that a log must survive. */
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(duration, rungs).map(
      ([duration90k, absent]): Step =>
        (log) =>
          log.segment({ duration90k, absent }),
    ),
  },
  {
    weight: 2,
    arbitrary: duration.map(
      (duration90k): Step =>
        (log) =>
          log.gap(duration90k),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 0, max: 720_000 }).map(
      (ahead): Step =>
        (log) =>
          log.source(ahead),
    ),
  },
  {
    weight: 1,
    arbitrary: duration.map(
      (ticks): Step =>
        (log) =>
          log.hole(ticks),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(fullLadder, passThroughOnly), fc.integer({ min: 0, max: 40 })).map(
      ([ladder, after]): Step =>
        (log) =>
          log.clock(ladder, after),
    ),
  },
  { weight: 1, arbitrary: fc.constant((log: LogBuilder) => log.takeOver()) },
  {
    weight: 1,
    arbitrary: fc.nat(30).map(
      (number): Step =>
        (log) =>
          log.trim(number),
    ),
  },
  { weight: 1, arbitrary: fc.constant((log: LogBuilder) => log.end().clock()) },
  {
    weight: 1,
    arbitrary: fc.nat(1000).map(
      (which): Step =>
        (log) =>
          repeat(log, which),
    ),
  },
);

/** Says an old record again: a lost ack, or a writer that does not know better. */
function repeat(log: LogBuilder, which: number): void {
  const old = log.entries[which % Math.max(1, log.entries.length)];
  if (old !== undefined) log.add(old.record);
}

const anyLog = fc.array(step, { maxLength: 60 }).map((steps) => {
  const log = new LogBuilder().open().clock();
  for (const act of steps) act(log);
  return log;
});

function sequencesOf(timeline: Timeline): readonly number[] {
  const playlist = mediaPlaylist(timeline, 'h264-240p', options) ?? '';
  const read = (name: string): number => Number(new RegExp(`${name}:(\\d+)`).exec(playlist)?.[1] ?? 0);
  return [
    read('MEDIA-SEQUENCE'),
    read('DISCONTINUITY-SEQUENCE'),
    read('TARGETDURATION'),
    timeline.firstNumber,
    timeline.nextNumber,
    timeline.epoch,
    timeline.publishedAtMs,
    timeline.ignored,
  ];
}

/** Each number of a playlist with its discontinuity sequence and URI. */
function shown(timeline: Timeline): ReadonlyMap<number, string> {
  const lines = (mediaPlaylist(timeline, 'h264-240p', options) ?? '').split('\n');
  const value = (name: string): number =>
    Number(lines.find((line) => line.startsWith(name))?.slice(name.length) ?? 0);
  let [number, discontinuity] = [value('#EXT-X-MEDIA-SEQUENCE:'), value('#EXT-X-DISCONTINUITY-SEQUENCE:')];
  const result = new Map<number, string>();
  for (const line of lines) {
    if (line === '#EXT-X-DISCONTINUITY') discontinuity += 1;
    if (line === '' || line.startsWith('#')) continue;
    result.set(number, `${discontinuity} ${line}`);
    number += 1;
  }
  return result;
}

test('no number that a viewer sees ever goes back, and a number keeps its segment and its discontinuity', () => {
  fc.assert(
    fc.property(anyLog, (log) => {
      let timeline = emptyTimeline();
      let [before, known] = [sequencesOf(timeline), shown(timeline)];
      for (const entry of log.entries) {
        timeline = applyEntry(timeline, entry);
        const [after, now] = [sequencesOf(timeline), shown(timeline)];
        after.forEach((value, index) => expect(value).toBeGreaterThanOrEqual(before[index] ?? 0));
        for (const [number, segment] of now) if (known.has(number)) expect(segment).toBe(known.get(number));
        [before, known] = [after, now];
      }
    }),
    { numRuns: 200 },
  );
});

test('a Period of the MPD keeps its name and its start while the window slides over it', () => {
  fc.assert(
    fc.property(anyLog, (log) => {
      let timeline = emptyTimeline();
      const starts = new Map<string, number>();
      for (const entry of log.entries) {
        timeline = applyEntry(timeline, entry);
        if (timeline.state === 'ended') continue;
        const periods = dashPeriods(timeline, 40);
        for (const { id, startUs } of periods) {
          expect(starts.get(id) ?? startUs).toBe(startUs);
          starts.set(id, startUs);
        }
        periods
          .slice(1)
          .forEach(({ startUs }, index) => expect(startUs).toBeGreaterThan(periods[index]?.startUs ?? 0));
        for (const [index, { startUs, durationUs = 0 }] of periods.entries()) {
          expect(startUs + durationUs).toBeLessThanOrEqual(periods[index + 1]?.startUs ?? Infinity);
        }
      }
    }),
  );
});

test('the kept numbers are a row without a hole', () => {
  fc.assert(
    fc.property(anyLog, (log) => {
      const timeline = log.fold();
      const numbers = timeline.periods.flatMap((period) => period.segments.map((segment) => segment.number));
      const expected = Array.from(
        { length: timeline.nextNumber - timeline.firstNumber },
        (_, index) => timeline.firstNumber + index,
      );
      expect(numbers).toEqual(expected);
    }),
  );
});

// Goal: what lies before a snapshot may be purged (C1). Method: at any place of any log the owner writes its state; a fold
// that sees all of the log and one that sees the snapshot and the tail agree, in value and in bytes.
test('a snapshot and the tail fold to what the whole log folds to', () => {
  fc.assert(
    fc.property(anyLog, fc.nat(), (log, at) => {
      const cut = 2 + (at % (log.entries.length - 1));
      const past = log.fold(cut);
      const record: IndexRecord = {
        kind: 'snapshot',
        ...by({ epoch: past.epoch, bootId: past.bootId ?? 'b1' }),
        nextNumber: past.nextNumber,
        state: JSON.parse(JSON.stringify(toSnapshot(past))),
      };
      const snapshot: IndexEntry = { sequence: cut + 1, record };
      const tail = log.entries.slice(cut).map((entry) => ({ ...entry, sequence: entry.sequence + 1 }));
      const whole = [...log.entries.slice(0, cut), snapshot, ...tail].reduce(applyEntry, emptyTimeline());
      const rest = [snapshot, ...tail].reduce(applyEntry, emptyTimeline());
      expect(rest).toEqual(whole);
      expect(mpd(rest, options)).toBe(mpd(whole, options));
    }),
    { numRuns: 200 },
  );
});
