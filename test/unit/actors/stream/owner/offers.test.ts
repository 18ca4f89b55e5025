/** Sources as sessions offer them (C2). */
import { expect, test } from 'vitest';
import { Epoch, NodeId, PeriodId, RenditionName, SessionId } from '../../../../../cluster/model/ids.ts';
import { codeOf, OwnerHarness, valueOf } from '../../../../support/ingest/owner-harness.ts';
import { sha } from '../../../../support/ports/records.ts';

test('the first offer of a time becomes a source record and one task of all rungs', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  expect(valueOf(owner.offer(owner.segment(period, 0)))).toEqual({ state: 'accepted' });
  expect(owner.ofKind('source')).toHaveLength(1);
  expect(owner.tasks.map((task) => [task.group, task.renditions.map((one) => one.name)])).toEqual([
    ['upper', ['h264-480p', 'h264-360p', 'h264-240p']],
  ]);
  expect(owner.tasks[0]).toMatchObject({
    taskId: `demo/${period}/0/upper`,
    attempt: 1,
    source: { key: `demo/${period}/h264-720p/0-1000010000100001`.slice(0, 40), bytes: 500_000 },
  });
});

test('no task is emitted before the source is in the log', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.logMode = 'held';
  owner.offer(owner.segment(period, 0));
  expect(owner.tasks).toEqual([]);
  owner.releaseHeld();
  expect(owner.tasks).toHaveLength(1);
});

test('the same bytes again change nothing, other bytes are a spare', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  const offer = owner.segment(period, 0);
  owner.offer(offer);
  expect(valueOf(owner.offer(offer))).toEqual({ state: 'known' });
  const other = owner.segment(period, 0, { audio: undefined });
  expect(valueOf(owner.offer(other))).toEqual({ state: 'spare' });
  expect(valueOf(owner.offer(other))).toEqual({ state: 'known' });
  expect(owner.ofKind('source')).toHaveLength(1);
  expect(owner.tasks).toHaveLength(1);
});

test('an offer of what is committed is known, one of a gap comes too late; neither changes anything', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.offer(owner.segment(period, 0));
  owner.finishTasks();
  owner.offer(owner.segment(period, 1));
  owner.pass(5000);
  expect(owner.ofKind('gap')).toHaveLength(1);
  expect(valueOf(owner.offer(owner.segment(period, 0)))).toEqual({ state: 'known' });
  expect(valueOf(owner.offer(owner.segment(period, 1)))).toEqual({ state: 'late' });
  expect(owner.ofKind('source')).toHaveLength(2);
});

test("a superseded session may still hand in its tail, but not beyond the next period's start", () => {
  const owner = new OwnerHarness();
  const first = owner.begin('s1');
  owner.offer(owner.segment(first, 0));
  owner.nowMs += 10_000;
  owner.attach('s2', { priority: 1 });
  owner.openPeriod('s2', { connectionZeroMs: 1 });
  expect(valueOf(owner.offer(owner.segment(first, 1)))).toEqual({ state: 'accepted' });
  expect(valueOf(owner.offer(owner.segment(first, 9)))).toEqual({ state: 'late' });
});

test("a period's tail comes too late once a segment of the next is decided", () => {
  const owner = new OwnerHarness();
  const first = owner.begin('s1');
  owner.nowMs += 10_000;
  owner.openPeriod('s1', { connectionZeroMs: 1 });
  const second = PeriodId.parse(owner.log.at(-1)?.sequence);
  owner.offer(owner.segment(second, 0));
  owner.finishTasks();
  expect(owner.ofKind('commit')).toHaveLength(1);
  expect(valueOf(owner.offer(owner.segment(first, 0)))).toEqual({ state: 'late' });
});

