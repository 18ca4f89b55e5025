/**
 * The reduce step: decides what is playable, in order of start time (M12, M13, C9).
 *
 * A segment whose renditions are all there is committed at once, also while the log is silent. Deadlines count from the
 * moment when the source was stored, and grow with the segment's length (deadlines.ts). For a segment of 2 s they mean:
 * after 2.5 s it is committed once the lowest rung, the audio and the passed-through rung are there, and the rest is
 * marked absent as late; after 4 s it is a declared gap.
 *
 * K1. Each commit or gap gets the next number, across periods. Nothing is decided twice, and a decision is final.
 * K2. A deadline counts only while the log answers, so an outage loses no source (C8). For backlog it counts from the
 *     moment when the segment became first in line.
 * K3. A hole before a segment becomes gaps, none longer than the longest segment (M11, M13). The segment first waits
 *     2.5 s, in case the missing media comes.
 * K4. The first init segment of a rung that is committed is the period's reference (M7). An output that differs is not
 *     committed.
 */
import type { CommittedMedia, StoredMedia } from '../../../cluster/contract/index-records.ts';
import type { InitSegment, Rendition } from '../../../cluster/contract/renditions.ts';
import type { RenditionName } from '../../../cluster/model/ids.ts';
import { endOfSegments90k, findPeriod, servedRenditions } from '../../media/timeline/query.ts';
import type { TimelinePeriod } from '../../media/timeline/timeline.ts';
import { deadlinesOf } from './deadlines.ts';
import { enqueue, isLogProven, probeLog } from './outbox.ts';
import type { OwnerState } from './owner-state.ts';
import { pipelineLimits, type PendingSegment } from './state/pipeline-state.ts';
import { holdRungs, isHeld, lowestRung, referenceInit } from './rungs.ts';
import { isReopening, isUnmatched } from '../succession/reopening.ts';
import { recheckInits } from './task-reports.ts';
import type { Turn } from '../turn.ts';

/** Bounds of what is decided here. Times in ms. */
const limits = {
  /** How long a segment waits for one that is missing before it. */
  holeWaitMs: 2500,
} as const;

/** The target duration while no longer segment was committed (M11). */
const targetDuration90k = 2 * 90_000;

type RungState = CommittedMedia | 'lacking';
type Verdict =
  | { readonly kind: 'wait' }
  | {
      readonly kind: 'commit';
      readonly renditions: ReadonlyMap<RenditionName, CommittedMedia>;
      readonly late: readonly RenditionName[];
    }
  | { readonly kind: 'gap'; readonly reason: string };

/** Decides as many segments as can be decided, beginning with the first in line. */
export function settle(turn: Turn): void {
  for (;;) {
    const [head] = turn.state.pending;
    if (head === undefined || turn.state.life !== 'active' || isReopening(turn.state)) return;
    const period = findPeriod(turn.state.timeline, head.offer.period);
    if (period === undefined) {
      removeHead(turn);
      turn.say('error', 'a source belongs to no known period and is left out', { period: head.offer.period });
      continue;
    }
    recheckInits(turn, head, period);
    if (!decideHead(turn, turn.state.pending[0] ?? head, period)) return;
    removeHead(turn);
  }
}

/** Decides the first in line. @returns false while it must wait */
function decideHead(turn: Turn, head: PendingSegment, period: TimelinePeriod): boolean {
  const verdict = judge(turn, head, period);
  if (verdict.kind === 'wait') return false;
  fillHole(turn, head, period);
  if (verdict.kind === 'gap') declareGap(turn, head, verdict.reason);
  else commit(turn, { head, period, verdict });
  return true;
}

function removeHead(turn: Turn): void {
  turn.set({ pending: turn.state.pending.slice(1), headSinceAtMs: turn.nowMs });
}

