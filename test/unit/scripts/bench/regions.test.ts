/** What `bench regions` concludes from observations that are made up: good ones reach every target, and each fault costs its own. */
import { describe, expect, test } from 'vitest';
import { faults, type Fault } from '../../../../scripts/audience/check-history.ts';
import { movesAgainAfterMs, stoodStillMs, type Played } from '../../../../scripts/bench/regions/far-play.ts';
import {
  behindFigures,
  commentFigures,
  crossingFigures,
  cutFigures,
  gatewayFigures,
  isCaseReached,
  type CutSeen,
  type GatewaySeen,
  type JudgedFigure,
} from '../../../../scripts/bench/regions/regions-figures.ts';
import {
  behindMs,
  compare,
  doubledPlaces,
  latenessMs,
  longestSilenceMs,
  quantile,
  resumedAfterMs,
  Watch,
  type Watched,
} from '../../../../scripts/bench/regions/regions-judge.ts';

interface Shown {
  /** How much later than it was made each segment is shown. */
  readonly lateMs?: number;
  /** Nothing new is shown in that time; what was made meanwhile comes at its end. */
  readonly silent?: { readonly fromMs: number; readonly toMs: number };
  readonly segments?: number;
  readonly uriOf?: (number: number) => string;
  /** These are never shown. */
  readonly without?: readonly number[];
}

const everyMs = 2000;
const usualUri = (number: number): string => `p1/${number}`;

/** An edge that shows segment `n` at `2000 n`, one more in each playlist. */
function watched({ lateMs = 0, silent, segments = 60, uriOf = usualUri, without = [] }: Shown = {}): Watched {
  const watch = new Watch();
  const all: { readonly number: number; readonly uri: string }[] = [];
  for (let number = 0; number < segments; number += 1) {
    if (without.includes(number)) continue;
    all.push({ number, uri: uriOf(number) });
    const atMs = number * everyMs + lateMs;
    const isSilent = silent !== undefined && atMs >= silent.fromMs && atMs < silent.toMs;
    watch.take(all, isSilent ? silent.toMs : atMs);
  }
  return watch;
}

const missed = (figures: readonly JudgedFigure[]): readonly string[] =>
  figures.filter(({ isReached }) => isReached === false).map(({ what }) => what);

describe('a watch', () => {
  test('counts newest numbers that fall, numbers left out, and media that change under a number', () => {
    const watch = new Watch();
    watch.take(
      [
        { number: 1, uri: 'a' },
        { number: 2, uri: 'b' },
      ],
      0,
    );
    watch.take([{ number: 1, uri: 'a' }], 10);
    watch.take(
      [
        { number: 2, uri: 'other' },
        { number: 4, uri: 'd' },
      ],
      20,
    );
    expect({ wentBack: watch.wentBack, faults: watch.faults }).toEqual({ wentBack: 1, faults: 2 });
  });

  test('takes a first playlist of any numbers', () => {
    const watch = new Watch();
    watch.take(
      [
        { number: 70, uri: 'a' },
        { number: 71, uri: 'b' },
      ],
      5,
    );
    watch.take(
      [
        { number: 71, uri: 'b' },
        { number: 72, uri: 'c' },
      ],
      9,
    );
    expect({ wentBack: watch.wentBack, faults: watch.faults, seen: watch.sightings.length }).toEqual({
      wentBack: 0,
      faults: 0,
      seen: 3,
    });
  });
});

test('what was in the first playlist says nothing of how far an edge is behind', () => {
  const far = new Watch();
  far.take(
    [
      { number: 0, uri: 'p1/0' },
      { number: 1, uri: 'p1/1' },
    ],
    50_000,
  );
  far.take(
    [
      { number: 1, uri: 'p1/1' },
      { number: 2, uri: 'p1/2' },
    ],
    50_100,
  );
  expect(behindMs(watched(), far)).toEqual([46_100]);
});

test('what the near edge showed in a span is asked for, also what never came', () => {
  const far = watched({ lateMs: 100, without: [6] });
  expect(latenessMs(watched(), far, { fromMs: 10_000, toMs: 14_000 })).toEqual([100, Infinity, 100]);
});

test('segments that are lost, doubled or others are told apart', () => {
  expect(compare(watched(), watched({ without: [7] }), 3000)).toEqual({ lost: 1, doubled: 0, different: 0 });
  const doubled = watched({ uriOf: (number) => usualUri(number === 9 ? 8 : number) });
  expect(compare(watched(), doubled, 3000)).toEqual({ lost: 0, doubled: 1, different: 1 });
});

