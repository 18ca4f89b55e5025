import { expect, test } from 'vitest';
import { healthOf } from '../../../../actors/stream/health.ts';
import type { StreamHealth } from '../../../../cluster/contract/stream-health.ts';
import { SessionId } from '../../../../cluster/model/ids.ts';
import { OwnerHarness } from '../../../support/ingest/owner-harness.ts';
import { stream } from '../../../support/ports/records.ts';

const minuteMs = 60_000;

function healthLater(owner: OwnerHarness, laterMs: number): StreamHealth {
  const { utcMs, runningMs } = owner.now;
  return healthOf(owner.state, [], { utcMs: utcMs + laterMs, runningMs: runningMs + laterMs });
}

// Goal: an operator sees what is wrong now. Method: one segment becomes a gap; the same stream is looked at 9 and 11 minutes later.
test('a gap is recent for ten minutes, and counts for as long as manifests reach it', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  owner.offer(owner.segment(period, 0));
  owner.pass(4100);
  const gapsAfter = (minutes: number) =>
    healthLater(owner, minutes * minuteMs).renditions.map(({ gaps, recentGaps }) => ({ gaps, recentGaps }));
  expect(gapsAfter(9)).toContainEqual({ gaps: 1, recentGaps: 1 });
  expect(gapsAfter(9)).not.toContainEqual({ gaps: 1, recentGaps: 0 });
  expect(gapsAfter(11)).toContainEqual({ gaps: 1, recentGaps: 0 });
  expect(gapsAfter(11)).not.toContainEqual({ gaps: 1, recentGaps: 1 });
});

test('health names each publisher: where it is connected, what it is, how much it sends, what is wrong with it', () => {
  const owner = new OwnerHarness();
  owner.attach('s1', { encoder: 'obs-output module', remoteAddress: '10.0.0.7' });
  owner.do({
    kind: 'input',
    report: {
      streamId: stream,
      sessionId: SessionId.parse('s1'),
      bitrateBps: 2_500_000,
      lastPacketAgeMs: 0,
      warnings: ['keyframes are 5.0 s apart'],
    },
  });
  expect(healthLater(owner, 0).sessions).toMatchObject([
    {
      node: 'n1',
      remoteAddress: '10.0.0.7',
      encoder: 'obs-output module',
      bitrateBps: 2_500_000,
      warnings: ['keyframes are 5.0 s apart'],
    },
  ]);
});

test.each([
  { fault: undefined, state: 'live' },
  { fault: 'keyframes are 5.0 s apart', state: 'degraded' },
])(
  'a stream whose publisher names the fault $fault is $state; warnings alone degrade nothing',
  ({ fault, state }) => {
    const owner = new OwnerHarness();
    const period = owner.begin();
    owner.offer(owner.segment(period, 0));
    owner.finishTasks();
    const report = { streamId: stream, sessionId: SessionId.parse('s1'), bitrateBps: 1, lastPacketAgeMs: 0 };
    owner.do({
      kind: 'input',
      report: { ...report, warnings: ['pictures are mended'], ...(fault === undefined ? {} : { fault }) },
    });
    expect(healthLater(owner, 0)).toMatchObject({ state, input: { warnings: ['pictures are mended'] } });
  },
);