function judge(turn: Turn, head: PendingSegment, period: TimelinePeriod): Verdict {
  const ageMs = provenAgeMs(turn, head);
  if (hole90k(turn.state, head, period) > 0 && (ageMs ?? 0) < limits.holeWaitMs) return { kind: 'wait' };
  const rungs = rungStates(turn.state, head, period);
  const lowest = lowestRung(period.clock.renditions)?.name;
  const lacking = [...rungs].filter(([, rung]) => rung === 'lacking').map(([name]) => name);
  if (isPoisoned(head, lowest)) return judgePoison(head, ageMs);
  if (lacking.length === 0) return { kind: 'commit', renditions: commitList(rungs), late: [] };
  const { commitWithoutRestMs, backlogGapMs, gapMs } = deadlinesOf(head);
  if (ageMs === undefined || ageMs < commitWithoutRestMs) return { kind: 'wait' };
  if (!lacking.some((name) => name === lowest))
    return { kind: 'commit', renditions: commitList(rungs), late: lacking };
  return ageMs < (head.isBacklog ? backlogGapMs : gapMs)
    ? { kind: 'wait' }
    : { kind: 'gap', reason: 'the lowest rung was not there in time' };
}

/**
 * Waits for a segment that no worker's encoder matches while it may still be made in another period (M7, reopening.ts).
 */
function judgePoison(head: PendingSegment, ageMs: number | undefined): Verdict {
  const mayBeMade = isUnmatched(head) && (ageMs ?? 0) < deadlinesOf(head).backlogGapMs;
  return mayBeMade ? { kind: 'wait' } : { kind: 'gap', reason: `poison: ${poisonCode(head)}` };
}

/** For how long a segment has waited; undefined while the log's silence stops the clock (K2). */
function provenAgeMs(turn: Turn, head: PendingSegment): number | undefined {
  const { state, nowMs } = turn;
  const fromMs = head.isBacklog ? Math.max(head.clockAtMs, state.headSinceAtMs) : head.clockAtMs;
  const ageMs = nowMs - fromMs;
  if (!head.isLogged || state.link.kind === 'down') return undefined;
  if (ageMs < deadlinesOf(head).commitWithoutRestMs || isLogProven(state, nowMs)) return ageMs;
  probeLog(turn);
  return undefined;
}

/**
 * How much is missing before a segment in its period, beyond what a join may differ by. The start of a period is no
 * hole.
 */
function hole90k({ decided }: OwnerState, { offer }: PendingSegment, period: TimelinePeriod): number {
  const hasBegun = decided?.period === period.id || period.segments.length > 0;
  const hole = offer.start90k - endOfDecided90k(decided, period);
  return hasBegun && hole > pipelineLimits.joinTolerance90k ? hole : 0;
}

function endOfDecided90k(decided: OwnerState['decided'], period: TimelinePeriod): number {
  return decided?.period === period.id ? decided.end90k : endOfSegments90k(period);
}

function rungStates(
  state: OwnerState,
  head: PendingSegment,
  period: TimelinePeriod,
): ReadonlyMap<RenditionName, RungState> {
  return new Map(servedRenditions(period).map((rung) => [rung.name, rungState(state, head, rung)]));
}

function rungState(
  state: OwnerState,
  { offer, outputs, dropped, tasks }: PendingSegment,
  rung: Rendition,
): RungState {
  if (rung.kind === 'audio') return offer.audio === undefined ? { absent: 'missing' } : mediaOf(offer.audio);
  if (offer.video === undefined) return { absent: 'missing' };
  if (rung.origin.kind !== 'encode') return mediaOf(offer.video);
  if (dropped.has(rung.name) || isHeld(state, rung.name, state.nextNumber)) return { absent: 'dropped' };
  const task = tasks?.find((one) => one.renditions.includes(rung.name));
  if (task?.outcome === 'poisoned') return { absent: 'failed' };
  return outputs.get(rung.name)?.media ?? 'lacking';
}

function mediaOf({ startTime, duration, sha256, bytes, frames }: StoredMedia): StoredMedia {
  return { startTime, duration, sha256, bytes, frames };
}