test('a far edge has resumed when it has what the near edge had at the heal', () => {
  const silent = { fromMs: 20_000, toMs: 82_000 };
  expect(resumedAfterMs(watched(), watched({ silent }), 80_000)).toBe(2000);
  expect(resumedAfterMs(watched(), watched({ segments: 10 }), 80_000)).toBeUndefined();
});

test('the longest silence reaches to the ends of its span', () => {
  const one = watched({ silent: { fromMs: 20_000, toMs: 50_000 } });
  expect(longestSilenceMs(one, { fromMs: 10_000, toMs: 60_000 })).toBe(32_000);
  expect(longestSilenceMs(watched({ segments: 5 }), { fromMs: 0, toMs: 60_000 })).toBe(52_000);
});

test('records of one place of the home are doubled, and snapshots of the own fold are not', () => {
  const record = (kind: string, recordId?: string) => ({
    record: { kind, ...(recordId === undefined ? {} : { home: { recordId } }) },
  });
  const log = [record('commit', 'a'), record('snapshot', 'a'), record('commit', 'b'), record('open')];
  expect(doubledPlaces(log)).toBe(0);
  expect(doubledPlaces([...log, record('commit', 'b')])).toBe(1);
});

test('a quantile is a value that was seen', () => {
  expect({ middle: quantile([3, 1, 2], 0.5), only: quantile([5], 0.95), none: quantile([], 0.95) }).toEqual({
    middle: 2,
    only: 5,
    none: Number.NaN,
  });
});

describe('a picture', () => {
  const played = (stillFromMs: number, stillToMs: number): readonly Played[] => {
    let position = 0;
    return Array.from({ length: 400 }, (_, index) => {
      const atMs = index * 250;
      if (atMs <= stillFromMs || atMs > stillToMs) position += 0.25;
      return { atMs, position };
    });
  };

  test('that stood still is timed, and when it moves again', () => {
    const one = played(30_000, 62_000);
    expect(stoodStillMs(one, 20_000, 60_000)).toBe(30_000);
    expect(movesAgainAfterMs(one, 60_000)).toBe(2250);
  });

  test('that jumps to another place plays only once it moves on from there', () => {
    const one = played(30_000, 62_000).map(({ atMs, position }) => ({
      atMs,
      position: atMs < 61_000 ? position : position + 30,
    }));
    expect(movesAgainAfterMs(one, 60_000)).toBe(2250);
  });

  test('that never moves again is told so', () => {
    expect(movesAgainAfterMs(played(30_000, 1e9), 60_000)).toBeUndefined();
  });
});

