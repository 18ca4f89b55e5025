/** The deadlines of long segments (M12). */
import { expect, test } from 'vitest';
import type { TranscodeTask } from '../../../../../cluster/contract/transcode-task.ts';
import { OwnerHarness } from '../../../../support/ingest/owner-harness.ts';

function taskOf(owner: OwnerHarness, group: TranscodeTask['group']): TranscodeTask {
  const [found] = owner.tasksOf(0, group);
  if (found === undefined) throw new Error(`no ${group} task`);
  return found;
}

test('deadlines grow with the length of the segment: of 10 s it is late at 12.5 s and a gap at 20 s', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  const long = {
    duration90k: 900_000,
    times90k: Array.from({ length: 60 }, (_, picture) => picture * 15_000),
  };
  const { video, audio } = owner.segment(period, 0);
  if (video === undefined || audio === undefined) throw new Error('no media');
  owner.offer(
    owner.segment(period, 0, {
      ...long,
      video: { ...video, duration: 900_000 },
      audio: { ...audio, duration: 480_000 },
    }),
  );
  expect(owner.tasks.map(({ budgetMs }) => budgetMs)).toEqual([20_000]);
  owner.started(taskOf(owner, 'upper'));
  owner.pass(5900);
  expect(owner.tasks).toHaveLength(1);
  owner.pass(13_900);
  expect(owner.tasks).toHaveLength(3);
  expect(owner.ofKind('gap')).toEqual([]);
  owner.pass(300);
  expect(owner.ofKind('gap')).toMatchObject([{ number: 0, duration90k: 900_000 }]);
});

// Goal: a network that stood still costs no media that workers can make. Method: 12 s of media come at once, and no worker begins for 10 s.
test('what comes in a burst behind two segments has its time when it is first in line', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  for (let index = 0; index < 6; index += 1) owner.offer(owner.segment(period, index));
  owner.pass(10_000);
  expect(owner.ofKind('gap').map(({ number }) => number)).toEqual([0, 1]);
  owner.finishTasks();
  expect(owner.ofKind('commit').map(({ number }) => number)).toEqual([2, 3, 4, 5]);
});
