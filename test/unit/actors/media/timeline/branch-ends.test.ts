/** What happens to a region's log around a change of region: ends, losses, what the store lacks, and who goes on (R6, R8). */
import { describe, expect, test } from 'vitest';
import { mediaPlaylist } from '../../../../../actors/media/hls/media-playlist.ts';
import {
  applyEntry,
  changesFold,
  emptyTimeline,
  rewound,
} from '../../../../../actors/media/timeline/fold.ts';
import { adopted, graft, type HomeFold } from '../../../../../actors/media/timeline/graft.ts';
import { mediaOf, presentationTime90k } from '../../../../../actors/media/timeline/query.ts';
import { fromSnapshot, toSnapshot } from '../../../../../actors/media/timeline/snapshot.ts';
import type { FoldedTimeline, Timeline } from '../../../../../actors/media/timeline/timeline.ts';
import { firstNeeded } from '../../../../../actors/media/timeline/window.ts';
import { relayedRecord } from '../../../../../actors/stream/relay/relay-steps.ts';
import type { IndexEntry, IndexRecord } from '../../../../../cluster/contract/index-records.ts';
import { BootId, Epoch, RegionId, RenditionName } from '../../../../../cluster/model/ids.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { by, passThroughOnly, stream } from '../../../../support/ports/records.ts';
import { epochOf, placeOf, relayInto } from '../../../../support/ports/relayed.ts';

const fold = (entries: readonly IndexEntry[]): FoldedTimeline => entries.reduce(applyEntry, emptyTimeline());
const other = { epoch: epochOf(1, 1), bootId: 'b-other' };
const eu = RegionId.parse('eu');
const from = (number: number) => ({ region: eu, epoch: Epoch.parse(1), number });
const shared = (): LogBuilder => new LogBuilder().open().clock().segments(10);
const homeOf = (timeline: FoldedTimeline): HomeFold => ({
  timeline,
  epoch: timeline.epoch,
  bootId: timeline.bootId ?? BootId.parse('none'),
});
const mergedInto = (own: Timeline, home: LogBuilder): FoldedTimeline =>
  graft(own, homeOf(home.fold())) ?? emptyTimeline();

/** The relayer's snapshot of a fold, as the next record of a log. */
function snapshotIn(log: readonly IndexEntry[], timeline: Timeline, author = {}): IndexEntry {
  const place = { region: eu, sequence: 90, recordId: 'x' };
  const { nextNumber } = timeline;
  const record: IndexRecord = {
    kind: 'snapshot',
    ...by(author),
    home: place,
    nextNumber,
    state: toSnapshot(timeline),
  };
  return { sequence: (log.at(-1)?.sequence ?? 0) + 1, record };
}

/** Number and programme time in seconds. */
const dated = (timeline: Timeline): readonly (readonly [number, number])[] =>
  timeline.periods.flatMap((period) =>
    period.segments.map(({ number, start90k }) => {
      const startMs = (timeline.availabilityStartMs ?? 0) - 1_700_000_000_000;
      return [number, startMs / 1000 + presentationTime90k(period, start90k) / 90_000] as const;
    }),
  );

// Goal: a segment has one programme date in all regions. Method: both regions claim the stream during a cut; this one began a minute
// later, and loses.
test('a branch that began before this region’s own timeline keeps its programme dates', () => {
  const own = new LogBuilder()
    .open()
    .clock(passThroughOnly)
    .segments(10)
    .entries.map(({ sequence, record }) => ({
      sequence,
      record:
        record.kind === 'clock'
          ? { ...record, availabilityStartMs: record.availabilityStartMs + 60_000 }
          : record,
    }));
  const home = new LogBuilder().open(other).clock(passThroughOnly).segments(60);
  const timeline = fold(relayInto(own, home.entries));
  expect({ last: dated(timeline).at(-1)?.[1], joinedAt: dated(timeline)[10] }).toEqual({
    last: dated(home.fold()).at(-1)?.[1],
    joinedAt: [10, 80],
  });
  expect(dated(mergedInto(fold(own), home))).toEqual(dated(timeline));
  const begun = fold(relayInto(own, home.entries.slice(0, 2)));
  expect(fromSnapshot(toSnapshot(begun))).toEqual(begun);
});

