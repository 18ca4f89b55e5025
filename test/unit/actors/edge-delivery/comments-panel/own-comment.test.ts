/** A comment of the viewer's own, from the moment it is written until it is safe, and what is kept of it. */
import { expect, test } from 'vitest';
import {
  advanceOwn,
  dutyOf,
  ownComment,
  type Draft,
  type OwnComment,
  type OwnEvent,
} from '../../../../../actors/edge-delivery/comments-panel/state/own-comment.ts';
import {
  entryOf,
  readEntry,
  restored,
  surplus,
} from '../../../../../actors/edge-delivery/comments-panel/state/outbox.ts';
import { readProblem } from '../../../../../actors/edge-delivery/comments-panel/state/problem.ts';

const draft: Draft = {
  clientId: 'one',
  text: 'Hello',
  createdAtMs: 1_000_000,
  parentId: undefined,
  mediaTime: undefined,
};
const fresh = ownComment(draft, 0);
const live = { isLive: true, hasReplication: false };
const dead = { isLive: false, hasReplication: false };
const problem = (code: string, status: number, retryAfter?: string) =>
  readProblem({ code }, status, retryAfter);

function after(own: OwnComment, ...events: readonly (readonly [number, OwnEvent])[]): OwnComment {
  return events.reduce((state, [nowMs, event]) => advanceOwn(state, event, nowMs), own);
}
const acked = (more: Partial<Extract<OwnEvent, { kind: 'acked' }>> = {}): OwnEvent => ({
  kind: 'acked',
  id: 's~1',
  isReplicated: false,
  receipt: 'r',
  ...more,
});

test('it goes over the socket at once, and by HTTP where no socket opens within a moment', () => {
  expect(dutyOf(fresh, { nowMs: 0, ...live })).toBe('sendLive');
  expect(dutyOf(fresh, { nowMs: 1000, ...dead })).toBeUndefined();
  expect(dutyOf(fresh, { nowMs: 1500, ...dead })).toBe('post');
});

test('an answer that does not come is waited for 8 s, then it is sent again with the same id', () => {
  const sent = after(fresh, [0, { kind: 'sent' }]);
  expect(dutyOf(sent, { nowMs: 7999, ...live })).toBeUndefined();
  expect(dutyOf(sent, { nowMs: 8000, ...live })).toBe('giveUpWaiting');
  const again = after(sent, [8000, { kind: 'unanswered' }]);
  expect(again).toMatchObject({ draft, state: { kind: 'waiting', attempts: 1, dueAtMs: 8500 } });
  expect(dutyOf(again, { nowMs: 8500, ...live })).toBe('post');
});

test('after a minute without an answer the viewer decides, and may try again', () => {
  const sent = after(fresh, [0, { kind: 'sent' }], [61_000, { kind: 'unanswered' }]);
  expect(sent.state).toMatchObject({ kind: 'failed', problem: { code: 'NO_ANSWER' } });
  expect(after(sent, [70_000, { kind: 'retried' }]).state).toMatchObject({ kind: 'waiting', attempts: 0 });
});

test('a busy server is asked again when it said, a refusal is final', () => {
  const sent = after(fresh, [0, { kind: 'sent' }]);
  const busy = after(sent, [100, { kind: 'refused', problem: problem('OVERLOADED', 429, '3') }]);
  expect(busy.state).toMatchObject({ kind: 'waiting', dueAtMs: 3100 });
  const refused = after(sent, [100, { kind: 'refused', problem: problem('SLOW_MODE', 429, '12') }]);
  expect(refused.state).toMatchObject({ kind: 'failed', retryAtMs: 12_100 });
});

