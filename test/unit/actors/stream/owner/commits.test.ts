/** The reduce step: deadlines, dropped rungs, poison, order (M7, M12, M13, C9). */
import { expect, test } from 'vitest';
import type { CommitRecord } from '../../../../../cluster/contract/index-records.ts';
import type { TranscodeTask } from '../../../../../cluster/contract/transcode-task.ts';
import { NodeId } from '../../../../../cluster/model/ids.ts';
import { OwnerHarness, sourceVideo } from '../../../../support/ingest/owner-harness.ts';
import { sha } from '../../../../support/ports/records.ts';

const rungs = ['h264-480p', 'h264-360p', 'h264-240p'];

function absences({ renditions }: CommitRecord): Record<string, string> {
  return Object.fromEntries(
    Object.entries(renditions).flatMap(([name, media]) => ('absent' in media ? [[name, media.absent]] : [])),
  );
}

function begun(segments = 1) {
  const owner = new OwnerHarness();
  const period = owner.begin();
  for (let index = 0; index < segments; index += 1) owner.offer(owner.segment(period, index));
  return { owner, period };
}

function taskOf(
  owner: OwnerHarness,
  index: number,
  group: 'lowest' | 'upper',
  attempt?: number,
): TranscodeTask {
  const found = owner
    .tasksOf(index * 180_000, group)
    .findLast((task) => attempt === undefined || task.attempt === attempt);
  if (found === undefined) throw new Error(`no ${group} task for segment ${index}`);
  return found;
}

/** Segment 0 is committed; segment 1 came in behind it, so that its lowest rung is a task of its own (tasks.ts T1). */
function apart() {
  const { owner, period } = begun(2);
  owner.done(taskOf(owner, 0, 'upper'));
  return { owner, period };
}

const afterFirst = (owner: OwnerHarness) => owner.ofKind('commit').slice(1);

test('a segment is committed once all its renditions are there, with the first inits as reference', () => {
  const { owner } = begun();
  owner.pass(1300); // the lowest rung is taken out of the one task
  owner.done(taskOf(owner, 0, 'lowest'));
  expect(owner.ofKind('commit')).toEqual([]);
  owner.done(taskOf(owner, 0, 'upper'));
  const [commit] = owner.ofKind('commit');
  expect(commit).toMatchObject({ number: 0, start90k: 0, duration90k: 180_000 });
  expect(Object.keys(commit?.renditions ?? {})).toEqual(['h264-720p', ...rungs, 'aac-128k']);
  expect(Object.keys(commit?.inits ?? {})).toEqual(expect.arrayContaining(rungs));
  owner.offer(owner.segment(taskOf(owner, 0, 'lowest').period, 1));
  owner.finishTasks(2);
  expect(owner.ofKind('commit')[1]?.inits).toBeUndefined();
});

test('with nothing to encode a segment is committed at once', () => {
  const owner = new OwnerHarness();
  const period = owner.begin('s1', { video: { ...sourceVideo, width: 426, height: 240 } });
  const { video } = owner.segment(period, 0);
  if (video === undefined) throw new Error('no video');
  const name = owner.clock().renditions[0]?.name ?? video.rendition;
  owner.offer(owner.segment(period, 0, { video: { ...video, rendition: name } }));
  expect(owner.tasks).toEqual([]);
  expect(owner.ofKind('commit')).toHaveLength(1);
  expect(owner.records.map((record) => record.kind)).toEqual(['open', 'clock', 'source', 'commit']);
});

test('audio alone is committed at once', () => {
  const owner = new OwnerHarness();
  const period = owner.begin('s1', { video: undefined });
  owner.offer(owner.segment(period, 0, { video: undefined, times90k: [] }));
  expect(owner.ofKind('commit').map(absences)).toEqual([{}]);
});

test('a missing track of a segment is absent as missing', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.offer(owner.segment(period, 0, { audio: undefined }));
  owner.finishTasks();
  expect(owner.ofKind('commit').map(absences)).toEqual([{ 'aac-128k': 'missing' }]);
});

test('segments are committed in order of time, whatever the order of their tasks', () => {
  const { owner } = begun(2);
  owner.done(taskOf(owner, 1, 'lowest'));
  owner.done(taskOf(owner, 1, 'upper'));
  expect(owner.ofKind('commit')).toEqual([]);
  owner.done(taskOf(owner, 0, 'upper'));
  expect(owner.ofKind('commit').map((one) => one.start90k)).toEqual([0, 180_000]);
});

