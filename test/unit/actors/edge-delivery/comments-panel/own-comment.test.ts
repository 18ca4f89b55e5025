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
import { ownWords } from '../../../../../actors/edge-delivery/comments-panel/state/panel-view.ts';
import {
  problemWords,
  readProblem,
  signedInAnew,
} from '../../../../../actors/edge-delivery/comments-panel/state/problem.ts';

const draft: Draft = {
  clientId: 'one',
  authorId: 'g-1',
  text: 'Hello',
  createdAtMs: 1_000_000,
  parentId: undefined,
  mediaTime: undefined,
};
const fresh = ownComment(draft, 0);
const live = { isLive: true, isOffline: false, hasReplication: false };
const dead = { isLive: false, isOffline: false, hasReplication: false };
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

test('when a server is there again, what is still meant is sent, and what is old is offered', () => {
  const failed = after(fresh, [0, { kind: 'sent' }], [61_000, { kind: 'unanswered' }]);
  const reachedAfter = (ageMs: number): OwnEvent => ({
    kind: 'reached',
    serverNowMs: draft.createdAtMs + ageMs,
  });
  expect(after(failed, [70_000, reachedAfter(70_000)]).state).toMatchObject({ kind: 'waiting', attempts: 0 });
  for (const own of [failed, fresh]) {
    const offered = after(own, [200_000, reachedAfter(200_000)]);
    expect(ownWords(offered, false, 200_000)).toBe('Not sent. No server answered in time: try again.');
  }
  const waits = after(fresh, [0, { kind: 'sent' }], [9000, { kind: 'unanswered' }]);
  expect(after(waits, [9001, reachedAfter(9001)]).state).toMatchObject({ kind: 'waiting', dueAtMs: 9001 });
  const refused = after(
    fresh,
    [0, { kind: 'sent' }],
    [1, { kind: 'refused', problem: problem('BANNED', 403) }],
  );
  expect(after(refused, [2, reachedAfter(2)])).toBe(refused);
});

test('while the browser has no network nothing is tried', () => {
  expect(dutyOf(fresh, { nowMs: 30_000, ...dead, isOffline: true })).toBeUndefined();
  const sent = after(fresh, [0, { kind: 'sent' }]);
  expect(dutyOf(sent, { nowMs: 8000, ...dead, isOffline: true })).toBe('giveUpWaiting');
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
  const failed = after(anew, [3, { kind: 'sent' }], [4, expired]);
  expect(failed.state.kind).toBe('failed');
  const tried = after(failed, [5, { kind: 'retried' }], [6, { kind: 'sent' }], [7, expired]);
  expect(tried.state.kind).toBe('lookedFor');
});

test('what is accepted is sent again after a minute where another region should have it, and stays accepted', () => {
  const accepted = after(fresh, [0, { kind: 'sent' }], [10, acked()]);
  const regions = { ...live, hasReplication: true };
  expect(dutyOf(accepted, { nowMs: 60_009, ...regions })).toBeUndefined();
  expect(dutyOf(accepted, { nowMs: 60_010, ...regions })).toBe('resend');
  expect(dutyOf(accepted, { nowMs: 90_000, ...live })).toBeUndefined();
  expect(after(accepted, [60_011, { kind: 'unanswered' }])).toBe(accepted);
  const safe = after(accepted, [60_011, acked({ isReplicated: true })]);
  expect(safe.state).toEqual({ kind: 'replicated', id: 's~1' });
  expect(after(safe, [60_012, acked()])).toBe(safe);
});

test('what is accepted is sent again at once by a page that had to connect again', () => {
  const accepted = after(fresh, [0, { kind: 'sent' }], [10, acked()]);
  const back = after(accepted, [5000, { kind: 'reached', serverNowMs: draft.createdAtMs + 5000 }]);
  expect(dutyOf(back, { nowMs: 5000, ...live, hasReplication: true })).toBe('resend');
  expect(dutyOf(back, { nowMs: 5000, ...live })).toBeUndefined();
  const sent = after(back, [5001, { kind: 'sent' }]);
  expect(dutyOf(sent, { nowMs: 65_000, ...live, hasReplication: true })).toBeUndefined();
});