function isPoisoned({ tasks }: PendingSegment, lowest: RenditionName | undefined): boolean {
  return (
    lowest !== undefined &&
    tasks?.some((one) => one.outcome === 'poisoned' && one.renditions.includes(lowest)) === true
  );
}

function poisonCode({ tasks }: PendingSegment): string {
  return tasks?.find((one) => one.outcome === 'poisoned')?.failures.at(-1)?.code ?? 'TRANSCODE_FAILED';
}

function commitList(
  rungs: ReadonlyMap<RenditionName, RungState>,
): ReadonlyMap<RenditionName, CommittedMedia> {
  return new Map([...rungs].map(([name, rung]) => [name, rung === 'lacking' ? { absent: 'late' } : rung]));
}

/** Declares a hole before a segment as gaps, none longer than the longest segment (K3). */
function fillHole(turn: Turn, head: PendingSegment, period: TimelinePeriod): void {
  const hole = hole90k(turn.state, head, period);
  if (hole === 0) return;
  const longest = Math.max(targetDuration90k, turn.state.timeline.longest90k);
  const pieces = Math.ceil(hole / longest);
  const first = head.offer.start90k - hole;
  for (let index = 0; index < pieces; index += 1) {
    const start90k = first + Math.round((hole * index) / pieces);
    const end90k = first + Math.round((hole * (index + 1)) / pieces);
    decideGap(turn, { period: period.id, start90k, duration90k: end90k - start90k }, 'nothing was received');
  }
}

function declareGap(turn: Turn, { offer }: PendingSegment, reason: string): void {
  decideGap(turn, { period: offer.period, start90k: offer.start90k, duration90k: offer.duration90k }, reason);
}

type Place = Pick<PendingSegment['offer'], 'period' | 'start90k' | 'duration90k'>;

function decideGap(turn: Turn, place: Place, reason: string): void {
  enqueue(turn, { kind: 'gap', number: turn.state.nextNumber, ...place, reason: reason.slice(0, 200) });
  turn.count('gap');
  turn.say('warn', 'a gap is declared', { ...place, reason });
  advance(turn, place);
}

/** Moves on to the next number, past what was decided (K1). */
function advance(turn: Turn, { period, start90k, duration90k }: Place): void {
  turn.set({ nextNumber: turn.state.nextNumber + 1, decided: { period, end90k: start90k + duration90k } });
}

interface Ready {
  readonly head: PendingSegment;
  readonly period: TimelinePeriod;
  readonly verdict: Extract<Verdict, { kind: 'commit' }>;
}

function commit(turn: Turn, { head, period, verdict }: Ready): void {
  const { period: id, start90k, duration90k } = head.offer;
  const number = turn.state.nextNumber;
  const renditions: Record<RenditionName, CommittedMedia> = {};
  for (const [name, media] of verdict.renditions) renditions[name] = media;
  const inits = newInits(turn.state, { head, period, verdict });
  const hasInits = Object.keys(inits).length > 0;
  enqueue(turn, {
    kind: 'commit',
    number,
    period: id,
    start90k,
    duration90k,
    renditions,
    ...(hasInits ? { inits } : {}),
  });
  turn.count('commit');
  const absent = Object.values(renditions).filter((media) => 'absent' in media).length;
  if (absent > 0) turn.count('absentRung', absent);
  if (verdict.late.length > 0) holdRungs(turn, verdict.late, number);
  const known = new Map(turn.state.inits);
  for (const [name, init] of Object.entries(inits)) known.set(`${id}/${name}`, init);
  turn.set({ inits: known });
  advance(turn, head.offer);
}

/** The init segments that this commit makes the reference (K4). */
function newInits(state: OwnerState, { head, period, verdict }: Ready): Record<RenditionName, InitSegment> {
  const inits: Record<RenditionName, InitSegment> = {};
  for (const [name, { init }] of head.outputs) {
    const media = verdict.renditions.get(name);
    const isCommitted = media !== undefined && !('absent' in media);
    if (isCommitted && referenceInit(state, period, name) === undefined) inits[name] = init;
  }
  return inits;
}
