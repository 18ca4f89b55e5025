/** A log that goes on with another region's segments: what joins, which numbers and times it gets, and that nothing goes back (R6). */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mediaPlaylist } from '../../../../../actors/media/hls/media-playlist.ts';
import { applyEntry, changesFold, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import { graft } from '../../../../../actors/media/timeline/graft.ts';
import { mediaOf, presentationTime90k } from '../../../../../actors/media/timeline/query.ts';
import { fromSnapshot, toSnapshot } from '../../../../../actors/media/timeline/snapshot.ts';
import type { FoldedTimeline, Timeline } from '../../../../../actors/media/timeline/timeline.ts';
import type { IndexEntry } from '../../../../../cluster/contract/index-records.ts';
import { BootId, Epoch, RegionId, RenditionName } from '../../../../../cluster/model/ids.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { by, passThroughOnly, stream } from '../../../../support/ports/records.ts';
import { epochOf, placeOf, relayInto } from '../../../../support/ports/relayed.ts';

const fold = (entries: readonly IndexEntry[]): FoldedTimeline => entries.reduce(applyEntry, emptyTimeline());

/** Both regions have these: ten segments of region 0. */
const shared = (): LogBuilder => new LogBuilder().open().clock().segments(10);
const other = { epoch: epochOf(1, 1), bootId: 'b-other' };
const fromShared = { region: RegionId.parse('eu'), epoch: Epoch.parse(1), number: 10 };
/** What the owner of region 1 wrote behind the shared part. */
const branchOfOther = (write: (log: LogBuilder) => LogBuilder): readonly IndexEntry[] => {
  const log = shared().open(other, fromShared);
  const from = log.entries.length - 1;
  return write(log).entries.slice(from);
};

const shown = ({ periods }: Timeline) =>
  periods.flatMap(({ ordinal, segments }) =>
    segments.map(({ number, start90k }) => [number, ordinal, start90k]),
  );

/** What each number means: its place, and its media. */
const meantBy = ({ periods }: Timeline) =>
  periods.flatMap(({ ordinal, segments }) =>
    segments.map((segment): readonly [number, string] => {
      const media = mediaOf(segment, RenditionName.parse('h264-240p'));
      return [segment.number, `${ordinal} ${segment.start90k} ${media?.sha256 ?? 'gap'}`];
    }),
  );

describe('a region whose log', () => {
  test('ended where the branch begins takes it number for number', () => {
    const timeline = fold(
      relayInto(
        shared().entries,
        branchOfOther((log) => log.segments(3)),
      ),
    );
    expect(timeline).toMatchObject({ nextNumber: 13, nextOrdinal: 1, ignored: 0, branch: { shift: 0 } });
  });

  test('went on for longer leaves out what it has, and shifts the rest up', () => {
    const own = shared().segments(4).entries;
    const timeline = fold(
      relayInto(
        own,
        branchOfOther((log) => log.segments(6).gap()),
      ),
    );
    // Four of its own, and of the branch's seven the last three.
    expect(timeline).toMatchObject({ nextNumber: 17, ignored: 0, branch: { shift: 0, isJoining: false } });
    const cut = fold(
      relayInto(
        own,
        branchOfOther((log) => log.segment({ duration90k: 720_000 }).segments(2)),
      ),
    );
    expect(cut).toMatchObject({ nextNumber: 16, branch: { shift: 3 } });
  });

  test('lacks a part shifts the numbers behind it down, and its ordinals go on', () => {
    const own = shared().entries.slice(0, 8); // open, clock, six segments
    const timeline = fold(
      relayInto(
        own,
        branchOfOther((log) => log.clock(undefined, 40).segments(2)),
      ),
    );
    expect(timeline).toMatchObject({ nextNumber: 8, nextOrdinal: 2, branch: { shift: -4 } });
  });

  test('has a later period than the branch runs in waits until its owner opens that anew', () => {
    const own = shared().clock().segments(2).entries;
    const stays = relayInto(
      own,
      branchOfOther((log) => log.segments(3)),
    );
    expect(fold(stays)).toMatchObject({ nextNumber: 12, branch: { isJoining: true } });
    const anew = relayInto(
      own,
      branchOfOther((log) => log.segments(3).clock().segments(2)),
    );
    expect(fold(anew)).toMatchObject({ nextNumber: 14, nextOrdinal: 3, branch: { isJoining: false } });
  });
});

test('sources of the old home wait no more, and none of the segments that stay changes', () => {
  const own = shared().source().source(180_000);
  const before = shown(own.fold());
  const timeline = fold(
    relayInto(
      own.entries,
      branchOfOther((log) => log),
    ),
  );
  expect(timeline.pending.size).toBe(0);
  expect(shown(timeline)).toEqual(before);
});

test('a start within 2 ms of the end is moved to it, and one of 3 ms before is left out', () => {
  const early = (ticks: number) =>
    fold(
      relayInto(
        shared().entries,
        branchOfOther((log) => log.hole(ticks).segment()),
      ),
    );
  expect(shown(early(-180)).at(-1)).toEqual([10, 0, 1_800_000]);
  expect(shown(early(180)).at(-1)).toEqual([10, 0, 1_800_000]);
  expect(shown(early(181)).at(-1)).toEqual([10, 0, 1_800_181]);
  expect(early(-270)).toMatchObject({ nextNumber: 10 });
});

// Goal: a segment has one programme date in all regions. Method: two regions that knew nothing of each other, whose streams began
// a minute apart by the wall clock.
test('presentation times move by the difference of the two availability starts', () => {
  const own = new LogBuilder().open().clock(passThroughOnly).segments(10);
  const home = new LogBuilder().open(other).clock(passThroughOnly, 0).segments(3);
  const later = home.entries.map(({ sequence, record }) => ({
    sequence,
    record:
      record.kind === 'clock'
        ? { ...record, availabilityStartMs: record.availabilityStartMs + 60_000 }
        : record,
  }));
  const timeline = fold(relayInto(own.entries, later));
  const [, joined] = timeline.periods;
  expect(joined === undefined ? undefined : presentationTime90k(joined, 0)).toBe(60 * 90_000);
  expect(timeline).toMatchObject({ nextNumber: 13, nextOrdinal: 2, availabilityStartMs: 1_700_000_000_000 });
});

test('a relayed trim is shifted as the numbers are', () => {
  const own = shared().entries.slice(0, 8);
  const write = (log: LogBuilder) => log.clock(undefined, 40).segments(4).trim(12);
  expect(fold(relayInto(own, branchOfOther(write)))).toMatchObject({ firstNumber: 8, nextNumber: 10 });
});

test('the region to which a stream is given is known until that has opened it', () => {
  const own = shared();
  own.add({ kind: 'moved', ...by(), to: RegionId.parse('us'), toEpoch: Epoch.parse(other.epoch) });
  expect(own.fold().movedTo).toEqual({ region: 'us', epoch: other.epoch });
  expect(
    fold(
      relayInto(
        own.entries,
        branchOfOther((log) => log),
      ),
    ).movedTo,
  ).toBeUndefined();
});

describe('what a store lacks', () => {
  test('is in no manifest, and a rung joins as a run where it is there', () => {
    const log = shared();
    log.add({ kind: 'missing', ...by(), belowNumber: 4, rungs: { [RenditionName.parse('h264-720p')]: 7 } });
    const timeline = log.fold();
    const playlist = mediaPlaylist(timeline, 'h264-720p', playlistOptions) ?? '';
    expect({
      first: /MEDIA-SEQUENCE:(\d+)/.exec(playlist)?.[1],
      gaps: playlist.match(/#EXT-X-GAP/g)?.length,
      runs: timeline.periods[0]?.runs.map(({ firstNumber, present }) => [firstNumber, present.length]),
      kept: timeline.firstNumber,
    }).toEqual({
      first: '4',
      gaps: 3,
      runs: [
        [0, 3],
        [7, 4],
      ],
      kept: 0,
    });
  });

  test('concerns no other region', () => {
    const record = { kind: 'missing' as const, ...by(), belowNumber: 4 };
    expect(changesFold(shared().fold(), { ...record, home: placeOf({ sequence: 99, record }) })).toBe(false);
  });
});

type Step = (log: LogBuilder) => LogBuilder;
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.integer({ min: 90_000, max: 400_000 }).map(
      (duration90k): Step =>
        (log) =>
          log.segment({ duration90k }),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((log) => log.gap()) },
  { weight: 1, arbitrary: fc.constant<Step>((log) => log.source()) },
  {
    weight: 1,
    arbitrary: fc.nat(20).map(
      (after): Step =>
        (log) =>
          log.clock(undefined, after),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((log) => log.takeOver()) },
  {
    weight: 1,
    arbitrary: fc.nat(20).map(
      (number): Step =>
        (log) =>
          log.trim(number),
    ),
  },
);
const some = fc.array(steps, { maxLength: 12 });
const write = (log: LogBuilder, all: readonly Step[]): LogBuilder =>
  all.reduce((written, step) => step(written), log);

/** A log that both had until a cut; then the old home and the new one each went on. */
const split = fc.tuple(some, some, some).map(([common, own, others]) => {
  const begin = (): LogBuilder => write(new LogBuilder().open().clock().segments(3), common);
  const home = begin();
  const from = home.entries.length;
  home.open(other, { ...fromShared, number: home.fold().nextNumber });
  return {
    own: write(begin(), own).entries,
    home: write(home, [...others, (log) => log.clock(undefined, 900).segments(4)]).entries,
    from,
  };
});

test('whatever two regions wrote during a cut, no number goes back or means two segments, and the branch is reached', () => {
  fc.assert(
    fc.property(split, ({ own, home, from }) => {
      const log = relayInto(own, home.slice(from));
      let timeline = emptyTimeline();
      const meant = new Map<number, string>();
      for (const entry of log) {
        const { epoch, firstNumber, nextNumber, nextOrdinal } = timeline;
        timeline = applyEntry(timeline, entry);
        expect(timeline.epoch).toBeGreaterThanOrEqual(epoch);
        expect(timeline.firstNumber).toBeGreaterThanOrEqual(firstNumber);
        expect(timeline.nextNumber).toBeGreaterThanOrEqual(nextNumber);
        expect(timeline.nextOrdinal).toBeGreaterThanOrEqual(nextOrdinal);
        for (const [number, meaning] of meantBy(timeline)) {
          expect(meant.get(number) ?? meaning).toBe(meaning);
          meant.set(number, meaning);
        }
      }
      expect(timeline).toMatchObject({ epoch: fold(home).epoch, branch: { isJoining: false } });
      expect(shown(timeline).at(-1)?.[2]).toBe(shown(fold(home)).at(-1)?.[2]);
    }),
    { numRuns: 300 },
  );
});

const playlistOptions = {
  streamId: stream,
  dvrWindowSeconds: 60,
  leastHoldBackSeconds: 6,
  edges: { revision: 0, edges: [] },
};

/** Media sequence and discontinuity sequence of the playlist. */
function sequencesOf(timeline: Timeline): readonly number[] {
  const playlist = mediaPlaylist(timeline, 'h264-240p', playlistOptions) ?? '';
  return ['MEDIA', 'DISCONTINUITY'].map((name) =>
    Number(new RegExp(`${name}-SEQUENCE:(\\d+)`).exec(playlist)?.[1] ?? 0),
  );
}

test('in playlists of both regions neither media sequence nor discontinuity sequence goes back', () => {
  fc.assert(
    fc.property(split, ({ own, home, from }) => {
      for (const log of [relayInto(own, home.slice(from)), home]) {
        let timeline = emptyTimeline();
        let before = sequencesOf(timeline);
        for (const entry of log) {
          timeline = applyEntry(timeline, entry);
          const after = sequencesOf(timeline);
          after.forEach((value, index) => expect(value).toBeGreaterThanOrEqual(before[index] ?? 0));
          before = after;
        }
      }
    }),
    { numRuns: 200 },
  );
});

// Goal: a viewer whose region is gone goes on in another one and sees no number fall. Method: the other region had relayed all but the
// last six segments when it adopted the stream; both playlists are full.
test('a region that adopts a stream six segments behind shows numbers no lower than the home did', () => {
  const home = new LogBuilder().open().clock().segments(60);
  const relayed = new LogBuilder().open().clock().segments(54);
  const [seen = 0] = sequencesOf(home.fold());
  expect(sequencesOf(relayed.fold())[0]).toBe(seen - 6);
  relayed.open(other, { ...fromShared, number: 54 });
  const numbers = Array.from({ length: 12 }, () => sequencesOf(relayed.segment().fold())[0] ?? 0);
  expect(numbers[0]).toBe(seen + 2);
  expect(numbers.slice(7)).toEqual([seen + 2, seen + 3, seen + 4, seen + 5, seen + 6]);
});

// Goal: the shift survives snapshots and checkpoints (C1, C7). Method: at any place of such a log, what follows is folded onto the
// fold itself, and onto the fold read back from its snapshot.
test('a fold that is read from a snapshot goes on as the fold itself, also in the middle of a join', () => {
  fc.assert(
    fc.property(split, fc.nat(), ({ own, home, from }, at) => {
      const log = relayInto(own, home.slice(from));
      const cut = 1 + (at % (log.length - 1));
      const stored: unknown = JSON.parse(JSON.stringify(toSnapshot(fold(log.slice(0, cut)))));
      const restored = fromSnapshot(stored);
      expect(restored).toBeDefined();
      const rest = log.slice(cut).reduce<FoldedTimeline>(applyEntry, restored ?? emptyTimeline());
      expect(rest).toEqual(fold(log));
    }),
    { numRuns: 200 },
  );
});

test('merging the fold of the home gives the segments that relaying its records gives', () => {
  fc.assert(
    fc.property(split, ({ own, home, from }) => {
      const relayed = fold(relayInto(own, home.slice(from)));
      const homeFold = fold(home);
      // What the home no longer keeps cannot be merged, and a log that keeps nothing does not know where it ended.
      fc.pre(homeFold.firstNumber === 0 && shown(fold(own)).length > 0);
      const { epoch } = homeFold;
      const merged = graft(fold(own), {
        timeline: homeFold,
        epoch,
        bootId: homeFold.bootId ?? BootId.parse('none'),
      });
      const numbersOf = (timeline: Timeline | undefined) =>
        timeline === undefined
          ? []
          : meantBy(timeline).filter(([number]) => number >= relayed.nextNumber - 3);
      expect(merged?.nextNumber).toBe(relayed.nextNumber);
      expect(numbersOf(merged)).toEqual(numbersOf(relayed));
    }),
    { numRuns: 200 },
  );
});
