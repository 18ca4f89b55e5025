/** What the panel reads and says: frames of the socket, texts, ids, times, and words around the comments. */
import { expect, test } from 'vitest';
import { ClientId } from '../../../../../cluster/model/ids.ts';
import { ServerMessage } from '../../../../../cluster/contract/audience/socket-messages.ts';
import { ReactionKind } from '../../../../../cluster/contract/audience/reactions.ts';
import { Announcer } from '../../../../../actors/edge-delivery/comments-panel/state/announcer.ts';
import { mintClientId } from '../../../../../actors/edge-delivery/comments-panel/state/client-id.ts';
import {
  openMode,
  readComment,
  type Person,
} from '../../../../../actors/edge-delivery/comments-panel/state/comment.ts';
import {
  advanceOwn,
  ownComment,
} from '../../../../../actors/edge-delivery/comments-panel/state/own-comment.ts';
import { readFrame } from '../../../../../actors/edge-delivery/comments-panel/state/live-message.ts';
import {
  actionsFor,
  makeTimeText,
  panelViewOf,
  type PanelFacts,
} from '../../../../../actors/edge-delivery/comments-panel/state/panel-view.ts';
import {
  problemWords,
  readProblem,
} from '../../../../../actors/edge-delivery/comments-panel/state/problem.ts';
import {
  reactions,
  ReactionTally,
  shortNumber,
} from '../../../../../actors/edge-delivery/comments-panel/state/reaction-tally.ts';
import { ServerTime } from '../../../../../actors/edge-delivery/comments-panel/state/server-time.ts';
import { writtenOf } from '../../../../../actors/edge-delivery/comments-panel/state/writing.ts';
import { catalogue } from '../../../../../cluster/errors/catalogue.ts';

const now = '2026-11-30T12:00:00.000Z';
const comment = {
  id: `demo~${'0'.repeat(26)}`,
  streamId: 'demo',
  author: { id: 'g-1', name: 'Ana', isStaff: true },
  text: 'Hello',
  createdAt: now,
  likes: 2,
  hidden: false,
  region: 'r1',
  acknowledged: 'replicated',
};
const clientId = '01940000-0000-7000-8000-000000000000';
const problem = { code: 'SLOW_MODE', status: 429, title: 'Slow', retryAfterSeconds: 4 };

// Goal: the page reads what the contract says. Method: one message of each type, made by the contract's own schema.
test('every message of the contract is read', () => {
  const messages = [
    { type: 'time', now },
    {
      type: 'welcome',
      session: 's',
      viewers: 3,
      replication: true,
      url: 'ws://e/',
      resume: { gap: { from: now, to: now } },
      mode: openMode,
      me: { user: { id: 'a-1', name: 'Mod', kind: 'account' }, permissions: ['comment.hide'] },
    },
    { type: 'comment', comment },
    { type: 'commentUpdated', comment },
    { type: 'counts', counts: [{ id: comment.id, likes: 4, replies: 1 }] },
    {
      type: 'reactions',
      counts: { heart: 3, fire: 1 },
      bySecond: { 12: { heart: 2 } },
      windowMs: 250,
    },
    { type: 'gap', from: now, to: now },
    { type: 'mode', mode: { mode: 'closed', slowSeconds: 5 } },
    { type: 'viewers', count: 9 },
    { type: 'ack', clientId, state: 'accepted', id: comment.id, receipt: 'r' },
    { type: 'liked', id: comment.id, likedByMe: true },
    { type: 'move', url: 'ws://other/', withinMs: 500 },
    { type: 'error', to: 'comment', clientId, problem },
    { type: 'error', to: 'like', id: comment.id, problem },
    { type: 'pong' },
  ].map((message) => ServerMessage.parse(message));
  const read = readFrame(JSON.stringify(messages));
  expect(read.map(({ kind }) => kind)).toEqual(messages.map(({ type }) => type));
  expect(read[1]).toMatchObject({
    hasReplication: true,
    isComplete: false,
    viewers: 3,
    me: { id: 'a-1', isGuest: false, permissions: ['comment.hide'] },
  });
  expect(read[2]).toMatchObject({ comment: { author: { isStaff: true }, isReplicated: true, likes: 2 } });
  expect(read[4]).toEqual({ kind: 'counts', counts: [{ id: comment.id, likes: 4, replies: 1 }] });
  expect(read[5]).toEqual({
    kind: 'reactions',
    sums: { heart: 3, fire: 1 },
    bySecond: [{ second: 12, sums: { heart: 2 } }],
  });
  expect(read[9]).toEqual({ kind: 'ack', clientId, isReplicated: false, id: comment.id, receipt: 'r' });
  expect(read[10]).toEqual({ kind: 'liked', id: comment.id, isLiked: true });
  expect(read[12]).toMatchObject({
    to: 'comment',
    clientId,
    problem: { code: 'SLOW_MODE', retryAfterSeconds: 4 },
  });
  expect(read[13]).toMatchObject({ to: 'like', id: comment.id, clientId: undefined });
});