// Goal: a standby that goes on with the running period is seen in the old home, whose owner has ended the stream meanwhile.
test('a branch that goes on behind an end that it does not know of puts the stream on air again', () => {
  const own = shared().end();
  const home = shared().open(other, from(10)).segments(20);
  const timeline = fold(relayInto(own.entries, home.entries.slice(12)));
  const want = { state: 'live', nextNumber: 30, ignored: 0, broadcast: { firstNumber: 10 } };
  expect(timeline).toMatchObject(want);
  expect(mergedInto(own.fold(), home)).toMatchObject({ state: 'live', nextNumber: 30 });
  expect(fold(relayInto(own.entries, home.end().entries.slice(12)))).toMatchObject({ state: 'ended' });
});

test('a relayer’s snapshot brings an end, and where the stream goes, to a fold that has all its segments', () => {
  for (const write of [
    (log: LogBuilder) => void log.end(),
    (log: LogBuilder) => void log.add({ kind: 'moved', ...by(), to: eu, toEpoch: Epoch.parse(other.epoch) }),
  ]) {
    const [own, home] = [shared(), shared()];
    write(home);
    const merged = mergedInto(own.fold(), home);
    const timeline = applyEntry(own.fold(), snapshotIn(own.entries, merged));
    expect(timeline).toMatchObject({ state: home.fold().state, movedTo: home.fold().movedTo });
  }
});

test('a home that has lost the segments before its next one is gone on with all the same', () => {
  const own = new LogBuilder().open().clock().segments(5);
  const home = new LogBuilder().open().clock().segments(10).end().trim(10).takeOver().clock(undefined, 100);
  const merged = mergedInto(own.fold(), home);
  const next = home.segments(3).entries.slice(-3);
  const relayed = next.reduce<FoldedTimeline>(
    (timeline, entry, index) =>
      applyEntry(timeline, {
        sequence: timeline.lastSequence + 1 + index,
        record: relayedRecord(timeline, entry, placeOf(entry)),
      }),
    merged,
  );
  expect(relayed).toMatchObject({ nextNumber: 8, branch: { isJoining: false } });
});

// Goal: all edges of a region count alike, also one that is ahead of a log that went back (C7). Method: edge X has three numbers that
// the log lost before another region's branch joined.
test('an edge ahead of a log that went back counts a branch as its neighbours do', () => {
  const whole = shared().segments(6);
  const lost = whole.entries.slice(0, -3);
  const home = shared().open(other, from(10)).segment({ duration90k: 1_260_000 }).segments(6);
  const log = relayInto(lost, home.entries.slice(12));
  const [x, y] = [rewound(whole.fold()), emptyTimeline()].map((begun) => log.reduce(applyEntry, begun));
  const tail = (timeline: FoldedTimeline | undefined) =>
    timeline === undefined ? [] : dated(timeline).filter(([number]) => number >= 16);
  expect(tail(x)).toHaveLength(3);
  expect(tail(x)).toEqual(tail(y));
  expect(x?.branch?.shift).toBe(y?.branch?.shift);
  // And so it is where the log has a snapshot, before or behind the first segment of the branch.
  for (const at of [16, 17, 18]) {
    const snapshot = snapshotIn(log.slice(0, at), fold(log.slice(0, at)), other);
    const rest = log.slice(at).map((entry) => ({ ...entry, sequence: entry.sequence + 1 }));
    const again = [snapshot, ...rest].reduce(applyEntry, rewound(whole.fold()));
    expect(tail(again)).toEqual(tail(y));
  }
});

