/** Opening a period, or going on with the running clock (M1, M2, M10). */
import { expect, test } from 'vitest';
import type { OpenPeriodReply } from '../../../../../cluster/contract/stream-actions.ts';
import { RegionId } from '../../../../../cluster/model/ids.ts';
import { codeOf, OwnerHarness, sourceVideo, valueOf } from '../../../../support/ingest/owner-harness.ts';
import { endRecord, sha } from '../../../../support/ports/records.ts';

const second = 90_000;

test("a period's id is the place of its clock record in the log, and nobody hears of it before", () => {
  const owner = new OwnerHarness();
  owner.attach();
  owner.logMode = 'held';
  expect(owner.openPeriod()).toBeUndefined();
  owner.releaseHeld();
  expect(valueOf(owner.answers.get(2))).toEqual({
    period: 2,
    offset90k: 0,
    video: 'h264-720p',
    audio: 'aac-128k',
  });
  expect(owner.log.at(-1)).toMatchObject({
    sequence: 2,
    record: { kind: 'clock', presentationZero90k: 0, mediaZero90k: 0 },
  });
});

test('the first period starts the presentation at the wall time of its first picture', () => {
  const owner = new OwnerHarness();
  owner.begin('s1', { wallZeroMs: owner.now.utcMs - 3000 });
  expect(owner.clock().availabilityStartMs).toBe(owner.now.utcMs - 3000);
});

test("a session's wall clock that is hours off does not move the start of the stream", () => {
  const owner = new OwnerHarness();
  owner.begin('s1', { wallZeroMs: owner.now.utcMs + 3_600_000 });
  expect(owner.clock().availabilityStartMs).toBe(owner.now.utcMs);
});

test('the renditions of the ladder are pinned, with the fingerprint', () => {
  const owner = new OwnerHarness();
  owner.begin();
  expect(owner.clock().renditions.map((one) => one.name)).toEqual([
    'h264-720p',
    'h264-480p',
    'h264-360p',
    'h264-240p',
    'aac-128k',
  ]);
  expect(owner.clock().fingerprint).toBe('test');
});

test('a source that cannot pass through is kept for the workers as `source`', () => {
  const owner = new OwnerHarness();
  owner.attach();
  const answer = owner.openPeriod('s1', { video: { ...sourceVideo, codec: 'hevc', codecs: 'hvc1.1.6.L93' } });
  expect(valueOf<OpenPeriodReply>(answer).video).toBe('source');
});

test('a lost answer is given again: no second period for the same connection', () => {
  const owner = new OwnerHarness();
  owner.begin();
  expect(valueOf<OpenPeriodReply>(owner.openPeriod()).period).toBe(2);
  expect(owner.ofKind('clock')).toHaveLength(1);
});

test('two calls that wait for the same period get the same answer', () => {
  const owner = new OwnerHarness();
  owner.attach();
  owner.logMode = 'held';
  owner.openPeriod();
  owner.openPeriod();
  owner.releaseHeld();
  expect(
    [owner.answers.get(2), owner.answers.get(3)].map((answer) => valueOf<OpenPeriodReply>(answer).period),
  ).toEqual([2, 2]);
  expect(owner.ofKind('clock')).toHaveLength(1);
});

/** One segment of 2 s, then a new connection after an outage. */
function reconnected(outageMs: number, change: Parameters<OwnerHarness['openPeriod']>[1] = {}) {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.offer(owner.segment(period, 0));
  owner.finishTasks();
  owner.nowMs += 2000 + outageMs;
  owner.attach('s2', { priority: 1 });
  const answer = owner.openPeriod('s2', { connectionZeroMs: 0, ...change });
  return { owner, reply: valueOf<OpenPeriodReply>(answer) };
}

