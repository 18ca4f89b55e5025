/** The figures of each case of `bench regions`, judged. Pure. */
import type { HistoryReport } from '../../audience/check-history.ts';
import type { Figure } from '../kept-runs.ts';
import { movesAgainAfterMs, stoodStillMs, type Played } from './far-play.ts';
import type { FarComments } from './far-comments.ts';
import {
  behindMs,
  compare,
  crossingsPerObject,
  latenessMs,
  longestSilenceMs,
  quantile,
  resumedAfterMs,
  type Crossed,
  type Span,
  type Watched,
} from './regions-judge.ts';

export interface JudgedFigure extends Figure {
  readonly value: number;
  /** Undefined for what is told and not judged. */
  readonly isReached?: boolean;
}

export const targets = {
  behindMs: 400,
  behindDelayedMs: 900,
  resumeMs: 3000,
  relayingAgainMs: 2000,
  commentMs: 300,
  /** A player has this much in front of it (M9). */
  bufferMs: 8000,
} as const;

/** What the far edge lacks of the newest seconds is under way. */
const graceMs = 3000;

type Named = Pick<Figure, 'what'> & { readonly value: number; readonly unit?: string };

const told = ({ what, value, unit = '' }: Named): JudgedFigure => ({ what, value, unit });

const atMost = (limit: number, { what, value, unit = 'ms' }: Named): JudgedFigure => ({
  what,
  value,
  unit,
  target: `<= ${limit}`,
  isReached: value <= limit,
});

const exactly = (wanted: number, { what, value, unit = '' }: Named): JudgedFigure => ({
  what,
  value,
  unit,
  target: String(wanted),
  isReached: value === wanted,
});

const none = (what: string, value: number): JudgedFigure => exactly(0, { what, value });

/** What both edges showed, and nothing else: a case is worth nothing if too little was seen. */
const leastSeen = 5;
const seen = (what: string, value: number): JudgedFigure => ({
  ...told({ what, value }),
  target: `>= ${leastSeen}`,
  isReached: value >= leastSeen,
});

const sumOf = (watches: readonly Watched[], of: (watched: Watched) => number): number =>
  watches.reduce((sum, one) => sum + of(one), 0);

/** @param far one for each edge of the far region */
export function behindFigures(
  near: Watched,
  far: readonly Watched[],
  limitMs: number,
): readonly JudgedFigure[] {
  const values = far.flatMap((one) => behindMs(near, one));
  return [
    seen('segments seen at a near and a far edge', values.length),
    atMost(limitMs, { what: 'far edge behind near edge, p95', value: quantile(values, 0.95) }),
    told({ what: 'far edge behind near edge, p50', value: quantile(values, 0.5), unit: 'ms' }),
    none(
      'numbers that went back at a far edge',
      sumOf(far, ({ wentBack }) => wentBack),
    ),
  ];
}

export interface CrossingsSeen {
  readonly crossed: Crossed;
  readonly viewers: number;
  readonly viewing: { readonly segments: number; readonly gaps: number; readonly faults: number };
}

export function crossingFigures({ crossed, viewers, viewing }: CrossingsSeen): readonly JudgedFigure[] {
  return [
    seen('objects that crossed', crossed.objects),
    exactly(1, { what: 'crossings for each object', value: crossingsPerObject(crossed) }),
    told({ what: 'light viewers at the edges of the far region', value: viewers }),
    told({ what: 'segments that they got', value: viewing.segments }),
    none('requests of theirs that failed', viewing.faults),
    none('segments that they were told to be missing', viewing.gaps),
  ];
}

export interface CutSeen {
  readonly near: Watched;
  readonly far: readonly Watched[];
  /** The far region's own stream, seen there. */
  readonly own: Watched;
  /** From the cut to the heal. */
  readonly cut: Span;
  readonly comments: Pick<HistoryReport, 'counts' | 'faults'>;
  readonly played: readonly Played[];
}

