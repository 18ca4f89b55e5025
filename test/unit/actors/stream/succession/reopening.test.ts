/** A period whose encoder nobody has any more goes on in another one, and no media is lost (M7). */
import { expect, test } from 'vitest';
import { addNamedKeys } from '../../../../../actors/control/sweep-plan.ts';
import { findMedia } from '../../../../../actors/media/timeline/query.ts';
import { applyEntry, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import type { FoldedTimeline } from '../../../../../actors/media/timeline/timeline.ts';
import { createOwner } from '../../../../../actors/stream/owner/owner.ts';
import type { IndexEntry } from '../../../../../cluster/contract/index-records.ts';
import { PeriodId } from '../../../../../cluster/model/ids.ts';
import { codeOf, OwnerHarness, settings, valueOf } from '../../../../support/ingest/owner-harness.ts';
import { stream } from '../../../../support/ports/records.ts';

const differs = 'FINGERPRINT_DIFFERS';
const fold = (entries: readonly IndexEntry[]): FoldedTimeline =>
  entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());

/** Two segments decided as usual; then every worker has another encoder. */
function upgraded() {
  const owner = new OwnerHarness();
  const period = owner.begin();
  for (const index of [0, 1]) {
    owner.offer(owner.segment(period, index));
    owner.finishTasks();
  }
  const refuse = (index: number): void => {
    for (const group of ['upper', 'lowest'])
      for (let tries = 0; tries < 4; tries += 1) {
        const task = owner.tasksOf(index * 180_000, group).at(-1);
        if (task !== undefined) owner.failed(task, `w${tries % 2}`, differs, 'ffmpeg-9');
      }
  };
  const refused = (index: number): void => {
    owner.offer(owner.segment(period, index));
    refuse(index);
  };
  return { owner, period, refuse, refused };
}

test('one refused segment is waited for, and is a gap in the end', () => {
  const { owner, refused } = upgraded();
  refused(2);
  owner.pass(11_000);
  expect({ clocks: owner.ofKind('clock').length, gaps: owner.ofKind('gap').length }).toEqual({
    clocks: 1,
    gaps: 0,
  });
  owner.pass(2000);
  expect(owner.ofKind('gap')).toMatchObject([{ start90k: 360_000, reason: `poison: ${differs}` }]);
});

test('two refused segments open a period with the encoder of the workers, which makes both', () => {
  const { owner, period, refused } = upgraded();
  const before = owner.tasks.length;
  refused(2);
  refused(3);
  const clocks = owner.ofKind('clock');
  expect(clocks).toHaveLength(2);
  expect(clocks[1]).toMatchObject({
    fingerprint: 'ffmpeg-9',
    storedAs: period,
    mediaZero90k: 360_000,
    presentationZero90k: 360_000,
    connectionZeroMs: 4000,
  });
  owner.pass(100);
  const fresh = owner.tasks.slice(before).filter((task) => task.fingerprint === 'ffmpeg-9');
  // The source lies where the session has stored it, and the output goes there, too.
  expect(fresh.map((task) => [task.start90k, task.period])).toEqual(
    expect.arrayContaining([
      [360_000, period],
      [540_000, period],
    ]),
  );
  for (const task of fresh) owner.done(task, 'w1', { init: 'f9' });
  owner.offer(owner.segment(period, 4)); // the session goes on as before
  owner.pass(100);
  for (const task of owner.tasksOf(720_000)) owner.done(task, 'w1', { init: 'f9' });
  const commits = owner.ofKind('commit').map(({ number, period: id, start90k }) => [number, id, start90k]);
  const next = owner.log.find(({ record }) => record === clocks[1])?.sequence;
  expect(commits).toEqual([
    [0, period, 0],
    [1, period, 180_000],
    [2, next, 360_000],
    [3, next, 540_000],
    [4, next, 720_000],
  ]);
  expect(owner.ofKind('gap')).toEqual([]);
});

test('a successor that opens between the new period and its first commit goes on in it', () => {
  const { owner, period, refused } = upgraded();
  refused(2);
  refused(3);
  const heir = new OwnerHarness({ entries: owner.log, epoch: 2, bootId: 'b2' });
  expect(heir.state.pending.map(({ offer }) => [offer.period === period, offer.start90k])).toEqual([
    [false, 360_000],
    [false, 540_000],
  ]);
  expect(heir.tasks.every((task) => task.period === period && task.fingerprint === 'ffmpeg-9')).toBe(true);
});

