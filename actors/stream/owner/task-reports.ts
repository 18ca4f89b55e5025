/**
 * Takes what workers report of their tasks (C9, M6, M7).
 *
 * T5. Three reported failures from two nodes (or three from the only node) poison a task. A dead worker is no failure.
 * T6. An output counts if its times are the segment's and its init segment is the period's (M6, M7). Else another
 *     worker gets the task.
 * T7. The owner republishes at once a task that a draining worker gave back. That try does not count.
 * T8. A store that fails under a worker is no fault of the task. The task is tried again after a growing pause, and the
 *     try does not count. The segment, and what comes in behind it, has the time of backlog, as after any outage (C8);
 *     that bounds the tries.
 */
import type { TaskReport } from '../../../cluster/contract/transcode-task.ts';
import type { NodeId, RenditionName } from '../../../cluster/model/ids.ts';
import { findPeriod } from '../../media/timeline/query.ts';
import type { TimelinePeriod } from '../../media/timeline/timeline.ts';
import { isStoreFault } from '../../segment-store/store-faults.ts';
import type { OwnerState } from './owner-state.ts';
import {
  pipelineLimits,
  type Output,
  type PendingSegment,
  type SegmentTask,
} from './state/pipeline-state.ts';
import { referenceInit } from './rungs.ts';
import { again, againLater, changeTask, findTask, rescueLowest, taskId, type Found } from './tasks.ts';
import type { Turn } from '../turn.ts';

/** Bounds of what is decided here. Times in ms. */
const limits = {
  /** So many reported failures make a segment a gap (C9). */
  poisonFailures: 3,
  encodeTimes: 64,
  workerMemoryMs: 60_000,
} as const;

type DoneReport = Extract<TaskReport, { kind: 'done' }>;

export function takeReport(turn: Turn, report: TaskReport): void {
  rememberWorker(turn, report.worker);
  const found = findTask(turn, report.taskId);
  if (found === undefined || isForeign(turn.state, report) || isOver(found.task, report)) {
    turn.count(report.kind === 'done' ? 'lateOutput' : 'staleReport');
    return;
  }
  switch (report.kind) {
    case 'started':
      if (report.attempt === found.task.attempt)
        changeTask(turn, found, {
          started: { worker: report.worker, atMs: turn.nowMs },
          queue: { kind: 'queued', atMs: turn.nowMs },
        });
      return;
    case 'done':
      takeOutputs(turn, found, report);
      return;
    case 'failed':
      if (isStoreFault(report.code) && found.task.storeFailures < pipelineLimits.maxStoreFailures)
        takeStoreFailure(turn, found, report);
      else takeTaskFailure(turn, found, report);
      return;
    case 'returned':
      takeBack(turn, found, report.attempt);
      return;
    default:
      report satisfies never;
  }
}

/** Whether an output of the reported task would still count: its segment is not decided, and lacks that output. */
export function isWanted(state: OwnerState, { taskId: id, epoch }: TaskReport): boolean {
  const found = findTask({ state }, id);
  return found !== undefined && epoch <= state.self.epoch && found.task.outcome !== 'done';
}

/** Whether a report is about another owner's task. An output for a predecessor counts: it is as good as any. */
function isForeign({ self }: OwnerState, { epoch, kind }: TaskReport): boolean {
  return epoch > self.epoch || (epoch < self.epoch && kind !== 'done');
}

function isOver({ outcome }: SegmentTask, { kind }: TaskReport): boolean {
  return outcome === 'done' || (outcome === 'poisoned' && kind !== 'done');
}

/** Remembers who has reported lately: a poison needs two nodes where there are two (T5, C9). */
function rememberWorker(turn: Turn, worker: NodeId): void {
  const recent = [...turn.state.workers].filter(([, at]) => turn.nowMs - at < limits.workerMemoryMs);
  turn.set({ workers: new Map([...recent, [worker, turn.nowMs]]) });
}

/**
 * Takes outputs whose times and init segments are the period's, and otherwise gives the task to another worker (T6).
 */
function takeOutputs(turn: Turn, found: Found, report: DoneReport): void {
  const { segment, task } = found;
  const period = findPeriod(turn.state.timeline, segment.offer.period);
  if (period === undefined) return;
  const outputs = new Map<RenditionName, Output>(segment.outputs);
  for (const name of namesOf(segment, task, report)) {
    const output = report.outputs[name];
    const fault =
      output === undefined
        ? `${name} is missing`
        : outputFault(turn.state, { segment, period, name }, output);
    if (output === undefined || fault !== undefined) {
      const code = fault === differs ? 'FINGERPRINT_DIFFERS' : 'MEDIA_INVALID';
      if (fault === differs) turn.count('initDiffers');
      takeTaskFailure(turn, found, { ...report, code, detail: fault ?? '' });
      return;
    }
    const { init, ...media } = output;
    outputs.set(name, { media, init });
  }
  const isMade = (one: SegmentTask): boolean => one.renditions.every((name) => outputs.has(name));
  const tasks = segment.tasks?.map((one) => (isMade(one) ? { ...one, outcome: 'done' as const } : one));
  turn.change(segment, { outputs, tasks });
  if (task.started?.worker === report.worker) rememberTime(turn, turn.nowMs - task.started.atMs);
}

/** The task's rungs, and a rung that was taken out of the task after this worker had begun (tasks.ts T1). */
function namesOf(
  segment: PendingSegment,
  task: SegmentTask,
  { outputs }: DoneReport,
): readonly RenditionName[] {
  const others = (segment.tasks ?? []).filter((one) => one !== task && one.outcome === 'running');
  const extra = others.flatMap((one) => one.renditions).filter((name) => outputs[name] !== undefined);
  return [...task.renditions, ...extra];
}