export function cutFigures({ near, far, own, cut, comments, played }: CutSeen): readonly JudgedFigure[] {
  const resumed = far.map((one) => resumedAfterMs(near, one, cut.toMs) ?? Number.POSITIVE_INFINITY);
  const differences = far.map((one) => compare(near, one, graceMs));
  const sum = (of: 'lost' | 'doubled' | 'different'): number =>
    differences.reduce((all, one) => all + one[of], 0);
  const silence = (watched: Watched): number => longestSilenceMs(watched, cut);
  return [
    told({ what: 'length of the cut', value: (cut.toMs - cut.fromMs) / 1000, unit: 's' }),
    atMost(targets.bufferMs, { what: 'near: longest time without a new segment', value: silence(near) }),
    none('near: numbers that went back, were left out or changed', near.wentBack + near.faults),
    atMost(targets.bufferMs, {
      what: "far region's own stream: longest time without a new segment",
      value: silence(own),
    }),
    none(
      "far region's own stream: numbers that went back, were left out or changed",
      own.wentBack + own.faults,
    ),
    atMost(targets.resumeMs, { what: 'far: has all again after the heal', value: Math.max(...resumed) }),
    none(
      'far: numbers that went back',
      sumOf(far, ({ wentBack }) => wentBack),
    ),
    none(
      'far: numbers that were left out or changed',
      sumOf(far, ({ faults }) => faults),
    ),
    none('far: segments lost', sum('lost')),
    none('far: segments doubled', sum('doubled')),
    none('far: segments that are others than near', sum('different')),
    told({
      what: "far browser's picture stood still during the cut",
      value: stoodStillMs(played, cut.fromMs, cut.toMs) / 1000,
      unit: 's',
    }),
    atMost(targets.resumeMs, {
      what: 'far browser plays again after the heal',
      value: movesAgainAfterMs(played, cut.toMs) ?? Number.POSITIVE_INFINITY,
    }),
    seen('comments acknowledged on both sides', comments.counts.acknowledged),
    none('comments lost', comments.faults.lost),
    none('comments doubled', comments.faults.doubled),
    none('comments going back', comments.faults.goingBack),
  ];
}

export interface GatewaySeen {
  readonly near: Watched;
  /** At the other edge of the far region, while one node was killed. */
  readonly runs: readonly { readonly far: Watched; readonly after: Span }[];
  /** Records of the far region's log that say the same place of the home's log. */
  readonly doubledRecords: number;
}

export function gatewayFigures({ near, runs, doubledRecords }: GatewaySeen): readonly JudgedFigure[] {
  const late = runs.map(({ far, after }) => Math.max(...latenessMs(near, far, after)));
  const differences = runs.map(({ far }) => compare(near, far, graceMs));
  const sum = (of: 'lost' | 'doubled' | 'different'): number =>
    differences.reduce((all, one) => all + one[of], 0);
  return [
    told({ what: 'nodes killed that relayed', value: runs.length }),
    atMost(targets.relayingAgainMs, {
      what: 'a segment after the kill, at the other edge behind the near one, at most',
      value: late.length === 0 ? Number.NaN : Math.max(...late),
    }),
    none('segments lost', sum('lost')),
    none('segments doubled', sum('doubled')),
    none('segments that are others than near', sum('different')),
    none('records doubled', doubledRecords),
    none(
      'numbers that went back',
      sumOf(
        runs.map(({ far }) => far),
        ({ wentBack }) => wentBack,
      ),
    ),
  ];
}

export function commentFigures({ posted, toSocketMs, toScreenMs }: FarComments): readonly JudgedFigure[] {
  return [
    seen('comments posted near', posted),
    atMost(targets.commentMs, {
      what: 'on a screen in the far region, p95',
      value: quantile(toScreenMs, 0.95),
    }),
    told({ what: 'on a screen in the far region, p50', value: quantile(toScreenMs, 0.5), unit: 'ms' }),
    told({ what: 'at a live socket of the far region, p95', value: quantile(toSocketMs, 0.95), unit: 'ms' }),
    none('never on the screen', posted - toScreenMs.length),
    none('never at the socket', posted - toSocketMs.length),
  ];
}

/** A case is reached when all that is judged is, and something is. */
export const isCaseReached = (figures: readonly JudgedFigure[]): boolean =>
  figures.some(({ isReached }) => isReached !== undefined) &&
  figures.every(({ isReached }) => isReached !== false);
