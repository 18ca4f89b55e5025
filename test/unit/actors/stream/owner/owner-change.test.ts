/** What a change of the owner, a slow machine and long GOPs must not do to who feeds the stream (C2); found by review. */
import { expect, test } from 'vitest';
import { feeding } from '../../../../../actors/stream/owner/sessions.ts';
import type { OpenPeriodReply } from '../../../../../cluster/contract/stream-actions.ts';
import { NodeId, SessionId } from '../../../../../cluster/model/ids.ts';
import { codeOf, OwnerHarness, valueOf } from '../../../../support/ingest/owner-harness.ts';
import { sha, stream } from '../../../../support/ports/records.ts';
import { keyHash, marksOf, onAir } from '../../../../support/cluster/stream-on-air.ts';

const other = '10.0.0.2';
function withTwin(node = 'n2') {
  const parts = onAir(4);
  parts.owner.attach('s2', { remoteAddress: other, node: NodeId.parse(node) });
  parts.owner.openPeriod('s2', { connectionZeroMs: 7 });
  parts.owner.openPeriod('s2', { connectionZeroMs: 7, marks: marksOf(2, 2) });
  return parts;
}
const activeOf = ({ state }: OwnerHarness): readonly string[] =>
  state.sessions.filter((one) => one.isActive).map((one) => one.id);
const report = (owner: OwnerHarness, id: string, lastPacketAgeMs = 20): void =>
  owner.do({
    kind: 'input',
    report: {
      streamId: stream,
      sessionId: SessionId.parse(id),
      bitrateBps: 1,
      lastPacketAgeMs,
      warnings: [],
    },
  });

test('a candidate that comes first to the successor of a dead owner does not begin a second clock while the other may return', () => {
  const { owner, id, segment } = onAir(6);
  const successor = new OwnerHarness({ entries: owner.log, epoch: 2 });
  successor.attach('s2', { remoteAddress: other, hadTwin: true });
  expect(codeOf(successor.openPeriod('s2', { connectionZeroMs: 7 }))).toBe('TWIN_PENDING');
  successor.attach('s1', { period: id });
  expect(valueOf(successor.offer(segment(6)))).toEqual({ state: 'accepted' });
  const marks = marksOf(5, 2);
  expect(valueOf<OpenPeriodReply>(successor.openPeriod('s2', { connectionZeroMs: 7, marks })).period).toBe(
    id,
  );
  expect(successor.ofKind('clock')).toHaveLength(1);
});

test('with nobody back within 5 s the candidate is the publisher', () => {
  const { owner } = onAir(6);
  const successor = new OwnerHarness({ entries: owner.log, epoch: 2 });
  successor.attach('s2', { remoteAddress: other, hadTwin: true });
  successor.pass(5000);
  expect(codeOf(successor.openPeriod('s2', { connectionZeroMs: 7 }))).toBeUndefined();
  expect(successor.ofKind('clock')).toHaveLength(2);
});

test('a rival that comes to a successor before the one on air takes nothing from it', () => {
  const { owner, id, segment } = onAir(6);
  const successor = new OwnerHarness({ entries: owner.log, epoch: 2 });
  successor.attach('rival', { remoteAddress: '10.9.9.9' });
  successor.attach('s1', { period: id });
  expect(codeOf(successor.openPeriod('rival', { sequenceHeaderHash: sha('0d'), connectionZeroMs: 9 }))).toBe(
    'STREAM_BUSY',
  );
  expect(valueOf(successor.offer(segment(6)))).toEqual({ state: 'accepted' });
});

test('that its address is blocked sends nobody away who feeds the stream', () => {
  const { owner, id } = withTwin();
  for (const name of ['x1', 'x2', 'x3']) owner.attach(name, { remoteAddress: other });
  owner.do({ kind: 'nodeGone', node: NodeId.parse('n2') });
  expect(codeOf(owner.attach('s2', { remoteAddress: other, period: id }))).toBeUndefined();
});

test('an owner that stood still itself takes nobody for a ghost', () => {
  const { owner } = withTwin();
  owner.nowMs += 3100;
  owner.do({ kind: 'thawed' });
  owner.attach('s9', { remoteAddress: '10.9.9.9' });
  expect(activeOf(owner)).toEqual(['s1', 's2']);
});

test('with NATS gone, what sessions of other nodes do not say makes them no ghosts', () => {
  const { owner } = withTwin();
  report(owner, 's1');
  report(owner, 's2');
  owner.logMode = 'silent';
  for (let times = 0; times < 31; times += 1) {
    owner.pass(100);
    report(owner, 's1');
  }
  owner.attach('s9', { remoteAddress: '10.9.9.9' });
  expect(activeOf(owner)).toEqual(['s1', 's2']);
});

test('a session that a hand-over named and that is not heard yet keeps no reconnecting twin out', () => {
  const { owner, id } = withTwin();
  const successor = new OwnerHarness({ entries: owner.log, epoch: 2, feeding: feeding(owner.state) });
  successor.attach('s1', { period: id });
  expect(codeOf(successor.attach('s3', { remoteAddress: other }))).toBeUndefined();
  expect(activeOf(successor)).toEqual(['s2', 's1']);
});

