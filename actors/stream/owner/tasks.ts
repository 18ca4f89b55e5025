/**
 * The map step as its owner sees it: which tasks a source becomes, and when they are tried again (M12, C9).
 *
 * T1. The owner emits a segment's tasks once its `source` is in the log. While the owner keeps up, one task makes all
 *     rungs, because a task of its own costs the lowest rung a start and a decode (task-groups.ts). The lowest rung is
 *     a task of its own, first in line, when a segment waits in front, and as soon as the one task is slow, refused or
 *     has failed (M12).
 * T2. Backlog drops rungs when tasks are emitted: the top rung with more than one segment in front, all but the lowest
 *     with more than two. A dropped rung stays out for at least 5 segments (M13). The lowest is never dropped.
 * T3. Each try is an attempt with a number of its own, because the queue takes a message id once. A successor begins
 *     with a number that no predecessor has used.
 * T4. While the log is silent, tasks are emitted ahead of their `source`. That is safe: the store has the source, the
 *     output is named by its content, and viewers see nothing before the log has it (C8). So after an outage there are
 *     records to append, and nothing to encode.
 */
import type { InitSegment, VideoRendition } from '../../../cluster/contract/renditions.ts';
import type { TaskGroup, TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import type { NodeId, RenditionName } from '../../../cluster/model/ids.ts';
import { taskGroups } from '../../media/ladder/task-groups.ts';
import { findPeriod, storePeriodOf } from '../../media/timeline/query.ts';
import type { TimelinePeriod } from '../../media/timeline/timeline.ts';
import { initKey, segmentKey } from '../../segment-store/segment-key.ts';
import { deadlinesOf } from './deadlines.ts';
import type { OwnerState } from './owner-state.ts';
import { pipelineLimits, type PendingSegment, type SegmentTask } from './state/pipeline-state.ts';
import { encodedRungs, holdRungs, isHeld, lowestRung, referenceInit } from './rungs.ts';
import type { Turn } from '../turn.ts';

/** Bounds of what is decided here. Times in ms. */
const limits = {
  taskRetryMs: 250,
  /** A store that fails is tried again after `taskRetryMs`, then after twice that, and so on up to this. */
  storeRetryMaxMs: 500,
  /** How long the log must be silent before tasks are emitted ahead of it, and of how many segments at once. */
  aheadAfterMs: 500,
  maxAhead: 3,
  /** A task that has waited in the queue for so long may be lost: the queue keeps one for 60 s (C9). */
  queueLostMs: 30_000,
} as const;

/** Emits the tasks of a source that has none yet (T1). */
export function emitTasks(turn: Turn, segment: PendingSegment): void {
  const period = findPeriod(turn.state.timeline, segment.offer.period);
  if (period === undefined || segment.tasks !== undefined) return;
  const rungs = segment.offer.video === undefined ? [] : encodedRungs(period.clock.renditions);
  const lowest = lowestRung(period.clock.renditions);
  const upper = rungs.filter((rung) => rung !== lowest);
  const dropped = dropRungs(turn, segment, upper);
  const kept = upper.filter((rung) => !dropped.has(rung.name));
  const encoded = [...kept, ...rungs.filter((rung) => rung === lowest)];
  const isApart = turn.state.pending[0] !== segment;
  const attempt = firstAttempt(turn.state, segment);
  const tasks = taskGroups(encoded, isApart).map(({ group, renditions }) =>
    newTask(group, renditions, attempt),
  );
  const emitted = turn.change(segment, { tasks, dropped });
  for (const task of tasks) publish(turn, emitted, task);
}

/**
 * Emits tasks while the log is silent: a few at once, in order, and only for this node's encoder, because no
 * other may be within reach (T4).
 */
export function emitAhead(turn: Turn): void {
  const { link, pending, timeline, settings } = turn.state;
  if (link.kind === 'up' || turn.nowMs - link.sinceAtMs < limits.aheadAfterMs) return;
  const running = pending.filter(({ tasks }) => tasks?.some(({ outcome }) => outcome === 'running'));
  const waiting = pending.filter(
    ({ tasks, offer }) =>
      tasks === undefined && findPeriod(timeline, offer.period)?.clock.fingerprint === settings.fingerprint,
  );
  for (const segment of waiting.slice(0, Math.max(0, limits.maxAhead - running.length)))
    emitTasks(turn, segment);
}

/**
 * Takes the lowest rung out of the one task and makes it a task of its own, first in line (T1). Changes
 * nothing when it is one already.
 */
export function rescueLowest(turn: Turn, found: Found): Found {
  const { segment, task } = found;
  const period = findPeriod(turn.state.timeline, segment.offer.period);
  const lowest = lowestRung(period?.clock.renditions ?? []);
  if (task.group !== 'upper' || lowest === undefined || !task.renditions.includes(lowest.name)) return found;
  const upper = { ...task, renditions: task.renditions.filter((name) => name !== lowest.name) };
  const rescue = newTask('lowest', [lowest], firstAttempt(turn.state, segment));
  const others = segment.tasks?.filter((one) => one !== task) ?? [];
  const split = turn.change(segment, { tasks: [rescue, upper, ...others] });
  turn.count('rescue');
  publish(turn, split, rescue);
  return findTask(turn, taskId(turn, split, 'upper')) ?? { segment: split, task: upper };
}

function newTask(group: TaskGroup, rungs: readonly VideoRendition[], attempt: number): SegmentTask {
  const renditions = rungs.map((rung) => rung.name);
  return {
    group,
    renditions,
    attempt,
    attempts: 1,
    queue: { kind: 'publishing' },
    started: undefined,
    failures: [],
    storeFailures: 0,
    deaths: 0,
    outcome: 'running',
  };
}

/**
 * A source of this owner begins at attempt 1. One of a predecessor begins above all numbers that a predecessor can have
 * used (T3).
 */
function firstAttempt({ self }: OwnerState, segment: PendingSegment): number {
  const isInherited = segment.sourceRecordId === inheritedSource;
  return isInherited ? 1 + (self.epoch % 2 ** 20) * pipelineLimits.attemptNumbers : 1;
}

/** Stands in place of a record id, for a source that a predecessor logged. */
export const inheritedSource = 'inherited';

/**
 * Drops upper rungs for a segment behind backlog, and keeps new ones out for a while (T2).
 *
 * @returns the rungs that are out
 */
function dropRungs(
  turn: Turn,
  segment: PendingSegment,
  upper: readonly VideoRendition[],
): ReadonlySet<RenditionName> {
  const { pending, nextNumber } = turn.state;
  const inFront = pending.findIndex((one) => one === segment);
  const number = nextNumber + Math.max(0, inFront);
  const held = upper.map((rung) => rung.name).filter((name) => isHeld(turn.state, name, number));
  const fresh = (inFront > 2 ? upper : inFront > 1 ? upper.slice(0, 1) : [])
    .map((rung) => rung.name)
    .filter((name) => !held.includes(name));
  if (fresh.length > 0) holdRungs(turn, fresh, number);
  return new Set([...held, ...fresh]);
}

export function taskId({ state }: Owned, { offer }: PendingSegment, group: TaskGroup): string {
  return `${state.self.stream}/${offer.period}/${offer.start90k}/${group}`;
}

function publish(turn: Turn, segment: PendingSegment, task: SegmentTask): void {
  const period = findPeriod(turn.state.timeline, segment.offer.period);
  const { video } = segment.offer;
  const source = period?.clock.renditions
    .filter((one) => one.kind === 'video')
    .find((one) => one.name === video?.rendition);
  if (period === undefined || video === undefined || source?.init === undefined) return;
  const { self } = turn.state;
  const { start90k, duration90k, times90k } = segment.offer;
  const at = { stream: self.stream, period: storePeriodOf(period), rendition: source.name };
  const renditions = encodedRungs(period.clock.renditions).filter((rung) =>
    task.renditions.includes(rung.name),
  );
  const message: TranscodeTask = {
    taskId: taskId(turn, segment, task.group),
    attempt: task.attempt,
    group: task.group,
    deaths: task.deaths,
    region: self.region,
    streamId: self.stream,
    owner: self.node,
    epoch: self.epoch,
    period: at.period,
    start90k,
    duration90k,
    times90k,
    source: {
      key: segmentKey(at, video.startTime, video.sha256),
      initKey: initKey(at, source.init.sha256),
      sha256: video.sha256,
      bytes: video.bytes,
    },
    sourceFrameRate: source.frameRate,
    renditions,
    inits: knownInits(turn.state, period, task.renditions),
    fingerprint: period.clock.fingerprint,
    budgetMs: deadlinesOf(segment).gapMs,
  };
  turn.ask({ kind: 'publishTask', task: message });
}

function knownInits(
  state: OwnerState,
  period: TimelinePeriod,
  names: readonly RenditionName[],
): TranscodeTask['inits'] {
  const inits: Record<RenditionName, InitSegment> = {};
  for (const name of names) {
    const init = referenceInit(state, period, name);
    if (init !== undefined) inits[name] = init;
  }
  return inits;
}

/** The queue has taken a task. */
export function takePublished(turn: Turn, id: string, attempt: number): void {
  const found = findTask(turn, id);
  const isWaiting = found?.task.attempt === attempt && found.task.queue.kind === 'publishing';
  if (isWaiting) changeTask(turn, found, { queue: { kind: 'queued', atMs: turn.nowMs } });
}

/** The queue has not taken a task. When it is full the upper rungs are given up; everything else is tried again. */
export function takeRefused(
  turn: Turn,
  refusal: { readonly taskId: string; readonly attempt: number; readonly code: string },
): void {
  const found = findTask(turn, refusal.taskId);
  if (found === undefined || found.task.attempt !== refusal.attempt || found.task.queue.kind !== 'publishing')
    return;
  if (refusal.code === 'OVERLOADED' && found.task.group === 'upper') {
    const { segment, task } = rescueLowest(turn, found);
    const dropped = new Set([...segment.dropped, ...task.renditions]);
    turn.change(segment, { dropped, tasks: segment.tasks?.filter((one) => one !== task) });
    holdRungs(turn, task.renditions, turn.state.nextNumber);
    return;
  }
  changeTask(turn, found, { queue: { kind: 'refused', retryAtMs: turn.nowMs + limits.taskRetryMs } });
}

/** A turn, or the state that it left. */
type Owned = Pick<Turn, 'state'>;

export interface Found {
  readonly segment: PendingSegment;
  readonly task: SegmentTask;
}

export function findTask(owned: Owned, id: string): Found | undefined {
  for (const segment of owned.state.pending) {
    const task = segment.tasks?.find((one) => taskId(owned, segment, one.group) === id);
    if (task !== undefined) return { segment, task };
  }
  return undefined;
}

export function changeTask(turn: Turn, { segment, task }: Found, change: Partial<SegmentTask>): Found {
  const changed = { ...task, ...change };
  const tasks = segment.tasks?.map((one) => (one === task ? changed : one));
  return { segment: turn.change(segment, { tasks }), task: changed };
}

/** Publishes one more attempt, for another worker (T3). */
export function again(turn: Turn, found: Found): void {
  const { attempt, attempts } = found.task;
  const change = {
    attempt: attempt + 1,
    attempts: attempts + 1,
    queue: { kind: 'publishing' },
    started: undefined,
    outcome: 'running',
  } as const;
  const { segment, task } = changeTask(turn, found, change);
  publish(turn, segment, task);
}

/** Plans one more attempt, which does not count, after a pause (task-reports.ts T8). */
export function againLater(turn: Turn, found: Found): void {
  const { attempt, storeFailures } = found.task;
  const pauseMs = Math.min(limits.storeRetryMaxMs, limits.taskRetryMs * 2 ** storeFailures);
  changeTask(turn, found, {
    attempt: attempt + 1,
    storeFailures: storeFailures + 1,
    queue: { kind: 'refused', retryAtMs: turn.nowMs + pauseMs },
    started: undefined,
  });
}

/**
 * Publishes second attempts of slow tasks, and tasks that the queue refused or a failing store put off (M12).
 *
 * A task is slow when its worker has had it for max(1.2 s, 2 x p95); a segment longer than 2 s gets as many times more.
 * The time counts from the task's start: a copy of a task that still waits in the queue would help nobody and make the
 * queue longer. When a worker dies before it said `started`, `ack_wait` gives the task to the next one. A task that has
 * waited for 30 s may have aged out of a queue that was down.
 */
export function hedgeTasks(turn: Turn): void {
  const usualMs = 2 * percentile95(turn.state.encodeMs);
  for (const id of turn.state.pending.flatMap((segment) =>
    (segment.tasks ?? []).map((task) => taskId(turn, segment, task.group)),
  )) {
    const found = findTask(turn, id);
    if (found === undefined || found.task.outcome !== 'running') continue;
    const { queue, attempts } = found.task;
    const { hedgeAfterMs } = deadlinesOf(found.segment);
    if (queue.kind === 'refused' && turn.nowMs >= queue.retryAtMs) {
      const { segment, task } = changeTask(turn, found, { queue: { kind: 'publishing' } });
      publish(turn, segment, task);
    } else if (
      attempts < pipelineLimits.maxAttempts &&
      isSlow(found.task, turn.nowMs, Math.max(hedgeAfterMs, usualMs))
    ) {
      turn.count('hedge');
      again(turn, rescueLowest(turn, found));
    } else if (isStuck(found.task, turn.nowMs, hedgeAfterMs)) {
      rescueLowest(turn, found);
    }
  }
}

/**
 * Publishes the tasks again at once that a dead node's worker had begun (C9). That is no failure of the task, but is
 * counted.
 */
export function redispatch(turn: Turn, node: NodeId): void {
  const begun = turn.state.pending.flatMap((segment) =>
    (segment.tasks ?? [])
      .filter(({ outcome, started }) => outcome === 'running' && started?.worker === node)
      .map(({ group }) => taskId(turn, segment, group)),
  );
  for (const id of begun) {
    const found = findTask(turn, id);
    if (found === undefined || found.task.attempts >= pipelineLimits.maxAttempts) continue;
    turn.count('redispatch');
    turn.say('info', "a dead worker's task is published again", { taskId: id, worker: node });
    again(turn, changeTask(turn, found, { deaths: found.task.deaths + 1 }));
  }
}

function isSlow({ started, queue }: SegmentTask, nowMs: number, slowMs: number): boolean {
  if (started !== undefined) return nowMs - started.atMs >= slowMs;
  return queue.kind === 'queued' && nowMs - queue.atMs >= limits.queueLostMs;
}

/** Whether a task has waited in line for as long as a task may take: its lowest rung must not wait with it. */
function isStuck({ started, queue }: SegmentTask, nowMs: number, hedgeAfterMs: number): boolean {
  return started === undefined && queue.kind === 'queued' && nowMs - queue.atMs >= hedgeAfterMs;
}

export function percentile95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))] ?? 0;
}
