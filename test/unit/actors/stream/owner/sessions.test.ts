/** Ghosts, rivals and blocks (C2). */
import { expect, test } from 'vitest';
import { healthOf } from '../../../../../actors/stream/health.ts';
import { isSending } from '../../../../../actors/stream/owner/sessions.ts';
import type { AttachParams } from '../../../../../cluster/contract/stream-actions.ts';
import type { InputReport } from '../../../../../cluster/contract/stream-health.ts';
import { SessionId } from '../../../../../cluster/model/ids.ts';
import { codeOf, OwnerHarness, valueOf } from '../../../../support/ingest/owner-harness.ts';
import { sha, stream } from '../../../../support/ports/records.ts';

const other = '10.0.0.2';

/** A second publisher that sends something else: let in to be compared, and refused when its headers are seen (M2). */
function rival(owner: OwnerHarness, change: Partial<AttachParams> = {}, id = 's2'): string | undefined {
  const refused = codeOf(owner.attach(id, change));
  return refused ?? codeOf(owner.openPeriod(id, { sequenceHeaderHash: sha('0d') }));
}

/** An incumbent on air. */
function onAir(): OwnerHarness {
  const owner = new OwnerHarness();
  owner.begin('s1');
  return owner;
}

function tell(owner: OwnerHarness, lastPacketAgeMs: number, id = 's1'): void {
  const report: InputReport = {
    streamId: stream,
    sessionId: SessionId.parse(id),
    bitrateBps: 1,
    lastPacketAgeMs,
    warnings: [],
  };
  owner.do({ kind: 'input', report });
}

test('the first session of a stream is taken, with the epoch of its owner', () => {
  const owner = new OwnerHarness({ epoch: 7 });
  expect(valueOf(owner.attach())).toEqual({ epoch: 7 });
});

test.each([
  { name: 'same address, silent for 0.9 s', silentMs: 900, address: '10.0.0.1', outcome: 'STREAM_BUSY' },
  { name: 'same address, silent for 1 s', silentMs: 1000, address: '10.0.0.1', outcome: undefined },
  { name: 'other address, silent for 2.9 s', silentMs: 2900, address: other, outcome: 'STREAM_BUSY' },
  { name: 'other address, silent for 3 s', silentMs: 3000, address: other, outcome: undefined },
])('a newcomer from the $name', ({ silentMs, address, outcome }) => {
  const owner = onAir();
  owner.nowMs += 10_000;
  tell(owner, silentMs);
  const answer = owner.attach('s2', { remoteAddress: address });
  expect(codeOf(owner.openPeriod('s2', { sequenceHeaderHash: sha('0d') }))).toBe(outcome);
  if (outcome === undefined)
    expect(valueOf(answer)).toEqual({ epoch: 1, supersedes: { sessionId: 's1', node: 'n1' } });
});

test('a session whose reports stop ages by itself', () => {
  const owner = new OwnerHarness();
  owner.attach('s1');
  tell(owner, 0);
  owner.nowMs += 3000;
  expect(codeOf(owner.attach('s2', { remoteAddress: other }))).toBeUndefined();
  expect(owner.effects).toContainEqual({
    kind: 'closeSession',
    sessionId: 's1',
    reason: 'another session has taken its place',
  });
});

test('a live publisher that reports every second is no ghost between two reports', () => {
  const owner = onAir();
  tell(owner, 20);
  owner.nowMs += 1100;
  expect(rival(owner)).toBe('STREAM_BUSY');
});

test.each([
  { priority: 1, outcome: undefined },
  { priority: 0, outcome: 'STREAM_BUSY' },
  { priority: -1, outcome: 'STREAM_BUSY' },
])('a live rival of priority $priority against 0', ({ priority, outcome }) => {
  const owner = onAir();
  expect(rival(owner, { remoteAddress: other, priority })).toBe(outcome);
});