test('who reconnects before the loss of its connection shows waits until that is silent for 3 s, not for its time-out', () => {
  const { owner } = onAir(4);
  report(owner, 's1', 400);
  owner.attach('s9');
  const ask = () => codeOf(owner.openPeriod('s9', { connectionZeroMs: 0 }));
  owner.pass(2000);
  report(owner, 's1', 2400);
  report(owner, 's9');
  expect(ask()).toBe('TWIN_PENDING');
  owner.pass(1000);
  report(owner, 's1', 3400);
  report(owner, 's9', 3400); // its encoder is what is silent
  expect(ask()).toBe('TWIN_PENDING');
  report(owner, 's9');
  expect(ask()).toBeUndefined();
  expect(activeOf(owner)).toEqual(['s9']);
});

// Goal: a node that is dead before anybody says so costs its publisher no more than the 3 s. Method: s1 is at another node and says
// nothing any more; its encoder has come back from the same address as s9, too early to supersede it at once.
test('who comes back from a node that is dead and not declared so waits for no more than 3 s', () => {
  const { owner } = onAir(4);
  owner.attach('s1', { node: NodeId.parse('n2') });
  report(owner, 's1');
  owner.pass(2000);
  owner.attach('s9');
  const ask = () => codeOf(owner.openPeriod('s9', { connectionZeroMs: 0 }));
  expect(ask()).toBe('TWIN_PENDING');
  owner.pass(1000);
  report(owner, 's9');
  expect(ask()).toBeUndefined();
  expect(activeOf(owner)).toEqual(['s9']);
});

test('an encoder that stands still for a moment, feeding one session while another is compared, loses neither', () => {
  const { owner } = onAir(4);
  owner.attach('s2', { remoteAddress: other });
  report(owner, 's2', 2200);
  owner.pass(800);
  report(owner, 's1', 3000);
  expect(codeOf(owner.openPeriod('s2', { connectionZeroMs: 7 }))).toBe('TWIN_PENDING');
  expect(activeOf(owner)).toEqual(['s1']);
});

// Goal: C8, an outage of NATS changes nothing about who is on air. Method: a publisher at another node, of which nothing is heard for
// 25 s; then the log answers, and somebody else comes before the first report.
test('a publisher at another node that was not heard for as long as NATS was gone is as it was', () => {
  const { owner } = onAir(4);
  owner.attach('s1', { node: NodeId.parse('n2') });
  report(owner, 's1');
  owner.logMode = 'silent';
  owner.pass(25_000);
  expect(owner.state.link.kind).toBe('down');
  expect(activeOf(owner)).toEqual(['s1']);
  owner.logMode = 'up';
  owner.pass(1000);
  expect(owner.state.link.kind).toBe('up');
  owner.attach('s9', { remoteAddress: '10.9.9.9' });
  expect(activeOf(owner)).toEqual(['s1']);
});

test('who asks a successor for its own period again, for it never heard the answer, has it at once', () => {
  const { owner, id } = onAir(1);
  const successor = new OwnerHarness({ entries: owner.log, epoch: 2 });
  successor.attach('s1', { hadTwin: true });
  expect(valueOf<OpenPeriodReply>(successor.openPeriod('s1')).period).toBe(id);
});

// Found by review: nothing told it that nobody listens any more, and its place kept every reconnect out.
test('a session whose media belongs to a period that is over is sent away after 10 s, so that its encoder begins anew', () => {
  const { owner, id, segment } = onAir(4);
  const successor = new OwnerHarness({ entries: owner.log, epoch: 2 });
  successor.attach('s2', { remoteAddress: other });
  successor.openPeriod('s2', { connectionZeroMs: 7 });
  successor.attach('s1', { period: id });
  const closed = () => successor.effects.filter(({ kind }) => kind === 'closeSession');
  for (let index = 4; index < 9; index += 1) {
    expect(closed()).toEqual([]);
    expect(valueOf(successor.offer(segment(index)))).toEqual({ state: 'late' });
    successor.pass(2000);
  }
  successor.offer(segment(9));
  expect(closed()).toEqual([
    {
      kind: 'closeSession',
      sessionId: 's1',
      code: 'UNAVAILABLE',
      reason: 'the broadcast has gone on without it: publish again',
    },
  ]);
});

test.each([
  [4, 500],
  [5, 500],
  [8, 500],
  [8, 6000],
])('a twin with a keyframe each %i s, that joins %i ms after one, is recognised', (gop, phaseMs) => {
  const step = gop * 90_000;
  const owner = new OwnerHarness();
  const id = owner.begin('s1');
  const zeroMs = owner.nowMs;
  const until = (ms: number): void => {
    while (owner.nowMs < zeroMs + ms) {
      owner.pass(100);
      const index = (owner.nowMs - zeroMs - 300) / (gop * 1000) - 1; // stored and offered 300 ms after its end
      if (Number.isInteger(index) && index >= 0) {
        owner.offer(
          owner.segment(id, index, {
            start90k: index * step,
            duration90k: step,
            keyFrameHash: keyHash(index),
          }),
        );
        owner.finishTasks();
      }
      for (const one of owner.state.sessions) report(owner, one.id);
    }
  };
  until(3 * gop * 1000 + phaseMs);
  owner.attach('s2', { remoteAddress: other });
  let code: string | undefined = 'TWIN_PENDING';
  for (
    let ms = 5 * gop * 1000, pauseMs = 100;
    code === 'TWIN_PENDING';
    ms += pauseMs, pauseMs = Math.min(2000, 2 * pauseMs)
  ) {
    until(ms);
    code = codeOf(
      owner.openPeriod('s2', {
        connectionZeroMs: 7,
        marks: marksOf(4, Math.floor(ms / 1000 / gop) - 3, step),
      }),
    );
  }
  expect(code).toBeUndefined();
});