test('at 2.5 s a segment is committed without the rungs that are late', () => {
  const { owner } = apart();
  owner.done(taskOf(owner, 1, 'lowest'));
  owner.pass(2400);
  expect(afterFirst(owner)).toEqual([]);
  owner.pass(200);
  expect(afterFirst(owner).map(absences)).toEqual([{ 'h264-480p': 'late', 'h264-360p': 'late' }]);
});

test('at 4 s a segment without its lowest rung is a declared gap', () => {
  const { owner } = apart();
  owner.done(taskOf(owner, 1, 'upper'));
  owner.pass(3900);
  expect(owner.ofKind('gap')).toEqual([]);
  owner.pass(200);
  expect(owner.ofKind('gap')).toMatchObject([{ number: 1, start90k: 180_000, duration90k: 180_000 }]);
});

test('an output that comes after the commit or the gap is dropped', () => {
  const { owner } = begun();
  owner.pass(4100);
  owner.finishTasks();
  expect(owner.records.map((record) => record.kind)).toEqual(['open', 'clock', 'source', 'gap']);
  expect(owner.counted('lateOutput')).toBe(2);
});

test('a late rung stays out for five segments, then comes back (M13)', () => {
  const { owner, period } = apart();
  owner.done(taskOf(owner, 1, 'lowest'));
  owner.pass(2600);
  for (let index = 2; index < 9; index += 1) {
    const from = owner.tasks.length;
    owner.offer(owner.segment(period, index));
    owner.finishTasks(from);
  }
  expect(afterFirst(owner).map((one) => absences(one)['h264-480p'])).toEqual([
    'late',
    'dropped',
    'dropped',
    'dropped',
    'dropped',
    undefined,
    undefined,
    undefined,
  ]);
});

test('backlog drops the top rung first, then all but the lowest (C9)', () => {
  const { owner } = begun(5);
  const emitted = [0, 1, 2, 3, 4].map((index) =>
    owner.tasksOf(index * 180_000).flatMap((task) => task.renditions.map((rung) => String(rung.name))),
  );
  expect(emitted).toEqual([
    ['h264-480p', 'h264-360p', 'h264-240p'],
    ['h264-240p', 'h264-480p', 'h264-360p'],
    ['h264-240p', 'h264-360p'],
    ['h264-240p'],
    ['h264-240p'],
  ]);
});

test('a dropped rung is absent as dropped', () => {
  const { owner } = begun(4);
  owner.finishTasks();
  expect(owner.ofKind('commit').map(absences)).toEqual([
    {},
    {},
    { 'h264-480p': 'dropped' },
    { 'h264-480p': 'dropped', 'h264-360p': 'dropped' },
  ]);
});

test('a task whose worker is slow is hedged at 1.2 s, and the first answer counts', () => {
  const { owner } = apart();
  for (const group of ['lowest', 'upper'] as const) owner.started(taskOf(owner, 1, group));
  owner.pass(1100);
  expect(owner.tasks).toHaveLength(3);
  owner.pass(200);
  expect(owner.tasks.slice(3).map((task) => [task.group, task.attempt])).toEqual([
    ['lowest', 2],
    ['upper', 2],
  ]);
  owner.done(taskOf(owner, 1, 'lowest', 1));
  owner.done(taskOf(owner, 1, 'upper', 2), 'w2');
  expect(afterFirst(owner)).toHaveLength(1);
});

test('what a draining worker gives back is published again at once, and was no try and no failure (T6)', () => {
  const { owner } = apart();
  for (let drains = 0; drains < 12; drains += 1) {
    const task = owner.tasksOf(180_000, 'lowest').at(-1);
    if (task === undefined) throw new Error('no task');
    owner.started(task, `w${drains}`);
    owner.returned(task, `w${drains}`);
    owner.returned(task, `w${drains}`); // said twice: the newer attempt is under way
  }
  expect(owner.tasksOf(180_000, 'lowest').map(({ attempt }) => attempt)).toEqual(
    Array.from({ length: 13 }, (_, index) => index + 1),
  );
  expect({
    returned: owner.counted('returned'),
    retries: owner.counted('retry'),
    poison: owner.counted('poison'),
  }).toEqual({ returned: 12, retries: 0, poison: 0 });
});