test.each([
  { name: 'zero-based, as OBS', outageMs: 5000, change: {}, goesOn: false },
  { name: 'whose clock ran on', outageMs: 5000, change: { connectionZeroMs: 7000 }, goesOn: true },
  { name: 'whose clock ran on within 1 s', outageMs: 5000, change: { connectionZeroMs: 7900 }, goesOn: true },
  {
    name: 'whose clock strayed by over 1 s',
    outageMs: 5000,
    change: { connectionZeroMs: 8100 },
    goesOn: false,
  },
  { name: 'whose media lies below the last', outageMs: 0, change: { connectionZeroMs: 1500 }, goesOn: false },
  {
    name: 'with other sequence headers',
    outageMs: 5000,
    change: { connectionZeroMs: 7000, sequenceHeaderHash: sha('77') },
    goesOn: false,
  },
  { name: 'after over a minute', outageMs: 61_000, change: { connectionZeroMs: 63_000 }, goesOn: false },
])('a connection $name', ({ outageMs, change, goesOn }) => {
  const { owner, reply } = reconnected(outageMs, change);
  expect(owner.ofKind('clock')).toHaveLength(goesOn ? 1 : 2);
  expect(reply.offset90k).toBe(goesOn ? (change.connectionZeroMs ?? 0) * 90 : 0);
});

test.each([
  { outageMs: 0, expected: 2 * second },
  { outageMs: 5000, expected: 7 * second },
  { outageMs: 40_000, expected: 42 * second },
])(
  'after an outage of $outageMs ms the next period lies where the wall clock says',
  ({ outageMs, expected }) => {
    const { owner } = reconnected(outageMs);
    expect(owner.clock().presentationZero90k).toBe(expected);
  },
);

test('a period never overlaps the one before, even if the wall clock went back', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  for (const index of [0, 1, 2]) owner.offer(owner.segment(period, index));
  owner.openPeriod('s1', { connectionZeroMs: 50 });
  expect(owner.clock().presentationZero90k).toBe(6 * second);
});

test('after the end a new broadcast opens a new period, numbers go on', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.offer(owner.segment(period, 0));
  owner.finishTasks();
  const entries = [...owner.log, { sequence: 90, record: endRecord({ epoch: 1, recordId: 'the-end' }) }];
  const next = new OwnerHarness({ entries, epoch: 2 });
  next.nowMs += 120_000;
  next.begin('s1');
  expect(next.ofKind('clock')).toHaveLength(2);
  expect(next.state.nextNumber).toBe(1);
  expect(next.clock().availabilityStartMs).toBe(owner.clock().availabilityStartMs);
});

// Method: the stream began in another region, whose clock is 30 s ahead, and begins again here after two minutes.
test('a stream that began in another region goes on by the wall clock of that region', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.offer(owner.segment(period, 0));
  owner.finishTasks();
  const far = RegionId.parse('far');
  const end = { sequence: 90, record: endRecord({ epoch: 1, recordId: 'the-end' }) };
  const entries = [...owner.log, end].map((entry) => ({
    ...entry,
    record: { ...entry.record, region: far },
  }));
  const zeroWhereAhead = (aheadMs: number) => {
    const settings = { aheadMs: (region: RegionId) => (region === far ? aheadMs : 0) };
    const next = new OwnerHarness({ entries, epoch: 2, settings });
    next.nowMs += 120_000;
    next.begin('s1');
    return next.clock().presentationZero90k;
  };
  expect(zeroWhereAhead(30_000) - zeroWhereAhead(0)).toBe(30 * second);
});

test('with the log silent no period is promised, and the session may ask again', () => {
  const owner = new OwnerHarness();
  owner.attach();
  owner.logMode = 'silent';
  expect(owner.openPeriod()).toBeUndefined();
  expect(codeOf(owner.openPeriod('s1', { connectionZeroMs: 1 }))).toBe('LOG_UNAVAILABLE');
  owner.logMode = 'up';
  owner.pass(2000);
  expect(valueOf<OpenPeriodReply>(owner.answers.get(2)).period).toBe(2);
});

test('a session that is not attached, or was superseded, opens nothing', () => {
  const owner = new OwnerHarness();
  expect(codeOf(owner.openPeriod('s1'))).toBe('STALE_EPOCH');
  owner.attach('s1');
  owner.attach('s2', { priority: 1 });
  expect(codeOf(owner.openPeriod('s1'))).toBe('CONFLICT');
});

test('a session of another epoch opens nothing', () => {
  const owner = new OwnerHarness({ epoch: 3 });
  owner.attach();
  expect(codeOf(owner.openPeriod('s1', { epoch: new OwnerHarness({ epoch: 2 }).state.self.epoch }))).toBe(
    'STALE_EPOCH',
  );
});