describe('each fault of a case costs its own figure:', () => {
  test.each<[string, Shown, readonly string[]]>([
    ['nothing', { lateMs: 150 }, []],
    ['too late', { lateMs: 450 }, ['far edge behind near edge, p95']],
    ['too little seen', { segments: 4 }, ['segments seen at a near and a far edge']],
  ])('behind: %s', (_, shown, wanted) => {
    expect(missed(behindFigures(watched(), [watched(shown)], 400))).toEqual(wanted);
  });

  const viewing = { segments: 3000, gaps: 0, faults: 0 };
  test.each([
    ['nothing', { crossed: { requests: 60, objects: 60 }, viewers: 200, viewing }, []],
    [
      'one twice',
      { crossed: { requests: 61, objects: 60 }, viewers: 200, viewing },
      ['crossings for each object'],
    ],
    [
      'nothing crossed',
      { crossed: { requests: 0, objects: 0 }, viewers: 200, viewing },
      ['objects that crossed', 'crossings for each object'],
    ],
    [
      'a request failed',
      { crossed: { requests: 60, objects: 60 }, viewers: 200, viewing: { ...viewing, faults: 1 } },
      ['requests of theirs that failed'],
    ],
  ])('crossings: %s', (_, seen, wanted) => {
    expect(missed(crossingFigures(seen))).toEqual(wanted);
  });

  const cut = { fromMs: 20_000, toMs: 80_000 };
  const playedUntil = (backMs: number): readonly Played[] =>
    Array.from({ length: 400 }, (_, index) => {
      const atMs = index * 250;
      return { atMs, position: atMs < 30_000 || atMs > backMs ? atMs / 1000 : 30 };
    });
  const noFaults = Object.fromEntries(faults.map((fault) => [fault, 0]));
  const commentsWith = (changed: Partial<Record<Fault, number>>): CutSeen['comments'] => {
    const counts = {
      users: 0,
      edges: 4,
      comments: 2400,
      acknowledged: 2400,
      refused: 0,
      open: 0,
      joins: 0,
      frames: 0,
      reads: 0,
      likes: 0,
    };
    const found = { ...noFaults, ...changed };
    const of = (fault: Fault): number => found[fault] ?? 0;
    return {
      counts,
      faults: {
        unread: of('unread'),
        away: of('away'),
        lost: of('lost'),
        missed: of('missed'),
        doubled: of('doubled'),
        goingBack: of('goingBack'),
        refusedAndThere: of('refusedAndThere'),
        changed: of('changed'),
        disorder: of('disorder'),
        hiddenAndSeen: of('hiddenAndSeen'),
        wrongLikes: of('wrongLikes'),
      },
    };
  };
  const silentFar = { lateMs: 100, silent: { fromMs: 20_000, toMs: 81_000 } };
  const good: CutSeen = {
    near: watched(),
    far: [watched(silentFar), watched(silentFar)],
    own: watched(),
    cut,
    comments: commentsWith({}),
    played: playedUntil(81_500),
  };
  test.each<[string, Partial<CutSeen>, readonly string[]]>([
    ['nothing', {}, []],
    [
      'the near region noticed',
      { near: watched({ silent: { fromMs: 40_000, toMs: 60_000 } }) },
      ['near: longest time without a new segment'],
    ],
    [
      "the far region's own stream noticed",
      { own: watched({ silent: { fromMs: 40_000, toMs: 60_000 } }) },
      ["far region's own stream: longest time without a new segment"],
    ],
    [
      'it came back too late',
      { far: [watched({ silent: { fromMs: 20_000, toMs: 84_000 } })], played: playedUntil(81_500) },
      ['far: has all again after the heal'],
    ],
    [
      'the picture stood still for good',
      { played: playedUntil(1e9) },
      ['far browser plays again after the heal'],
    ],
    [
      'a segment was lost',
      { far: [watched({ ...silentFar, without: [30] })] },
      ['far: numbers that were left out or changed', 'far: segments lost'],
    ],
    ['a comment was lost', { comments: commentsWith({ lost: 1 }) }, ['comments lost']],
    ['a comment was doubled', { comments: commentsWith({ doubled: 1 }) }, ['comments doubled']],
    ['a user went back', { comments: commentsWith({ goingBack: 1 }) }, ['comments going back']],
  ])('cut: %s', (_, changed, wanted) => {
    expect(missed(cutFigures({ ...good, ...changed }))).toEqual(wanted);
  });

  const after = { fromMs: 20_000, toMs: 40_000 };
  const killed = (shown: Shown): GatewaySeen => ({
    near: watched(),
    runs: [{ far: watched({ lateMs: 100, ...shown }), after }],
    doubledRecords: 0,
  });
  const lateName = 'a segment after the kill, at the other edge behind the near one, at most';
  test.each<[string, GatewaySeen, readonly string[]]>([
    ['nothing', killed({ silent: { fromMs: 20_000, toMs: 21_900 } }), []],
    ['too late', killed({ silent: { fromMs: 20_000, toMs: 22_050 } }), [lateName]],
    ['never again', killed({ segments: 10 }), [lateName]],
    ['a record doubled', { ...killed({}), doubledRecords: 1 }, ['records doubled']],
    ['nobody was killed', { near: watched(), runs: [], doubledRecords: 0 }, [lateName]],
  ])('gateway-kill: %s', (_, seen, wanted) => {
    expect(missed(gatewayFigures(seen))).toEqual(wanted);
  });

  const times = (ms: number, count = 100): readonly number[] => Array.from({ length: count }, () => ms);
  test.each([
    ['nothing', times(120), []],
    ['too late', times(320), ['on a screen in the far region, p95']],
    ['one never came', times(120, 99), ['never on the screen']],
  ])('comments: %s', (_, toScreenMs, wanted) => {
    expect(missed(commentFigures({ posted: 100, toSocketMs: times(80), toScreenMs }))).toEqual(wanted);
  });

  test('a case without a judged figure is not reached', () => {
    expect(isCaseReached([{ what: 'a', value: 1, unit: '' }])).toBe(false);
  });
});