test("a dead node's tasks are published again at once, and count as no failure", () => {
  const { owner } = apart();
  owner.started(taskOf(owner, 1, 'lowest'), 'w1');
  owner.started(taskOf(owner, 1, 'upper'), 'w2');
  owner.do({ kind: 'nodeGone', node: NodeId.parse('w1') });
  expect(owner.tasks.slice(3).map((task) => [task.group, task.attempt])).toEqual([['lowest', 2]]);
  owner.do({ kind: 'nodeGone', node: NodeId.parse('w1') });
  expect(owner.tasks).toHaveLength(4);
  expect({ redispatches: owner.counted('redispatch'), retries: owner.counted('retry') }).toEqual({
    redispatches: 1,
    retries: 0,
  });
  owner.done(taskOf(owner, 1, 'lowest', 2), 'w2');
  owner.done(taskOf(owner, 1, 'upper'), 'w2');
  expect(afterFirst(owner).map(absences)).toEqual([{}]);
});

// The deaths of its workers stay with a task, through the attempts that they cause and through those for other reasons (C9).
test('after two deaths of its workers a task says so to the next, and a failure does not hide it', () => {
  const { owner } = apart();
  const latest = () => owner.tasksOf(180_000, 'lowest').at(-1) ?? taskOf(owner, 1, 'lowest');
  for (const worker of ['w1', 'w2', 'w3']) {
    owner.started(latest(), worker);
    owner.do({ kind: 'nodeGone', node: NodeId.parse(worker) });
  }
  owner.failed(latest(), 'w4');
  expect(owner.tasksOf(180_000, 'lowest').map(({ deaths }) => deaths)).toEqual([0, 1, 2, 3, 3]);
  expect(owner.tasksOf(180_000, 'upper').map(({ deaths }) => deaths)).toEqual([0]);
  expect(owner.counted('poison')).toBe(0);
});

test('a task that still waits in the queue is not hedged', () => {
  const { owner } = apart();
  owner.pass(2400);
  expect(owner.tasks).toHaveLength(3);
});

test('where tasks take long, hedges wait for twice their p95', () => {
  const { owner, period } = begun();
  const finish = (index: number, afterMs: number): void => {
    owner.started(taskOf(owner, index, 'upper'));
    owner.pass(afterMs);
    owner.done(taskOf(owner, index, 'upper', 1));
  };
  finish(0, 1000);
  owner.offer(owner.segment(period, 1));
  owner.started(taskOf(owner, 1, 'upper'));
  owner.pass(1900);
  expect(owner.counted('hedge')).toBe(0);
  owner.pass(200);
  expect(owner.counted('hedge')).toBe(1);
});

test('a failed task goes to another worker, and three failures from two nodes are a poison: a gap at once', () => {
  const { owner } = apart();
  for (const [attempt, worker] of [
    [1, 'w1'],
    [2, 'w2'],
  ] as const) {
    owner.failed(taskOf(owner, 1, 'lowest', attempt), worker);
    expect(taskOf(owner, 1, 'lowest').attempt).toBe(attempt + 1);
  }
  owner.failed(taskOf(owner, 1, 'lowest', 3), 'w1');
  expect(owner.ofKind('gap')).toMatchObject([{ reason: 'poison: TRANSCODE_FAILED' }]);
});

function gapsAfterThreeFailures(others: readonly string[]): number {
  const { owner } = apart();
  for (const other of others) owner.started(taskOf(owner, 1, 'upper'), other);
  for (let attempt = 1; attempt <= 3; attempt += 1) owner.failed(taskOf(owner, 1, 'lowest', attempt), 'w1');
  return owner.ofKind('gap').length;
}

test('three failures of one node are a poison only if it is the only one', () => {
  expect(gapsAfterThreeFailures([])).toBe(1);
  expect(gapsAfterThreeFailures(['w2'])).toBe(0);
});

test('poisoned upper rungs are absent as failed, the segment is committed', () => {
  const { owner } = apart();
  owner.done(taskOf(owner, 1, 'lowest'));
  for (let attempt = 1; attempt <= 3; attempt += 1) owner.failed(taskOf(owner, 1, 'upper', attempt), 'w1');
  expect(afterFirst(owner).map(absences)).toEqual([{ 'h264-480p': 'failed', 'h264-360p': 'failed' }]);
});

test('attempts are bounded', () => {
  const { owner } = apart();
  owner.started(taskOf(owner, 1, 'upper'), 'w2');
  for (let round = 0; round < 20 && owner.ofKind('gap').length === 0; round += 1)
    owner.failed(taskOf(owner, 1, 'lowest'), 'w1');
  expect(taskOf(owner, 1, 'lowest').attempt).toBe(8);
  expect(owner.ofKind('gap')).toHaveLength(1);
});

