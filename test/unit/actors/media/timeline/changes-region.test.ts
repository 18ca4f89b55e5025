/** Sessions that change their region, with numbers that differ between the two by -20, 0 and 20: the folds and the manifests, held by a player (R6). */
import { describe, expect, test } from 'vitest';
import { mpd } from '../../../../../actors/media/dash/mpd.ts';
import { mediaPlaylist } from '../../../../../actors/media/hls/media-playlist.ts';
import { applyEntry, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import { presentationTime90k } from '../../../../../actors/media/timeline/query.ts';
import type { Timeline } from '../../../../../actors/media/timeline/timeline.ts';
import { windowOf } from '../../../../../actors/media/timeline/window.ts';
import type { IndexEntry } from '../../../../../cluster/contract/index-records.ts';
import { Epoch, RegionId } from '../../../../../cluster/model/ids.ts';
import { HlsSession } from '../../../../support/media/hls-session.ts';
import { parsePlaylist } from '../../../../support/media/playlists.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { stream } from '../../../../support/ports/records.ts';
import { epochOf, relayInto } from '../../../../support/ports/relayed.ts';

const options = {
  streamId: stream,
  dvrWindowSeconds: 60,
  leastHoldBackSeconds: 6,
  edges: { revision: 0, edges: [] },
};
const second90k = 90_000;

/** 40 seconds in segments of that many seconds. */
const fortySeconds = (log: LogBuilder, seconds: number): LogBuilder =>
  log.segments(40 / seconds, { duration90k: seconds * second90k });

interface Shifted {
  /** Of the far region above those of the home. */
  readonly shift: number;
  readonly home: readonly IndexEntry[];
  readonly far: readonly IndexEntry[];
}

/**
 * Both regions published for 40 s, cut off from each other, and numbered that by themselves. Then the home has the stream, and the far region
 * relays it: its numbers are those of the home and a shift.
 */
function shiftedBy(shift: number): Shifted {
  const secondsOf = (isMore: boolean): number => (isMore ? 1 : 2);
  const own = fortySeconds(
    new LogBuilder().open({ epoch: epochOf(0, 1), bootId: 'b-far' }).clock(),
    secondsOf(shift > 0),
  );
  const home = fortySeconds(new LogBuilder().open({ epoch: 1 }).clock(), secondsOf(shift < 0));
  const { nextNumber } = home.fold();
  const from = { region: RegionId.parse('far'), epoch: Epoch.parse(epochOf(0, 1)), number: nextNumber };
  home
    .open({ epoch: epochOf(1, 0), bootId: 'b-home' }, from)
    .clock()
    .segments(60);
  return { shift, home: home.entries, far: relayInto(own.entries, home.entries) };
}

/** What each region shows when the home has so many segments of its last term. */
function shownAt({ home, far }: Shifted, segments: number): Readonly<Record<'home' | 'far', Timeline>> {
  const upTo = (entries: readonly IndexEntry[]): Timeline => {
    const term = entries.findIndex(({ record }) => record.epoch === epochOf(1, 0));
    let left = segments;
    const end = entries.findIndex(({ record }, at) => at >= term && record.kind === 'commit' && left-- === 0);
    return entries.slice(0, end < 0 ? entries.length : end).reduce(applyEntry, emptyTimeline());
  };
  return { home: upTo(home), far: upTo(far) };
}

const playlistOf = (timeline: Timeline) => parsePlaylist(mediaPlaylist(timeline, 'h264-240p', options) ?? '');

/** Ten refreshes at each of these regions, one after the other; each time there is one segment more. */
function play(given: Shifted, visits: readonly ('home' | 'far')[], session = new HlsSession()): HlsSession {
  visits.forEach((region, visit) => {
    for (let refresh = 0; refresh < 10; refresh += 1)
      session.refresh(region, playlistOf(shownAt(given, 5 + visit * 10 + refresh)[region]));
  });
  return session;
}

describe.each([-20, 0, 20])('numbers that differ by %i between two regions', (shift) => {
  const given = shiftedBy(shift);

  test('are those of the same media at the same programme dates', () => {
    const { home, far } = shownAt(given, 30);
    const [ofHome, ofFar] = [home, far].map((timeline) => playlistOf(timeline).segments);
    const datesOf = (segments = ofHome) =>
      segments?.slice(-20).map(({ uri, programDateTime, number }) => ({ uri, programDateTime, number }));
    expect(datesOf(ofFar)).toEqual(datesOf()?.map((one) => ({ ...one, number: one.number + shift })));
  });

  test.each([
    ['the far region to its home', ['far', 'home']],
    ['the home to the far region', ['home', 'far']],
    ['one to the other and back, twice', ['home', 'far', 'home', 'far', 'home']],
  ] as const)(
    'do not disturb a session that goes from %s: it plays each segment once, in order',
    (_, visits) => {
      const { played, faults } = play(given, visits);
      expect(faults).toEqual([]);
      expect(new Set(played.map(({ uri }) => uri)).size).toBe(played.length);
      expect(new Set(played.map(({ region }) => region)).size).toBe(2);
      expect(played.length).toBe(10 * visits.length - 1 + 3);
    },
  );

  // Goal: dash.js and Shaka keep their presentation timeline when a refresh of the MPD comes from the other region. Method: both name the same
  // start of availability; of each period that both show, the id, the start and the segments are the same.
  test('do not move a period of the MPD', () => {
    const { home, far } = shownAt(given, 40);
    const headOf = (timeline: Timeline) =>
      /availabilityStartTime="[^"]*"/.exec(mpd(timeline, options) ?? '')?.[0];
    expect(headOf(far)).toBe(headOf(home));
    const shown = (timeline: Timeline) =>
      new Map(
        windowOf(timeline, options.dvrWindowSeconds).map(({ period, segments }) => [
          period.id,
          {
            zero90k: presentationTime90k(period, 0),
            starts: segments.map(({ start90k }) => start90k).slice(-20),
          },
        ]),
      );
    const [ofHome, ofFar] = [shown(home), shown(far)];
    const last = [...ofHome.keys()].at(-1);
    expect({ last, isShared: last !== undefined && ofFar.has(last) }).toEqual({
      last: [...ofFar.keys()].at(-1),
      isShared: true,
    });
    for (const [id, period] of ofFar) if (ofHome.has(id)) expect(ofHome.get(id)).toEqual(period);
  });
});

test('a session that went on by numbers after its change of region would be caught: it plays again, or leaves out, what lies between', () => {
  const faultsOf = (shift: number) =>
    play(shiftedBy(shift), ['far', 'home'], new HlsSession({ isByNumber: true })).faults.length;
  expect({ down: faultsOf(-20) > 0, none: faultsOf(0), up: faultsOf(20) > 0 }).toEqual({
    down: true,
    none: 0,
    up: true,
  });
});

test('where the numbers are equal, a session that changes its region sees none fall', () => {
  const given = shiftedBy(0);
  const firsts = Array.from({ length: 30 }, (_, at) => {
    const shown = shownAt(given, 5 + at);
    return playlistOf(at % 2 === 0 ? shown.home : shown.far).mediaSequence;
  });
  expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
});
