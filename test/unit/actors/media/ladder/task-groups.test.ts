/** Which tasks the rungs of a segment become. */
import { expect, test } from 'vitest';
import { taskGroups } from '../../../../../actors/media/ladder/task-groups.ts';
import { sampleTask } from '../../../../support/ports/transcode-task.ts';

const rungs = ['h264-720p', 'h264-480p', 'h264-240p'].flatMap((name) =>
  sampleTask().renditions.map((rung) => ({
    ...rung,
    name: sampleTask({ renditions: [{ ...rung, name }] }).renditions[0]?.name ?? rung.name,
  })),
);
const shape = (isBehind: boolean, count = 3) =>
  taskGroups(rungs.slice(-count), isBehind).map(({ group, renditions }) => [
    group,
    ...renditions.map(({ name }) => name),
  ]);

test('an owner that keeps up has all rungs made in one task', () => {
  expect(shape(false)).toEqual([['upper', 'h264-720p', 'h264-480p', 'h264-240p']]);
});

test('behind, the lowest rung is a task of its own, first in line (M12)', () => {
  expect(shape(true)).toEqual([
    ['lowest', 'h264-240p'],
    ['upper', 'h264-720p', 'h264-480p'],
  ]);
});

test('there is no task without a rung', () => {
  expect(shape(true, 1)).toEqual([['lowest', 'h264-240p']]);
  expect(taskGroups([], false)).toEqual([]);
  expect(taskGroups([], true)).toEqual([]);
});
