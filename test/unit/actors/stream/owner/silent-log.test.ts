/** What an owner has encoded while the log and the queue are silent (C8, tasks.ts T4). */
import { expect, test } from 'vitest';
import type { IndexEntry } from '../../../../../cluster/contract/index-records.ts';
import { applyEntry, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import type { FoldedTimeline } from '../../../../../actors/media/timeline/timeline.ts';
import { OwnerHarness } from '../../../../support/ingest/owner-harness.ts';

const fold = (entries: readonly IndexEntry[]): FoldedTimeline =>
  entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());

/** One segment is committed. */
function begun() {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.offer(owner.segment(period, 0));
  owner.finishTasks();
  return { owner, period };
}

// Goal: an outage leaves records to append and nothing to encode (C8). Method: while the log and the queue are silent, this
// node's own worker has slots free; segments come and are made; the log answers again.
test('what comes while the log is silent is encoded meanwhile, and goes into the log in order', () => {
  const { owner, period } = begun();
  owner.logMode = 'silent';
  owner.ownSlots = 100;
  for (const index of [1, 2, 3, 4, 5]) {
    const from = owner.tasks.length;
    owner.offer(owner.segment(period, index));
    owner.pass(1000);
    expect(owner.tasks.slice(from).flatMap(({ renditions }) => renditions)).toHaveLength(3);
    owner.finishTasks(from);
    owner.pass(1000);
  }
  const made = owner.tasks.length;
  const before = owner.records.length;
  owner.logMode = 'up';
  owner.pass(500);
  expect(owner.tasks).toHaveLength(made);
  const kinds = owner.records.slice(before).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'commit')).toHaveLength(5);
  expect(kinds.filter((kind) => kind === 'source')).toHaveLength(5);
  const { periods, ignored } = fold(owner.log);
  expect(ignored).toBe(0);
  expect(periods.flatMap(({ segments }) => segments.map(({ number }) => number))).toEqual([0, 1, 2, 3, 4, 5]);
  expect(owner.ofKind('commit').flatMap(({ renditions }) => Object.values(renditions))).not.toContainEqual(
    expect.objectContaining({ absent: expect.anything() }),
  );
});

test('a silent log lets a few segments be encoded ahead, and none for an encoder of another build', () => {
  const { owner, period } = begun();
  owner.logMode = 'silent';
  owner.ownSlots = 100;
  const from = owner.tasks.length;
  for (let index = 1; index < 20; index += 1) owner.offer(owner.segment(period, index));
  owner.pass(1000);
  expect(new Set(owner.tasks.slice(from).map(({ start90k }) => start90k)).size).toBe(3);

  const other = new OwnerHarness({ settings: { fingerprint: 'other' }, entries: owner.log, epoch: 2 });
  const known = other.tasks.length;
  other.logMode = 'silent';
  other.ownSlots = 100;
  other.attach('s1');
  other.offer(other.segment(period, 1));
  other.pass(1000);
  expect(other.state.pending).toHaveLength(1);
  expect(other.tasks).toHaveLength(known);
});