test('what is accepted and then refused for good is not sent again, and stays accepted', () => {
  const accepted = after(fresh, [0, { kind: 'sent' }], [10, acked()]);
  const refusedBy = (code: string, status: number) =>
    dutyOf(after(accepted, [60_011, { kind: 'refused', problem: problem(code, status) }]), {
      nowMs: 200_000,
      ...live,
      hasReplication: true,
    });
  expect({
    banned: refusedBy('BANNED', 403),
    removed: refusedBy('STREAM_REMOVED', 410),
    busy: refusedBy('TOO_MANY_COMMENTS', 429),
    signedOut: refusedBy('UNAUTHENTICATED', 401),
    away: refusedBy('UNAVAILABLE', 503),
    kept: entryOf(after(accepted, [60_011, { kind: 'refused', problem: problem('BANNED', 403) }]), of),
  }).toEqual({
    banned: undefined,
    removed: undefined,
    busy: 'resend',
    signedOut: 'resend',
    away: 'resend',
    kept: undefined,
  });
});

test('what others told of, as its answer was lost, is kept and sent again soon, for its receipt', () => {
  const told = after(fresh, [0, { kind: 'sent' }], [10, acked({ receipt: undefined })]);
  const regions = { ...live, hasReplication: true };
  expect({
    soon: dutyOf(told, { nowMs: 2009, ...regions }),
    later: dutyOf(told, { nowMs: 2010, ...regions }),
  }).toEqual({
    soon: undefined,
    later: 'resend',
  });
  const entry = readEntry(structuredClone(entryOf(told, of)));
  expect(entry).toMatchObject({ accepted: { id: 's~1', receipt: undefined } });
  const given = after(told, [2010, { kind: 'sent' }], [2020, acked()]);
  expect(dutyOf(given, { nowMs: 62_019, ...regions })).toBeUndefined();
});

test('an answer without a receipt keeps the one that is known', () => {
  const accepted = after(fresh, [0, { kind: 'sent' }], [10, acked()], [20, acked({ receipt: undefined })]);
  expect(accepted.state).toMatchObject({ kind: 'accepted', receipt: 'r' });
});

test('what was under way when the viewer signed in anew is offered, and is accepted when it arrived all the same', () => {
  const foreign: OwnEvent = { kind: 'refused', problem: signedInAnew };
  const offered = after(fresh, [0, { kind: 'sent' }], [1, foreign]);
  expect(offered.state).toMatchObject({ kind: 'failed', problem: signedInAnew });
  expect(problemWords(signedInAnew)).toContain('try again');
  expect(after(offered, [2, acked()]).state.kind).toBe('accepted');
});

const of = { streamId: 's', tab: 'one', hasReplication: true };
/** This machine's clock is a day ahead. */
const at = (serverNowMs: number) => ({ nowMs: serverNowMs + 86_400_000, serverNowMs });

test('the outbox keeps what nobody accepted and what no other region has, and nothing more', () => {
  const accepted = after(fresh, [0, { kind: 'sent' }], [10, acked()]);
  expect(entryOf(fresh, of)).toMatchObject({ clientId: 'one', userId: 'g-1', accepted: undefined });
  expect(entryOf(accepted, of)).toMatchObject({ accepted: { id: 's~1', receipt: 'r' } });
  expect(entryOf(accepted, { ...of, hasReplication: false })).toBeUndefined();
  // Before a server has said how many regions there are, what another visit kept is not thrown away.
  expect(entryOf(accepted, { ...of, hasReplication: undefined })).toEqual(entryOf(accepted, of));
  expect(entryOf(after(accepted, [20, acked({ isReplicated: true })]), of)).toBeUndefined();
});

test('what comes back from the outbox is sent at once if it is young, offered if it is old, and read as it was written', () => {
  const entry = readEntry(structuredClone(entryOf(fresh, of)));
  if (entry === undefined) throw new Error('it is not read');
  expect(entry).toEqual(entryOf(fresh, of));
  expect(restored(entry, at(draft.createdAtMs + 5000)).state.kind).toBe('waiting');
  expect(restored(entry, at(draft.createdAtMs + 3_600_000)).state.kind).toBe('failed');
  const accepted = readEntry(entryOf(after(fresh, [0, { kind: 'sent' }], [10, acked()]), of));
  expect(
    accepted === undefined
      ? undefined
      : dutyOf(restored(accepted, at(70_000)), { nowMs: 70_000, ...live, hasReplication: true }),
  ).toBe('resend');
  for (const foreign of [undefined, { clientId: 'x' }, 'text']) expect(readEntry(foreign)).toBeUndefined();
});

test('the outbox is bounded by 200 entries and a day', () => {
  const entries = Array.from({ length: 205 }, (_, index) => ({
    clientId: `c${index}`,
    streamId: 's',
    userId: 'g-1',
    draft: { ...draft, createdAtMs: 1000 + index },
    tab: undefined,
    accepted: undefined,
  }));
  const gone = surplus(entries, 2000).map(({ clientId }) => clientId);
  expect(gone.toSorted()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
  expect(surplus(entries, 86_400_000 + 2000)).toHaveLength(205);
});