test('an output whose init differs from the reference goes to another worker (M7)', () => {
  const { owner } = apart();
  owner.done(taskOf(owner, 1, 'lowest'), 'w1', { init: 'f1' });
  owner.done(taskOf(owner, 1, 'upper'));
  expect(afterFirst(owner)).toEqual([]);
  expect(taskOf(owner, 1, 'lowest')).toMatchObject({
    attempt: 2,
    inits: { 'h264-240p': { sha256: sha('f0') } },
  });
  owner.done(taskOf(owner, 1, 'lowest'), 'w2');
  expect(afterFirst(owner)).toHaveLength(1);
});

test('of two outputs with differing inits on the way, the second is made again before it is committed (M7)', () => {
  const { owner } = begun(2);
  owner.done(taskOf(owner, 1, 'lowest'), 'w2', { init: 'f1' });
  owner.done(taskOf(owner, 1, 'upper'), 'w2', { init: 'f1' });
  owner.done(taskOf(owner, 0, 'upper'));
  expect(owner.ofKind('commit')).toHaveLength(1);
  expect(taskOf(owner, 1, 'lowest').attempt).toBe(2);
  owner.done(taskOf(owner, 1, 'lowest'));
  owner.done(taskOf(owner, 1, 'upper'));
  const inits = new Set(
    owner.ofKind('commit').flatMap((one) => Object.values(one.inits ?? {}).map((init) => init.sha256)),
  );
  expect(owner.ofKind('commit')).toHaveLength(2);
  expect([...inits]).toEqual([sha('f0')]);
});

test('an output with a picture too few fails its task (M6)', () => {
  const { owner } = apart();
  owner.done(taskOf(owner, 1, 'lowest'), 'w1', { frames: 59 });
  owner.done(taskOf(owner, 1, 'upper'));
  expect(afterFirst(owner)).toEqual([]);
  expect(taskOf(owner, 1, 'lowest').attempt).toBe(2);
});

test('what is missing between two segments becomes gaps no longer than a target duration', () => {
  const { owner, period } = begun();
  owner.finishTasks();
  const from = owner.tasks.length;
  owner.offer(owner.segment(period, 4));
  owner.finishTasks(from);
  expect(owner.ofKind('gap')).toEqual([]);
  owner.pass(2600);
  expect(owner.ofKind('gap').map((one) => [one.number, one.start90k, one.duration90k])).toEqual([
    [1, 180_000, 180_000],
    [2, 360_000, 180_000],
    [3, 540_000, 180_000],
  ]);
  expect(owner.ofKind('commit').at(-1)).toMatchObject({ number: 4, start90k: 720_000 });
});

test('what was missing and comes within 2.5 s leaves no gap', () => {
  const { owner, period } = begun();
  owner.finishTasks();
  owner.offer(owner.segment(period, 2));
  owner.pass(1000);
  owner.offer(owner.segment(period, 1));
  owner.finishTasks();
  expect(owner.ofKind('gap')).toEqual([]);
  expect(owner.ofKind('commit').map((one) => one.number)).toEqual([0, 1, 2]);
});

test('numbers go on across periods', () => {
  const { owner } = begun(2);
  owner.finishTasks();
  owner.openPeriod('s1', { connectionZeroMs: 1 });
  const second = owner.state.timeline.periods.at(-1)?.id;
  if (second === undefined) throw new Error('no period');
  owner.offer(owner.segment(second, 0));
  owner.finishTasks(3);
  expect(owner.ofKind('commit').map((one) => [one.number, one.start90k])).toEqual([
    [0, 0],
    [1, 180_000],
    [2, 0],
  ]);
});

test('a queue that is full costs the upper rungs, not the segment', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.isQueueFull = true;
  owner.offer(owner.segment(period, 0));
  expect(owner.tasks).toEqual([]);
  owner.isQueueFull = false;
  owner.pass(300);
  owner.done(taskOf(owner, 0, 'lowest'));
  expect(owner.ofKind('commit').map(absences)).toEqual([{ 'h264-480p': 'dropped', 'h264-360p': 'dropped' }]);
});

test('a failure of an older attempt starts no third one while the hedge runs', () => {
  const { owner } = apart();
  owner.started(taskOf(owner, 1, 'lowest'));
  owner.pass(1300);
  owner.failed(taskOf(owner, 1, 'lowest', 1));
  expect(owner.tasksOf(180_000, 'lowest').map((task) => task.attempt)).toEqual([1, 2]);
});