test('one that was too old is looked for, and written anew once where it is not there', () => {
  const expired: OwnEvent = { kind: 'refused', problem: problem('COMMENT_EXPIRED', 409) };
  const old = after(fresh, [0, { kind: 'sent' }], [1, expired]);
  expect(dutyOf(old, { nowMs: 1, ...live })).toBe('lookFor');
  expect(dutyOf(after(old, [1, { kind: 'asked' }]), { nowMs: 2, ...live })).toBeUndefined();
  expect(after(old, [2, { kind: 'found', id: 's~9' }]).state).toMatchObject({ kind: 'accepted', id: 's~9' });
  const anew = after(old, [2, { kind: 'missed', draft: { ...draft, clientId: 'two' } }]);
  expect(anew).toMatchObject({ draft: { clientId: 'two' }, state: { kind: 'waiting' }, renewals: 1 });
  expect(after(anew, [3, { kind: 'sent' }], [4, expired]).state.kind).toBe('failed');
});

test('what is accepted is sent again after a minute where another region should have it, and stays accepted', () => {
  const accepted = after(fresh, [0, { kind: 'sent' }], [10, acked()]);
  const regions = { isLive: true, hasReplication: true };
  expect(dutyOf(accepted, { nowMs: 60_009, ...regions })).toBeUndefined();
  expect(dutyOf(accepted, { nowMs: 60_010, ...regions })).toBe('resend');
  expect(dutyOf(accepted, { nowMs: 90_000, ...live })).toBeUndefined();
  expect(after(accepted, [60_011, { kind: 'unanswered' }])).toBe(accepted);
  const safe = after(accepted, [60_011, acked({ isReplicated: true })]);
  expect(safe.state).toEqual({ kind: 'replicated', id: 's~1' });
  expect(after(safe, [60_012, acked()])).toBe(safe);
});

test('an answer without a receipt keeps the one that is known', () => {
  const accepted = after(fresh, [0, { kind: 'sent' }], [10, acked()], [20, acked({ receipt: undefined })]);
  expect(accepted.state).toMatchObject({ kind: 'accepted', receipt: 'r' });
});

const of = { streamId: 's', userId: 'g-1', hasReplication: true };

test('the outbox keeps what nobody accepted and what no other region has, and nothing more', () => {
  const accepted = after(fresh, [0, { kind: 'sent' }], [10, acked()]);
  expect(entryOf(fresh, of)).toMatchObject({ clientId: 'one', accepted: undefined });
  expect(entryOf(accepted, of)).toMatchObject({ accepted: { id: 's~1', receipt: 'r' } });
  expect(entryOf(accepted, { ...of, hasReplication: false })).toBeUndefined();
  expect(entryOf(after(accepted, [20, acked({ isReplicated: true })]), of)).toBeUndefined();
});

test('what comes back from the outbox is sent at once if it is young, offered if it is old, and read as it was written', () => {
  const entry = readEntry(structuredClone(entryOf(fresh, of)));
  if (entry === undefined) throw new Error('it is not read');
  expect(entry).toEqual(entryOf(fresh, of));
  expect(restored(entry, draft.createdAtMs + 5000).state.kind).toBe('waiting');
  expect(restored(entry, draft.createdAtMs + 3_600_000).state.kind).toBe('failed');
  const accepted = readEntry(entryOf(after(fresh, [0, { kind: 'sent' }], [10, acked()]), of));
  expect(
    accepted === undefined
      ? undefined
      : dutyOf(restored(accepted, 70_000), { nowMs: 70_000, isLive: true, hasReplication: true }),
  ).toBe('resend');
  for (const foreign of [undefined, { clientId: 'x' }, 'text']) expect(readEntry(foreign)).toBeUndefined();
});

test('the outbox is bounded by 200 entries and a day', () => {
  const entries = Array.from({ length: 205 }, (_, index) => ({
    clientId: `c${index}`,
    streamId: 's',
    userId: 'g-1',
    draft: { ...draft, createdAtMs: 1000 + index },
    accepted: undefined,
  }));
  const gone = surplus(entries, 2000).map(({ clientId }) => clientId);
  expect(gone.toSorted()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
  expect(surplus(entries, 86_400_000 + 2000)).toHaveLength(205);
});
