/** The owner and its log: fences, lost acks, outages, take-over, end, trimming (C1, C7, C8). */
import { expect, test } from 'vitest';
import type { IndexEntry } from '../../../../../cluster/contract/index-records.ts';
import type { OpenPeriodReply } from '../../../../../cluster/contract/stream-actions.ts';
import type { TranscodeTask } from '../../../../../cluster/contract/transcode-task.ts';
import { SessionId } from '../../../../../cluster/model/ids.ts';
import { applyEntry, emptyTimeline, rewound } from '../../../../../actors/media/timeline/fold.ts';
import { fromSnapshot } from '../../../../../actors/media/timeline/snapshot.ts';
import type { FoldedTimeline } from '../../../../../actors/media/timeline/timeline.ts';
import { codeOf, OwnerHarness, valueOf } from '../../../../support/ingest/owner-harness.ts';
import { openRecord, sha } from '../../../../support/ports/records.ts';

const fold = (entries: readonly IndexEntry[]): FoldedTimeline =>
  entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());

function firstSession(owner: OwnerHarness): SessionId {
  return owner.state.sessions[0]?.id ?? SessionId.parse('none');
}

function taskAt(owner: OwnerHarness, index: number): TranscodeTask {
  const task = owner.tasks.at(index);
  if (task === undefined) throw new Error(`no task ${index}`);
  return task;
}

function committed(segments: number) {
  const owner = new OwnerHarness();
  const period = owner.begin();
  for (let index = 0; index < segments; index += 1) {
    const from = owner.tasks.length;
    owner.offer(owner.segment(period, index));
    owner.finishTasks(from);
  }
  return { owner, period };
}

test('one append is under way at most', () => {
  const { owner, period } = committed(0);
  owner.logMode = 'held';
  for (const index of [0, 1, 2]) owner.offer(owner.segment(period, index));
  expect(owner.held).toHaveLength(1);
  owner.releaseHeld();
  expect(owner.ofKind('source')).toHaveLength(3);
});

test('an ack that was lost is found at the tail by its recordId, and nothing is stored twice', () => {
  const { owner, period } = committed(1);
  owner.logMode = 'ackLost';
  owner.offer(owner.segment(period, 1));
  owner.finishTasks(1);
  expect(owner.records.map((record) => record.kind)).toEqual([
    'open',
    'clock',
    'source',
    'commit',
    'source',
    'commit',
  ]);
  expect(new Set(owner.records.map((record) => record.recordId)).size).toBe(6);
});

test("an owner that finds a higher epoch's record gives up for good", () => {
  const { owner, period } = committed(1);
  owner.intrude(openRecord({ epoch: 2, node: 'n2', bootId: 'b2' }));
  owner.offer(owner.segment(period, 1));
  expect(owner.state.life).toBe('gone');
  expect(owner.effects).toContainEqual({ kind: 'deactivate', reason: 'fenced' });
  expect(codeOf(owner.attach('s2'))).toBe('STALE_EPOCH');
  expect(owner.records.at(-1)).toMatchObject({ kind: 'open', epoch: 2 });
});

test('a period that waits for its clock record is refused when the owner is fenced', () => {
  const owner = new OwnerHarness();
  owner.attach();
  owner.intrude(openRecord({ epoch: 2, node: 'n2', bootId: 'b2' }));
  expect(codeOf(owner.openPeriod())).toBe('STALE_EPOCH');
});

// Goal: a frozen owner that thaws changes nothing. Method: its append waits while another takes over, then goes on.
test('an append that was on its way during a take-over is refused', () => {
  const { owner, period } = committed(1);
  owner.logMode = 'held';
  owner.offer(owner.segment(period, 1));
  owner.intrude(openRecord({ epoch: 2, node: 'n2', bootId: 'b2' }));
  owner.releaseHeld();
  expect(owner.state.life).toBe('gone');
  expect(fold(owner.log).ignored).toBe(0);
});

// Goal: an owner that lives gives a log that went back what it has lost (C7). Method: the log's last records vanish, as after a
// restore; the next append is refused, a snapshot follows, and the stream goes on: same numbers, same hashes, no new period.
test.each([1, 2, 5, 100])(
  'a log that lost its last %i records gets them back in one, and goes on',
  (lost) => {
    const { owner, period } = committed(3);
    const before = fold(owner.log);
    const shown = before.periods.map(({ id, segments }) => ({ id, segments: [...segments] }));
    owner.log.splice(-lost);
    owner.offer(owner.segment(period, 3));
    owner.pass(500);
    for (const task of owner.tasksOf(540_000)) owner.done(task);
    const after = fold(owner.log);
    expect(after.periods.map(({ id, segments }) => ({ id, segments: segments.slice(0, 3) }))).toEqual(shown);
    expect({
      nextNumber: after.nextNumber,
      ignored: after.ignored,
      repairs: owner.counted('logRepaired'),
    }).toEqual({ nextNumber: 4, ignored: 0, repairs: 1 });
    expect(owner.state.life).toBe('active');
  },
);