test('a page says, when it comes back, until when its last frame had told everything, and everything of the region', () => {
  const time = (more: object) => readFrame(JSON.stringify([{ type: 'time', now, ...more }]));
  const atMs = Date.parse(now);
  const [lastAt, knownTo] = [atMs, atMs - 9000].map((ms) => new Date(ms).toISOString());
  const inRegion = { region: 'eu', knownTo: lastAt };
  expect(time({})).toEqual([{ kind: 'time', atMs, leftOff: { lastAt } }]);
  expect(time({ knownTo })).toEqual([{ kind: 'time', atMs, leftOff: { lastAt: knownTo } }]);
  expect(time({ knownTo, inRegion })).toEqual([
    { kind: 'time', atMs, leftOff: { lastAt: knownTo, inRegion } },
  ]);
});

test('what is no message is left out, and the rest of its frame is read', () => {
  const frame = JSON.stringify([
    null,
    3,
    { type: 'toString' },
    { type: 'comment', comment: {} },
    { type: 'pong' },
  ]);
  expect(readFrame(frame)).toEqual([{ kind: 'pong' }]);
  expect([readFrame('{'), readFrame('{}'), readFrame(undefined)]).toEqual([[], [], []]);
});

test('an id is a UUIDv7 with the time of the server', () => {
  const random = Uint8Array.from({ length: 10 }, () => 255);
  const id = mintClientId(1_796_040_000_123, random);
  expect(ClientId.safeParse(id).success).toBe(true);
  const timeMs = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  expect({ timeMs }).toEqual({ timeMs: 1_796_040_000_123 });
});

test("the server's time is never ahead of what it told, however late it told it", () => {
  const time = new ServerTime();
  expect(time.at(500)).toBe(500);
  time.learn(10_000, 1_400); // 400 ms under way
  time.learn(10_100, 1_150); // 50 ms under way
  time.learn(10_200, 1_900);
  expect(time.at(2_000)).toBe(10_950);
});

test('a text is what the server will make of it, and is counted in characters and bytes', () => {
  expect(writtenOf('  a\u0000b\r\nc ').text).toBe('ab\nc');
  expect(writtenOf(' \n ').isEmpty).toBe(true);
  expect(writtenOf('e\u0301').text).toBe('é');
  expect(writtenOf('x'.repeat(449)).counter).toBe('');
  expect(writtenOf('x'.repeat(450)).counter).toBe('50 left');
  expect(writtenOf('x'.repeat(503))).toMatchObject({ isTooLong: true, counter: '3 too many' });
  expect(writtenOf('😀'.repeat(500)).isTooLong).toBe(false);
  expect(writtenOf('👨‍👩‍👧'.repeat(112)).isTooLong).toBe(true);
});

test('screen readers hear one sentence in six seconds', () => {
  const announcer = new Announcer();
  const read = readComment(comment);
  if (read === undefined) throw new Error('it is no comment');
  announcer.heard(read);
  expect(announcer.sentence(0)).toBe('Ana: Hello');
  for (let i = 0; i < 3; i += 1) announcer.heard(read);
  expect(announcer.sentence(5999)).toBeUndefined();
  expect(announcer.sentence(6000)).toBe('3 new comments. The last one, Ana: Hello');
  expect(announcer.sentence(60_000)).toBeUndefined();
});

test('screen readers hear once why a comment was not sent, and again when that happens again', () => {
  const announcer = new Announcer();
  const draft = {
    clientId: 'one',
    authorId: 'g-1',
    text: 'Rude',
    createdAtMs: 0,
    parentId: undefined,
    mediaTime: undefined,
  };
  const waiting = ownComment(draft, 0);
  const refused = advanceOwn(
    waiting,
    { kind: 'refused', problem: readProblem({ code: 'TEXT_REFUSED' }, 422) },
    0,
  );
  const said = 'Not sent. These words are not allowed here: change them. You wrote: Rude';
  const heard = [[waiting], [refused], [refused], [waiting], [refused]].map((owns) =>
    announcer.refusal(owns, 0),
  );
  expect(heard).toEqual([undefined, said, undefined, undefined, said]);
});

const facts: PanelFacts = {
  page: 'live',
  connection: 'live',
  isOffline: false,
  isRead: true,
  mode: openMode,
  me: undefined,
  slowUntilMs: 0,
  isFlood: false,
  leftOut: 0,
  nowMs: 1000,
};
const guest = { id: 'g-1', name: 'Ana', isGuest: true, permissions: [], stream: undefined };
const moderator = { ...guest, id: 'a-1', isGuest: false, permissions: ['comment.hide'] };
const view = (more: Partial<PanelFacts>) => panelViewOf({ ...facts, ...more });