describe('what a store lacks', () => {
  const best = RenditionName.parse('h264-720p');
  const lacking = (): LogBuilder => {
    const home = shared().open(other, from(10));
    const rungs = { [best]: 9 };
    home.add({ kind: 'missing', ...by(other), belowNumber: 4, rungs });
    return home.segment();
  };
  const absentIn = ({ periods }: Timeline): readonly number[] =>
    periods.flatMap(({ segments }) =>
      segments.filter((segment) => mediaOf(segment, best) === undefined).map(({ number }) => number),
    );

  test('stays lacking in a fold that is read from a snapshot of this region', () => {
    const restored = fromSnapshot(JSON.parse(JSON.stringify(toSnapshot(lacking().fold()))));
    expect(restored).toEqual(lacking().fold());
    expect(absentIn(restored ?? emptyTimeline())).toHaveLength(9);
  });

  test('is not lacking in another region that merges the fold, whether that has some of it or nothing', () => {
    for (const own of [new LogBuilder().open().clock().segments(5).fold(), emptyTimeline()]) {
      const merged = mergedInto(own, lacking());
      expect({ absent: absentIn(merged), runs: merged.periods[0]?.runs.length }).toEqual({
        absent: [],
        runs: 1,
      });
      expect(merged).toMatchObject({ nextNumber: 11, shownFrom: 0 });
    }
  });
});

// Goal: no number gets a second meaning where a region adopts the stream from one that knows more. Method: the branch of the other
// region lies four numbers lower here.
test('an owner that adopts a stream from a region that knows more goes on in this region’s numbers', () => {
  const home = shared().open(other, from(10)).clock(undefined, 40).segments(4);
  const own = relayInto(new LogBuilder().open().clock().segments(6).entries, home.entries.slice(12));
  home.segments(4);
  const epoch = Epoch.parse(epochOf(2, 2));
  const by2 = { epoch, bootId: 'c' };
  const opened = { sequence: own.length + 50, record: { kind: 'open' as const, ...by(by2), from: from(18) } };
  const beyond = adopted(fold(own), homeOf(home.fold()), epoch) ?? emptyTimeline();
  const { home: _, ...record } = snapshotIn([opened], beyond, by2).record;
  const edge = [...own, opened, { sequence: opened.sequence + 1, record }].reduce(
    applyEntry,
    emptyTimeline(),
  );
  expect(dated(edge).slice(0, 10)).toEqual(dated(fold(own)));
  expect(edge).toMatchObject({ nextNumber: 14, branch: { shift: 0, isJoining: true } });
});

// Goal: edges of one region show one window (M14), also one that began behind a shortened log. Method: the log is shortened just behind a
// change of region; each later segment is folded by an edge that has all, and by one that has what the owner keeps.
test('an edge that begins behind a change of region shows what its neighbours show', () => {
  const options = {
    streamId: stream,
    dvrWindowSeconds: 60,
    leastHoldBackSeconds: 6,
    edges: { revision: 0, edges: [] },
  };
  const playlist = (timeline: Timeline) => mediaPlaylist(timeline, 'h264-240p', options);
  for (const count of [1, 3, 9, 20, 30]) {
    const log = new LogBuilder().open().clock().segments(54).open(other, from(54)).segments(count);
    const all = log.fold();
    let begun = fromSnapshot(toSnapshot(all, firstNeeded(all, 60))) ?? emptyTimeline();
    for (const entry of log.segments(12).entries.slice(-12)) {
      begun = applyEntry(begun, entry);
      expect(playlist(begun)).toBe(playlist(log.fold(entry.sequence)));
    }
  }
});

test('a record without effect is not relayed because it says a number', () => {
  const home = shared().open(other, from(10)).segment();
  const entry = home.entries.at(-1);
  const own = fold(relayInto(shared().entries, home.entries.slice(12)));
  expect(entry === undefined || changesFold(own, relayedRecord(own, entry, placeOf(entry)))).toBe(false);
});