// Method: an edge that had folded all of it reads the repaired log again from its beginning.
test('whoever has seen what was lost reads the repaired log again and finds nothing changed', () => {
  const { owner, period } = committed(3);
  const seen = fold(owner.log);
  owner.log.splice(-4);
  owner.offer(owner.segment(period, 3));
  owner.pass(500);
  for (const task of owner.tasksOf(540_000)) owner.done(task);
  const again = owner.log.reduce<FoldedTimeline>(applyEntry, rewound(seen));
  expect(again.periods.map(({ id, segments }) => [id, segments.map(({ number }) => number)])).toEqual([
    [period, [0, 1, 2, 3]],
  ]);
  expect(again).toMatchObject({ firstNumber: 0, nextNumber: 4 });
});

// Goal: however many places were lost, a period costs one record (outbox.ts O5). Method: the first period opens at a place above a million,
// then the log is gone; two periods are opened at once, and a successor that knows nothing but the new log opens a fourth.
test('a log that lost a million places gets its next periods at once, each above the last, also from a successor', () => {
  const entries = [{ sequence: 1_000_000, record: openRecord({ bootId: 'b0' }) }];
  const owner = new OwnerHarness({ entries, epoch: 2 });
  const first = owner.begin();
  owner.offer(owner.segment(first, 0));
  owner.log.splice(0);
  owner.pass(1000);
  owner.logMode = 'held';
  owner.openPeriod('s1', { sequenceHeaderHash: sha('ab') });
  owner.openPeriod('s1', { sequenceHeaderHash: sha('ac') });
  owner.releaseHeld();
  const successor = new OwnerHarness({ entries: owner.log, epoch: 3, bootId: 'b2' });
  successor.begin('s2', { sequenceHeaderHash: sha('ad') });
  expect(first).toBe(1_000_002);
  for (const log of [fold(successor.log), successor.state.timeline])
    expect(log.periods.map(({ id }) => id - first)).toEqual([0, 1, 2, 3]);
  expect({ clocks: successor.ofKind('clock').length, ignored: fold(successor.log).ignored }).toEqual({
    clocks: 3,
    ignored: 0,
  });
});

test('an answer of a server that is behind is no reason to give the stream up', () => {
  const { owner, period } = committed(3);
  const hidden = owner.log.splice(-2);
  owner.logMode = 'held';
  owner.do({ kind: 'thawed' }); // reads the tail: the log seems to have gone back
  owner.log.push(...hidden);
  owner.releaseHeld(); // what was to mend it is refused
  owner.offer(owner.segment(period, 3));
  owner.pass(1000);
  for (const task of owner.tasksOf(540_000)) owner.done(task);
  expect({ life: owner.state.life, nextNumber: fold(owner.log).nextNumber }).toEqual({
    life: 'active',
    nextNumber: 4,
  });
});

test('an outage loses no source: records wait, deadlines stop, all is appended in order afterwards (C8)', () => {
  const { owner, period } = committed(1);
  owner.logMode = 'silent';
  for (let index = 1; index <= 25; index += 1) {
    owner.pass(2000);
    owner.offer(owner.segment(period, index));
  }
  owner.pass(10_000);
  expect(owner.ofKind('source')).toHaveLength(1);
  owner.logMode = 'up';
  owner.pass(1100);
  expect(owner.ofKind('source').map((one) => one.start90k / 180_000)).toEqual([...Array(26).keys()]);
  owner.finishTasks(1);
  expect(owner.ofKind('gap')).toEqual([]);
  expect(owner.ofKind('commit').map((one) => one.number)).toEqual([...Array(26).keys()]);
  expect(fold(owner.log).ignored).toBe(0);
});

test('an outage that begins while a segment is encoded makes no gap of it', () => {
  const { owner, period } = committed(1);
  owner.offer(owner.segment(period, 1));
  owner.logMode = 'silent';
  owner.pass(30_000);
  owner.logMode = 'up';
  owner.pass(1100);
  expect(owner.ofKind('gap')).toEqual([]);
  owner.finishTasks(1);
  expect(owner.ofKind('commit')).toHaveLength(2);
});