test('who may not write is told so in words', () => {
  expect(view({})).toMatchObject({ writing: 'open', banner: '', maySend: true });
  expect(view({ mode: { mode: 'closed', slowSeconds: 0 } })).toMatchObject({
    writing: 'closed',
    banner: 'The comments are switched off.',
  });
  const accounts = { mode: 'accounts', slowSeconds: 0 } as const;
  expect(view({ mode: accounts, me: guest }).writing).toBe('signIn');
  expect(view({ mode: accounts, me: { ...guest, isGuest: false } }).writing).toBe('open');
  expect(view({ mode: { mode: 'closed', slowSeconds: 0 }, me: moderator }).writing).toBe('open');
});

test('slow mode counts down on the button, and not for staff', () => {
  const slow = { mode: { mode: 'open', slowSeconds: 30 }, slowUntilMs: 13_000 } as const;
  expect(view(slow)).toMatchObject({
    send: 'Wait 12 s',
    maySend: false,
    banner: 'Slow mode: one comment every 30 s.',
  });
  expect(view({ ...slow, me: moderator })).toMatchObject({ send: 'Send', maySend: true });
});

test('the panel follows the page and the connection', () => {
  const pages = ['unknown', 'removed', 'notBegun', 'ended', 'recording', 'offline', 'live'] as const;
  expect(pages.filter((page) => !view({ page }).isShown)).toEqual(['unknown', 'removed']);
  expect(view({ connection: 'lost' }).banner).toContain('Connecting again');
  expect(view({ connection: 'lost', isOffline: true }).banner).toContain('You are offline');
  for (const isOffline of [true, false])
    expect(view({ connection: 'lost', isOffline }).banner).toContain('press Try again');
  expect(view({ page: 'notBegun' }).emptyWords).toContain('while you wait');
  expect(view({ isRead: false }).emptyWords).toContain('on their way');
  expect(view({ isFlood: true, leftOut: 1200 }).banner).toContain('1,200 left out');
});

test("one's own may be hidden by oneself, others by moderators, and what was not sent tried again", () => {
  const read = readComment(comment);
  if (read === undefined) throw new Error('it is no comment');
  const offered = (me: Person | undefined, isHidden = false, mayWrite = true) =>
    actionsFor({ ...read, isHidden }, undefined, { me, mayWrite });
  expect(offered(undefined)).toEqual(['reply', 'like']);
  expect(offered(undefined, false, false)).toEqual(['like']);
  expect(offered({ ...guest, id: 'g-2' })).toEqual(['reply', 'like', 'report']);
  expect(offered(guest)).toEqual(['reply', 'like', 'hide']);
  expect(offered(guest, true)).toEqual(['restore']);
  const all = { ...moderator, permissions: ['comment.hide', 'comment.release', 'user.ban'] };
  expect(offered(all)).toEqual(['reply', 'like', 'hide', 'ban']);
  expect(offered({ ...all, id: 'g-1' })).toEqual(['reply', 'like', 'hide']);
  expect(actionsFor({ ...read, isHeld: true }, undefined, { me: all, mayWrite: true })).toEqual([
    'like',
    'release',
    'hide',
    'ban',
  ]);
});

test('a refusal says what to do, and when', () => {
  expect(problemWords(readProblem({ code: 'SLOW_MODE' }, 429, '12'))).toBe(
    'Slow mode is on: try again in 12 s.',
  );
  expect(problemWords(readProblem({ code: 'TOO_MANY_COMMENTS' }, 429, '120'))).toBe(
    'That was too fast: try again in 2 min.',
  );
  expect(problemWords(readProblem(undefined, 401))).toContain('sign in again');
  expect(problemWords(readProblem({ code: 'BAD_REQUEST', detail: 'text: must be short.' }, 400))).toBe(
    'text: must be short.',
  );
  const silent = Object.keys(catalogue).filter(
    (code) =>
      problemWords(readProblem({ code, title: catalogue[code as keyof typeof catalogue].title }, 400)) === '',
  );
  expect(silent).toEqual([]);
});

test('reactions of the last ten seconds are summed', () => {
  const tally = new ReactionTally();
  tally.add({ heart: 3 }, 0);
  tally.add({ heart: 4, fire: 1 }, 5000);
  expect({ all: tally.of('heart', 9999), later: tally.of('heart', 10_000), sad: tally.of('sad', 0) }).toEqual(
    {
      all: 7,
      later: 4,
      sad: 0,
    },
  );
  expect({ few: shortNumber(12), many: shortNumber(1234) }).toEqual({ few: '12', many: '1.2K' });
  expect(reactions.map(({ kind }) => kind)).toEqual(ReactionKind.options);
});

test('the time has its day where it is not today', () => {
  const timeText = makeTimeText('UTC');
  const atMs = Date.parse(now);
  expect({ today: timeText(atMs, atMs + 60_000), earlier: timeText(atMs, atMs + 86_400_000) }).toEqual({
    today: '12:00',
    earlier: '30 Nov, 12:00',
  });
});
