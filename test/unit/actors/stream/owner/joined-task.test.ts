/** One task for all rungs while the owner keeps up; the lowest rung apart as soon as it does not (M12, C9). */
import { expect, test } from 'vitest';
import type { TranscodeTask } from '../../../../../cluster/contract/transcode-task.ts';
import { OwnerHarness } from '../../../../support/ingest/owner-harness.ts';

function begun(segments = 1) {
  const owner = new OwnerHarness();
  const period = owner.begin();
  for (let index = 0; index < segments; index += 1) owner.offer(owner.segment(period, index));
  return { owner, period };
}

const shapes = (tasks: readonly TranscodeTask[]) =>
  tasks.map((task) => [task.group, task.renditions.map(({ name }) => name)]);
const all = ['upper', ['h264-480p', 'h264-360p', 'h264-240p']];
const lowest = ['lowest', ['h264-240p']];

function only(owner: OwnerHarness): TranscodeTask {
  const [task] = owner.tasks;
  if (task === undefined) throw new Error('no task');
  return task;
}

test('while nothing waits in front all rungs are one task, and its answer commits the segment', () => {
  const { owner } = begun();
  expect(shapes(owner.tasks)).toEqual([all]);
  owner.done(only(owner));
  expect(owner.ofKind('commit')).toHaveLength(1);
});

test('with a segment in front the lowest rung is apart', () => {
  const { owner } = begun(2);
  expect(shapes(owner.tasks.slice(1))).toEqual([lowest, ['upper', ['h264-480p', 'h264-360p']]]);
});

test('a slow task is hedged with its lowest rung apart, and the first answer still brings that rung', () => {
  const { owner } = begun();
  owner.started(only(owner));
  owner.pass(1300);
  expect(shapes(owner.tasks.slice(1))).toEqual([lowest, ['upper', ['h264-480p', 'h264-360p']]]);
  owner.done(only(owner));
  const [commit] = owner.ofKind('commit');
  expect(Object.values(commit?.renditions ?? {}).filter((media) => 'absent' in media)).toEqual([]);
});

test('a task that nobody takes gives its lowest rung to one that is first in line: no gap', () => {
  const { owner } = begun();
  owner.pass(1300);
  expect(shapes(owner.tasks)).toEqual([all, lowest]);
  const rescue = owner.tasks[1];
  if (rescue !== undefined) owner.done(rescue);
  owner.pass(3000);
  expect(owner.ofKind('gap')).toEqual([]);
  expect(owner.ofKind('commit')).toHaveLength(1);
});

test('a failed task tries its lowest rung apart: what spoils an upper rung spoils no segment', () => {
  const { owner } = begun();
  for (const worker of ['w1', 'w2', 'w1']) {
    const upper = owner.tasksOf(0, 'upper').at(-1);
    if (upper !== undefined) owner.failed(upper, worker);
  }
  for (const task of owner.tasksOf(0, 'lowest').slice(-1)) owner.done(task);
  expect(owner.ofKind('gap')).toEqual([]);
  expect(owner.ofKind('commit')).toHaveLength(1);
});

test('a store that fails under the one task puts it off, and its lowest rung is tried apart', () => {
  const { owner } = begun();
  owner.failed(only(owner), 'w1', 'STORE_UNAVAILABLE');
  expect(shapes(owner.tasks)).toEqual([all, lowest]);
  owner.pass(300);
  expect(shapes(owner.tasks.slice(2))).toEqual([['upper', ['h264-480p', 'h264-360p']]]);
  expect(owner.tasks.map(({ attempt }) => attempt)).toEqual([1, 1, 2]);
});