test('sources that come while the record is on its way belong to the new period, and nothing is decided', () => {
  const { owner, period, refuse, refused } = upgraded();
  refused(2);
  owner.offer(owner.segment(period, 3));
  owner.logMode = 'held';
  refuse(3);
  owner.offer(owner.segment(period, 4));
  owner.pass(20_000);
  expect(owner.ofKind('gap')).toEqual([]);
  for (let round = 0; round < 6; round += 1) owner.releaseHeld();
  const next = owner.state.timeline.periods.at(-1)?.id;
  expect(owner.state.pending.map(({ offer }) => offer.period)).toEqual([next, next, next]);
  expect(owner.ofKind('source').map((one) => one.period)).toEqual([period, period, period, period, next]);
});

test('what a session is told keeps the name under which it stores', () => {
  const { owner, period, refused } = upgraded();
  refused(2);
  refused(3);
  const { sessionId } = owner.segment(period, 0);
  owner.do({ kind: 'detach', params: { streamId: stream, sessionId, reason: 'gone' } });
  owner.attach('s2');
  const late = owner.openPeriod('s2', { connectionZeroMs: 8000, wallZeroMs: owner.now.utcMs + 8000 });
  expect(codeOf(late)).toBeUndefined();
  expect(valueOf<{ period: PeriodId }>(late).period).toBe(period);
});

test('the sweeper and the edges look where it is stored', () => {
  const { owner, period, refused } = upgraded();
  refused(2);
  refused(3);
  owner.pass(100);
  for (const task of owner.tasks) owner.done(task, 'w1', { init: 'f9' });
  const { timeline } = createOwner(
    { self: owner.state.self, settings, reason: 'test', entries: owner.log },
    owner.now,
  );
  const keys = new Set<string>();
  addNamedKeys(keys, stream, timeline);
  expect(keys.size).toBeGreaterThan(10);
  expect([...keys].every((key) => key.startsWith(`${stream}/${period}/`))).toBe(true);
  const next = timeline.periods.at(-1)?.id ?? PeriodId.parse(1);
  expect(findMedia(timeline, next, 'h264-240p', 360_000)).toBeDefined();
});

test('a period that has made nothing yet is not opened again for the encoder it has', () => {
  const { owner, refuse, refused } = upgraded();
  refused(2);
  refused(3);
  owner.pass(100);
  refuse(2);
  refuse(3);
  owner.pass(500);
  expect(owner.ofKind('clock')).toHaveLength(2);
});

// Goal: owner and fold count alike. Method: a segment before the refused ones is missing; the new period's record is on its way
// when it comes after all. It belongs to the old period, and is decided there first.
test('what lies before the new period stays in the old one, and every fold counts as the owner does', () => {
  const { owner, period, refuse, refused } = upgraded();
  refused(3);
  owner.offer(owner.segment(period, 4));
  owner.logMode = 'held';
  refuse(4);
  owner.offer(owner.segment(period, 2));
  for (let round = 0; round < 8; round += 1) owner.releaseHeld();
  owner.pass(200);
  for (const task of owner.tasks) owner.done(task, 'w1', { init: task.fingerprint === 'test' ? 'f0' : 'f9' });
  owner.pass(3000);
  const again = fold(owner.log);
  expect(
    owner.ofKind('commit').map(({ period: id, start90k }) => [id === period, start90k / 180_000]),
  ).toEqual([
    [true, 0],
    [true, 1],
    [true, 2],
    [false, 3],
    [false, 4],
  ]);
  expect({ nextNumber: again.nextNumber, ignored: again.ignored }).toEqual({
    nextNumber: owner.state.nextNumber,
    ignored: 0,
  });
});

test('a session that a new owner hears of by the name under which it stores feeds the running period', () => {
  const { owner, period, refused } = upgraded();
  refused(2);
  refused(3);
  const heir = new OwnerHarness({ entries: owner.log, epoch: 2, bootId: 'b2' });
  heir.attach('s1', { period });
  heir.attach('s2', { period, remoteAddress: '10.0.0.2' });
  expect(heir.state.sessions.map(({ id, isActive }) => [id, isActive])).toEqual([
    ['s1', true],
    ['s2', true],
  ]);
});