const differs = 'its init segment is not that of the period';

function outputFault(
  state: OwnerState,
  {
    segment,
    period,
    name,
  }: { readonly segment: PendingSegment; readonly period: TimelinePeriod; readonly name: RenditionName },
  output: DoneReport['outputs'][RenditionName],
): string | undefined {
  const { start90k, duration90k, times90k } = segment.offer;
  const { startTime, duration, frames, init } = output;
  if (startTime !== start90k + (times90k[0] ?? 0)) return `${name} starts at ${startTime}`;
  if (startTime + duration !== start90k + duration90k) return `${name} ends at ${startTime + duration}`;
  if (frames !== times90k.length) return `${name} has ${frames} pictures of ${times90k.length}`;
  const reference = referenceInit(state, period, name);
  return reference !== undefined && reference.sha256 !== init.sha256 ? differs : undefined;
}

function rememberTime(turn: Turn, ms: number): void {
  turn.set({ encodeMs: [...turn.state.encodeMs.slice(1 - limits.encodeTimes), ms] });
}

/** Republishes at once a task that a draining worker gave back; that try does not count (T7). */
function takeBack(turn: Turn, { segment, task }: Found, attempt: number): void {
  if (attempt !== task.attempt) return; // a newer one is under way
  turn.count('returned');
  again(turn, changeTask(turn, { segment, task }, { attempts: task.attempts - 1 }));
}

/** Tries a task again after a growing pause when the store failed; that try does not count (T8). */
function takeStoreFailure(turn: Turn, found: Found, { worker, attempt, code, detail }: FailureReport): void {
  const { segment, task } = found;
  if (attempt !== task.attempt) return; // a newer one is under way
  turn.count('storeFailure');
  turn.say('warn', 'the store failed under a worker; its task is tried again after a pause', {
    taskId: taskId(turn, segment, task.group),
    worker,
    code,
    detail,
  });
  const waiting = turn.change(segment, { isBacklog: true });
  // Only once for each segment: a store that fails for good must not put off the end of catching up for ever.
  if (!segment.isBacklog) turn.set({ catchUpUntilMs: turn.nowMs + pipelineLimits.catchUpMs });
  againLater(turn, rescueLowest(turn, { segment: waiting, task }));
}

/** Counts a reported failure, and gives the task up at the third one from two nodes (T5). */
function takeTaskFailure(turn: Turn, found: Found, report: FailureReport): void {
  const { segment, task } = found;
  const { worker, code, detail, fingerprint } = report;
  turn.say('warn', 'a task has failed', { taskId: taskId(turn, segment, task.group), worker, code, detail });
  const spare = isUnreadable(code) ? segment.spares[0] : undefined;
  if (spare !== undefined) {
    useSpare(turn, segment, spare);
    return;
  }
  const failures = [...task.failures, { worker, code, fingerprint }];
  if (isPoison(turn.state, failures) || task.attempts >= pipelineLimits.maxAttempts) {
    turn.count('poison');
    changeTask(turn, found, { failures, outcome: 'poisoned' });
    return;
  }
  const changed = changeTask(turn, found, { failures });
  // The report is about an older attempt: a newer one is under way already.
  if (report.attempt !== task.attempt) return;
  turn.count('retry');
  again(turn, rescueLowest(turn, changed));
}

interface FailureReport {
  readonly worker: NodeId;
  readonly attempt: number;
  readonly code: string;
  readonly detail: string;
  readonly fingerprint?: string | undefined;
}

/**
 * Looks again before a commit: an output that came before the reference was known, and differs from it, goes to another
 * worker (T6).
 */
export function recheckInits(turn: Turn, head: PendingSegment, period: TimelinePeriod): void {
  for (const [name, { init }] of head.outputs) {
    const reference = referenceInit(turn.state, period, name);
    if (reference === undefined || reference.sha256 === init.sha256) continue;
    const segment = turn.state.pending[0];
    const task = segment?.tasks?.find((one) => one.renditions.includes(name) && one.outcome === 'done');
    if (segment === undefined || task === undefined) continue;
    turn.count('initDiffers');
    const outputs = new Map([...segment.outputs].filter(([one]) => !task.renditions.includes(one)));
    again(turn, { segment: turn.change(segment, { outputs }), task });
  }
}

const isUnreadable = (code: string): boolean => code === 'SEGMENT_NOT_FOUND' || code === 'MEDIA_INVALID';

function isPoison({ workers }: OwnerState, failures: SegmentTask['failures']): boolean {
  if (failures.length < limits.poisonFailures) return false;
  return workers.size <= 1 || new Set(failures.map((one) => one.worker)).size >= 2;
}

/**
 * Goes on with a spare, because the first source cannot be read: all that is not done begins again from other bytes
 * (C2).
 */
function useSpare(turn: Turn, segment: PendingSegment, spare: PendingSegment['offer']): void {
  const { start90k, duration90k } = segment.offer;
  const isSamePlace = spare.start90k === start90k && spare.duration90k === duration90k;
  const spares = segment.spares.filter((one) => one !== spare);
  if (!isSamePlace) {
    turn.change(segment, { spares });
    return;
  }
  const fresh = turn.change(segment, {
    offer: spare,
    spares,
    tasks: segment.tasks?.map((one) => ({ ...one, failures: [], deaths: 0 })),
  });
  for (const task of fresh.tasks ?? []) {
    const found = findTask(turn, taskId(turn, fresh, task.group));
    if (found !== undefined && found.task.outcome !== 'done') again(turn, found);
  }
}