test('backlog has its deadlines from when it is first in line: a dead queue makes gaps in the end', () => {
  const { owner, period } = committed(1);
  owner.logMode = 'silent';
  for (const index of [1, 2]) owner.offer(owner.segment(period, index));
  owner.pass(5000);
  owner.logMode = 'up';
  owner.pass(1000);
  owner.pass(12_000);
  expect(owner.ofKind('gap').map((one) => one.number)).toEqual([1]);
  owner.pass(12_100);
  expect(owner.ofKind('gap').map((one) => one.number)).toEqual([1, 2]);
});

// Found by bench failover: after 60 s without NATS two segments that came in behind the backlog were given up.
test('what comes in behind a backlog has its patience, what comes later has not', () => {
  const { owner, period } = committed(1);
  owner.logMode = 'silent';
  for (const index of [1, 2]) owner.offer(owner.segment(period, index));
  owner.pass(5000);
  owner.logMode = 'up';
  owner.pass(1100);
  owner.offer(owner.segment(period, 3));
  owner.pass(9000);
  owner.finishTasks(1);
  expect(owner.ofKind('gap')).toEqual([]);
  expect(owner.ofKind('commit').map((one) => one.number)).toEqual([0, 1, 2, 3]);
  owner.offer(owner.segment(period, 4));
  owner.pass(4100);
  expect(owner.ofKind('gap').map((one) => one.number)).toEqual([4]);
});

// Found under load: a read of the tail was answered after an append had passed it, and the owner gave its stream up.
test('a tail that an append has overtaken is no sign of loss; one that is truly behind is', () => {
  const { owner, period } = committed(1);
  const tail = owner.log.at(-1);
  const askedAt = owner.state.lastSequence;
  owner.offer(owner.segment(period, 1));
  owner.finishTasks(1);
  owner.do({ kind: 'tailRead', tail, askedAt });
  expect(owner.counted('logRepaired')).toBe(0);
  owner.do({ kind: 'tailRead', tail, askedAt: owner.state.lastSequence });
  expect(owner.counted('logRepaired')).toBe(1);
});

test('while the log is silent the tail is asked for with growing pauses, three times a second at most', () => {
  const { owner, period } = committed(1);
  owner.logMode = 'silent';
  owner.offer(owner.segment(period, 1));
  const before = owner.effects.filter((effect) => effect.kind === 'readTail').length;
  owner.pass(60_000);
  const asked = owner.effects.filter((effect) => effect.kind === 'readTail').length - before;
  expect(asked).toBeGreaterThan(120);
  expect(asked).toBeLessThan(220);
});

test('a successor goes on with numbers and periods, and emits the tasks of what is pending under fresh attempts', () => {
  const { owner, period } = committed(2);
  owner.offer(owner.segment(period, 2));
  owner.pass(1300); // its lowest rung is taken out of the one task
  owner.done(taskAt(owner, -1));
  const next = new OwnerHarness({ entries: owner.log, epoch: 2, bootId: 'b2' });
  expect(next.tasks.map((task) => [task.start90k, task.group])).toEqual([[360_000, 'upper']]);
  const used = new Set(owner.tasks.map((task) => `${task.taskId}#${task.attempt}`));
  for (const task of next.tasks) expect(used).not.toContain(`${task.taskId}#${task.attempt}`);
  next.attach('s1');
  next.finishTasks();
  const from = next.tasks.length;
  expect(valueOf(next.offer(next.segment(period, 3)))).toEqual({ state: 'accepted' });
  next.finishTasks(from);
  expect(next.ofKind('commit').map((one) => [one.number, one.epoch])).toEqual([
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 2],
  ]);
  expect(fold(next.log).ignored).toBe(0);
});

test('a successor gives each inherited source its time from when it is first in line', () => {
  const { owner, period } = committed(1);
  for (const index of [1, 2]) owner.offer(owner.segment(period, index));
  const next = new OwnerHarness({ entries: owner.log, epoch: 2, bootId: 'b2' });
  next.pass(12_100);
  expect(next.ofKind('gap').map((one) => one.number)).toEqual([1]);
  next.pass(12_100);
  expect(next.ofKind('gap').map((one) => one.number)).toEqual([1, 2]);
});

test("a worker's report to the former owner counts for its successor, its failures do not", () => {
  const { owner, period } = committed(1);
  owner.offer(owner.segment(period, 1));
  const old = owner.tasks.slice(1);
  const next = new OwnerHarness({ entries: owner.log, epoch: 2, bootId: 'b2' });
  for (const task of old) next.failed(task);
  expect(next.tasks).toHaveLength(1);
  for (const task of old) next.done(task);
  expect(next.ofKind('commit')).toHaveLength(2);
});