test.each([
  { name: 'neither video nor audio', change: { video: undefined, audio: undefined }, code: 'BAD_REQUEST' },
  {
    name: 'an overlap of over 2 ms',
    change: { start90k: 180_000 - 181, duration90k: 180_181 },
    code: 'BAD_REQUEST',
  },
  { name: 'a hole of over a minute', change: { start90k: 180_000 + 61 * 90_000 }, code: 'CONFLICT' },
  { name: 'an unknown period', change: { period: PeriodId.parse(99) }, code: 'CONFLICT' },
  { name: 'too few presentation times', change: { times90k: [0, 3000] }, code: 'BAD_REQUEST' },
  {
    name: 'unsorted presentation times',
    change: { times90k: [0, ...Array(58).keys(), 0] },
    code: 'BAD_REQUEST',
  },
  {
    name: 'a session that is not attached',
    change: { sessionId: SessionId.parse('sx') },
    code: 'STALE_EPOCH',
  },
])('an offer with $name is refused, and the stream goes on', ({ change, code }) => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.offer(owner.segment(period, 0));
  expect(codeOf(owner.offer(owner.segment(period, 1, change)))).toBe(code);
  expect(valueOf(owner.offer(owner.segment(period, 1)))).toEqual({ state: 'accepted' });
});

test('an offer under a foreign rendition name is refused', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  const { video } = owner.segment(period, 0);
  const strange =
    video === undefined ? {} : { video: { ...video, rendition: RenditionName.parse('h264-360p') } };
  expect(codeOf(owner.offer(owner.segment(period, 0, strange)))).toBe('BAD_REQUEST');
});

test('an offer of another epoch is refused', () => {
  const owner = new OwnerHarness({ epoch: 4 });
  const period = owner.begin();
  expect(codeOf(owner.offer(owner.segment(period, 0), Epoch.parse(3)))).toBe('STALE_EPOCH');
});

test('an overlap of up to 2 ms at a join is snapped to the end before it', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.offer(owner.segment(period, 0));
  owner.offer(owner.segment(period, 1, { start90k: 180_000 - 90, duration90k: 180_090 }));
  expect(owner.ofKind('source').map(({ start90k, duration90k }) => [start90k, duration90k])).toEqual([
    [0, 180_000],
    [180_000, 180_000],
  ]);
  expect(owner.ofKind('source')[1]?.times90k.slice(0, 3)).toEqual([0, 2910, 5910]);
});

test('offers that come out of order are decided in order', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  for (const index of [0, 2, 1]) owner.offer(owner.segment(period, index));
  owner.finishTasks();
  expect(owner.ofKind('commit').map((one) => [one.number, one.start90k])).toEqual([
    [0, 0],
    [1, 180_000],
    [2, 360_000],
  ]);
});

test('while the log is silent 120 s of media are taken, then the session must keep them', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.logMode = 'silent';
  const outcomes = Array.from({ length: 70 }, (_, index) => {
    owner.nowMs += 2000;
    return codeOf(owner.offer(owner.segment(period, index))) ?? 'accepted';
  });
  expect(outcomes.lastIndexOf('accepted')).toBe(59);
  expect(outcomes.indexOf('OVERLOADED')).toBe(60);
});

test('a source that cannot be read is replaced by its spare, which has killed nobody', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.offer(owner.segment(period, 0));
  const offer = owner.segment(period, 1); // behind another, so that it has two tasks
  owner.offer(offer);
  const { video } = offer;
  const spare = video === undefined ? {} : { video: { ...video, sha256: sha('bb') } };
  owner.offer(owner.segment(period, 1, spare));
  const [, lowest] = owner.tasks;
  if (lowest === undefined) throw new Error('no task');
  owner.started(lowest, 'w0');
  owner.do({ kind: 'nodeGone', node: NodeId.parse('w0') });
  owner.failed(owner.tasks.at(-1) ?? lowest, 'w1', 'SEGMENT_NOT_FOUND');
  const again = owner.tasks.slice(4);
  expect(again.map((task) => [task.group, task.attempt, task.deaths, task.source.sha256])).toEqual([
    ['lowest', 3, 0, sha('bb')],
    ['upper', 2, 0, sha('bb')],
  ]);
  owner.finishTasks();
  expect(owner.ofKind('commit')[1]?.renditions).toMatchObject({ 'h264-720p': { sha256: sha('bb') } });
});
