/** An owner that goes on with the stream of another region (R6). */
import { expect, test } from 'vitest';
import { applyEntry, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import type { FoldedTimeline } from '../../../../../actors/media/timeline/timeline.ts';
import { createOwner, decide } from '../../../../../actors/stream/owner/owner.ts';
import { BootId, Epoch, NodeId, RegionId } from '../../../../../cluster/model/ids.ts';
import { settings } from '../../../../support/ingest/owner-harness.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { by, region, stream } from '../../../../support/ports/records.ts';
import { epochOf, relayInto } from '../../../../support/ports/relayed.ts';

const other = { epoch: epochOf(1, 1), bootId: 'b-other' };
const self = {
  stream,
  region,
  node: NodeId.parse('n1'),
  bootId: BootId.parse('c'),
  epoch: Epoch.parse(epochOf(2, 2)),
};
const now = { utcMs: 1_700_000_000_000, runningMs: 0 };

/** The other region's log, and this one's, in which the same segments have numbers that are lower by four. */
function twoLogs() {
  const from = { region: RegionId.parse('eu'), epoch: Epoch.parse(1), number: 10 };
  const home = new LogBuilder()
    .open()
    .clock()
    .segments(10)
    .open(other, from)
    .clock(undefined, 40)
    .segments(4);
  const own = relayInto(new LogBuilder().open().clock().segments(6).entries, home.entries.slice(12));
  return { home: home.segments(4), own };
}

/** The owner whose `open` is the last record. */
function ownerBehind(own: ReturnType<typeof twoLogs>['own'], home: FoldedTimeline, isNamed: boolean) {
  const from = { region: RegionId.parse('eu'), epoch: home.epoch, number: home.nextNumber };
  const open = {
    kind: 'open' as const,
    ...by({ epoch: self.epoch, bootId: 'c' }),
    ...(isNamed ? { from } : {}),
  };
  const entries = [...own, { sequence: own.length + 50, record: open }];
  const ofOther = { timeline: home, epoch: home.epoch, bootId: BootId.parse('b-other') };
  return createOwner({ self, settings, reason: 'test', entries, ofOther }, now);
}

test('what the other region knows beyond this log goes on in this log’s numbers, and is written first', () => {
  const { home, own } = twoLogs();
  const { timeline, outbox } = ownerBehind(own, home.fold(), true);
  const numbers = ({ periods }: FoldedTimeline) =>
    periods.flatMap(({ ordinal, segments }) => segments.map((one) => [one.number, ordinal, one.start90k]));
  const before = own.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
  expect(numbers(timeline).slice(0, before.nextNumber)).toEqual(numbers(before));
  expect(timeline).toMatchObject({
    nextNumber: 14,
    epoch: self.epoch,
    branch: { shift: 0, isJoining: true },
  });
  expect(outbox[0]?.kind).toBe('snapshot');
});

test('an open behind another region’s records that does not name its branch is a fault of the program', () => {
  const { home, own } = twoLogs();
  expect(() => ownerBehind(own, home.fold(), false)).toThrow('says so in its open');
});

// Goal: an edge that begins behind a shortened log shows what its neighbours show (window.ts). Method: 74 segments of 2 s and a window of
// 60 s, in which the stream may have changed its region.
test.each([true, false])(
  'a log is shortened to eight segments more while a change of region (%s) lies in the window',
  (isChanged) => {
    const log = new LogBuilder().open().clock().segments(54);
    const from = { region: RegionId.parse('eu'), epoch: Epoch.parse(1), number: 54 };
    const owned = isChanged ? log.open(other, from) : log.takeOver();
    const { entries } = owned.segments(20).takeOver();
    const { epoch, bootId } = owned.fold();
    const author = { ...self, epoch, bootId: bootId ?? self.bootId };
    const settled = { ...settings, maxLogRecords: 20 };
    const owner = createOwner({ self: author, settings: settled, reason: 'test', entries }, now);
    const { effects } = decide(owner, { kind: 'tick' }, now);
    const archive = effects.find((effect) => effect.kind === 'archive');
    expect(archive?.firstNumber).toBe(isChanged ? 36 : 44);
  },
);