test('the same session that attaches to a successor goes on in its period', () => {
  const { owner, period } = committed(1);
  const next = new OwnerHarness({ entries: owner.log, epoch: 2, bootId: 'b2' });
  next.attach('s1');
  expect(valueOf<OpenPeriodReply>(next.openPeriod('s1')).period).toBe(period);
});

test('without a publisher for a minute the broadcast ends, after what is pending is decided', () => {
  const { owner, period } = committed(1);
  owner.offer(owner.segment(period, 1));
  owner.do({
    kind: 'detach',
    params: { streamId: owner.state.self.stream, sessionId: firstSession(owner), reason: 'test' },
  });
  owner.pass(59_900);
  expect(owner.ofKind('end')).toEqual([]);
  owner.pass(300);
  expect(owner.records.slice(-2).map((record) => record.kind)).toEqual(['gap', 'end']);
  expect(owner.effects).toContainEqual({ kind: 'deactivate', reason: 'ended' });
});

test('a publisher that comes back within the minute keeps the broadcast', () => {
  const { owner } = committed(1);
  owner.pass(79_000);
  owner.attach('s2');
  owner.pass(19_000);
  expect(owner.ofKind('end')).toEqual([]);
});

test('a publisher that comes back while the end waits for a silent log keeps the broadcast too', () => {
  const { owner } = committed(1);
  owner.pass(20_100);
  owner.logMode = 'silent';
  owner.pass(61_000);
  expect(codeOf(owner.attach('s2'))).toBeUndefined();
  owner.logMode = 'up';
  owner.pass(2000);
  expect(owner.ofKind('end')).toEqual([]);
});

test('a stream that never had a period ends without a record', () => {
  const owner = new OwnerHarness();
  owner.attach();
  owner.pass(81_000);
  expect(owner.records.map((record) => record.kind)).toEqual(['open']);
  expect(owner.has('deactivate')).toBe(true);
});

// Goal: a log stays short and a newcomer that reads only what is left sees the same. Method: 200 segments with a window
// of 60 s; compare the fold of what is left with the owner's own.
test('the log is trimmed to its window: archive, trim, snapshot, purge', () => {
  const owner = new OwnerHarness({
    settings: { maxLogRecords: 100, dvrWindowMs: 60_000, retentionMs: 200_000 },
  });
  const period = owner.begin();
  for (let index = 0; index < 200; index += 1) {
    const from = owner.tasks.length;
    owner.offer(owner.segment(period, index));
    owner.finishTasks(from);
    owner.pass(2000);
    owner.do({
      kind: 'input',
      report: {
        streamId: owner.state.self.stream,
        sessionId: firstSession(owner),
        bitrateBps: 1,
        lastPacketAgeMs: 0,
        warnings: [],
      },
    });
  }
  expect(owner.log.length).toBeLessThan(150);
  const left = fold(owner.log);
  expect(left).toMatchObject({ nextNumber: 200, ignored: 0 });
  const shown = left.nextNumber - left.firstNumber;
  expect(shown).toBeGreaterThanOrEqual(30);
  // Whoever followed the log has more: what is kept at all.
  const kept = owner.state.timeline.periods[0]?.segments ?? [];
  expect(kept.length).toBeGreaterThanOrEqual(100);
  expect(kept.length).toBeLessThan(200);
  expect(left.periods[0]?.segments).toEqual(kept.slice(-shown));
  const archives = owner.effects.filter((effect) => effect.kind === 'archive');
  expect(archives.length).toBeGreaterThan(2);
  expect(archives[0]?.key).toMatch(/^index\/demo\/1-\d+\.json$/);
  // The archives together hold every segment that the log no longer does.
  const archived = new Set(
    archives.flatMap(
      ({ body }) =>
        fromSnapshot(body)?.periods.flatMap((one) => one.segments.map(({ number }) => number)) ?? [],
    ),
  );
  for (let number = 0; number < left.firstNumber; number += 1) expect(archived.has(number)).toBe(true);
  const next = new OwnerHarness({ entries: owner.log, epoch: 2, bootId: 'b2' });
  expect(next.state.nextNumber).toBe(200);
});

test('an archive that cannot be stored leaves the log long and is tried again later', () => {
  const { owner } = committed(1);
  owner.do({ kind: 'archiveFailed' });
  expect(owner.has('purge')).toBe(false);
  expect(owner.state.isArchiving).toBe(false);
});