test('two rivals of equal priority never kick each other: the incumbent stays', () => {
  const owner = onAir();
  for (let round = 0; round < 20; round += 1) {
    owner.nowMs += 10_000;
    tell(owner, 10);
    expect(rival(owner, { remoteAddress: other })).toMatch(/STREAM_BUSY|PUBLISHER_BLOCKED/);
  }
  expect(owner.state.sessions.filter((one) => one.isActive).map((one) => one.id)).toEqual(['s1']);
});

test('three refusals in a minute block the address for 30 s, and nobody else', () => {
  const owner = onAir();
  const attempt = (address: string) => {
    tell(owner, 0);
    return rival(owner, { remoteAddress: address });
  };
  for (let tries = 0; tries < 3; tries += 1) expect(attempt(other)).toBe('STREAM_BUSY');
  expect(attempt(other)).toBe('PUBLISHER_BLOCKED');
  expect(attempt('10.0.0.3')).toBe('STREAM_BUSY');
  owner.nowMs += 30_000;
  expect(attempt(other)).toBe('STREAM_BUSY');
});

test('refusals that are a minute old do not count', () => {
  const owner = onAir();
  const outcomes = [0, 1, 2, 3, 4].map(() => {
    owner.nowMs += 31_000;
    tell(owner, 0);
    return rival(owner, { remoteAddress: other });
  });
  expect(outcomes).toEqual(Array(5).fill('STREAM_BUSY'));
});

test('attaching twice is one session', () => {
  const owner = new OwnerHarness();
  owner.attach('s1');
  expect(codeOf(owner.attach('s1'))).toBeUndefined();
  expect(owner.state.sessions).toHaveLength(1);
});

test('a superseded session that attaches again is a rival', () => {
  const owner = new OwnerHarness();
  owner.attach('s1');
  owner.attach('s2', { priority: 1 });
  expect(codeOf(owner.attach('s1'))).toBe('STREAM_BUSY');
});

test('refused addresses and sessions are bounded', () => {
  const owner = onAir();
  for (let index = 0; index < 400; index += 1)
    rival(owner, { remoteAddress: `10.1.${index >> 8}.${index & 255}` }, 'sx');
  expect(owner.state.refusals.size).toBe(256);
  for (let index = 1; index < 40; index += 1) owner.attach(`s${index}`, { priority: index });
  expect(owner.state.sessions).toHaveLength(8);
});

test('a session that tells nothing for 20 s is forgotten', () => {
  const owner = new OwnerHarness();
  owner.attach('s1');
  owner.pass(19_900);
  expect(owner.state.sessions).toHaveLength(1);
  owner.pass(200);
  expect(owner.state.sessions).toHaveLength(0);
});

test.each([
  {
    name: 'a fault of the feed',
    reason: 'CODEC_REFUSED: MP3 is not taken',
    state: 'refused',
    said: 'CODEC_REFUSED: MP3 is not taken',
  },
  {
    name: 'its end',
    reason: 'the publisher ended the stream',
    state: 'offline',
    said: 'No publisher is connected.',
  },
  {
    name: 'a stop of the node',
    reason: 'UNAVAILABLE: this node is stopping',
    state: 'offline',
    said: 'No publisher is connected.',
  },
])('after a publisher has left for $name, health says $state', ({ reason, state, said }) => {
  const owner = new OwnerHarness();
  owner.attach('s1');
  owner.do({ kind: 'detach', params: { streamId: stream, sessionId: SessionId.parse('s1'), reason } });
  const now = { runningMs: owner.nowMs, utcMs: owner.nowMs };
  expect(healthOf(owner.state, [], now)).toMatchObject({ state, reason: said });
});

test('a session counts as sending when this owner has its media and a fresh word of it, and not a moment longer', () => {
  const owner = new OwnerHarness();
  const period = owner.begin();
  const isSendingNow = (): boolean => owner.state.sessions.some((one) => isSending(one, owner.nowMs));
  tell(owner, 0);
  expect(isSendingNow()).toBe(false); // nothing of it was taken yet
  owner.offer(owner.segment(period, 0));
  expect(isSendingNow()).toBe(true);
  tell(owner, 1500);
  expect(isSendingNow()).toBe(false);
  tell(owner, 0);
  owner.pass(1500);
  expect(isSendingNow()).toBe(false);
});
