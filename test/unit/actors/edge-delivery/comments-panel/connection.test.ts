/** The state machine of the panel's connection. */
import { expect, test } from 'vitest';
import { socketCloses } from '../../../../../cluster/contract/audience/socket-closes.ts';
import {
  advanceConnection,
  idle,
  isLive,
  mustAsk,
  mustPoll,
  type Connection,
  type ConnectionEvent,
} from '../../../../../actors/edge-delivery/comments-panel/state/connection.ts';

const at = (nowMs: number, random = 0) => ({ nowMs, random });

/** The state after those events, each with its time. */
function after(...events: readonly (readonly [number, ConnectionEvent])[]): Connection {
  return events.reduce<Connection>(
    (state, [nowMs, event]) => advanceConnection(state, event, at(nowMs)),
    idle,
  );
}

const started = [0, { kind: 'started' }] as const;
const opened = [10, { kind: 'opened', number: 1 }] as const;
const welcomed = [20, { kind: 'welcomed', number: 1, url: 'ws://a/' }] as const;

test('a socket is live once it is welcome', () => {
  expect({ opening: isLive(after(started)), opened: isLive(after(started, opened)) }).toEqual({
    opening: false,
    opened: false,
  });
  expect(isLive(after(started, opened, welcomed))).toBe(true);
});

test('one that was lost is opened again where the server said, after half a second', () => {
  const lost = after(started, opened, welcomed, [100, { kind: 'closed', number: 1, code: 1006 }]);
  expect(lost).toMatchObject({ kind: 'waiting', failures: 0, dueAtMs: 600 });
  expect(advanceConnection(lost, { kind: 'tick' }, at(599))).toBe(lost);
  expect(advanceConnection(lost, { kind: 'tick' }, at(600))).toMatchObject({
    kind: 'opening',
    number: 2,
    url: 'ws://a/',
  });
});

test('pauses grow from half a second to half a minute, and are spread', () => {
  let state = after(started);
  const least: number[] = [];
  const most: number[] = [];
  for (let number = 1; number <= 9; number += 1) {
    const closed: ConnectionEvent = { kind: 'closed', number, code: 1006 };
    const [early, late] = [0, 1].map((random) => advanceConnection(state, closed, { nowMs: 0, random }));
    if (early?.kind !== 'waiting' || late?.kind !== 'waiting') throw new Error('it does not wait');
    least.push(early.dueAtMs);
    most.push(late.dueAtMs);
    state = advanceConnection(early, { kind: 'tick' }, at(early.dueAtMs));
    state = state.kind === 'opening' ? { ...state, sinceMs: 0 } : state;
  }
  expect(least.every((ms) => ms === 500)).toBe(true);
  expect(most).toEqual([1500, 2500, 4500, 8500, 16_500, 30_000, 30_000, 30_000, 30_000]);
});

test('after two failures in a row pages are read by HTTP, until a socket is welcome', () => {
  const once = after(started, [1, { kind: 'closed', number: 1, code: 1006 }]);
  const twice = [
    [2000, { kind: 'tick' }],
    [2001, { kind: 'closed', number: 2, code: 1006 }],
  ] as const;
  const failing = after(started, [1, { kind: 'closed', number: 1, code: 1006 }], ...twice);
  const open = advanceConnection(
    advanceConnection(failing, { kind: 'woke' }, at(3000)),
    { kind: 'opened', number: 3 },
    at(3001),
  );
  const live = advanceConnection(open, { kind: 'welcomed', number: 3, url: undefined }, at(3002));
  expect([once, failing, open, live].map(mustPoll)).toEqual([false, true, true, false]);
});

test('one that nobody welcomes counts as a failure', () => {
  const mute = after(started, opened, [10_100, { kind: 'tick' }]);
  expect(mute).toMatchObject({ kind: 'waiting', failures: 1, url: undefined });
});

test('sockets that open and are never welcome end in reading by HTTP', () => {
  const events = [1, 2, 3].flatMap((number): [number, ConnectionEvent][] => [
    [number * 40_000, { kind: 'woke' }],
    [number * 40_000, { kind: 'opened', number }],
    [number * 40_000 + 10_000, { kind: 'tick' }],
  ]);
  const mute = after(started, ...events);
  const away = socketCloses.unavailable.code;
  const shut = after(
    started,
    opened,
    [11, { kind: 'closed', number: 1, code: away }],
    [20, { kind: 'woke' }],
  );
  const again = [
    { kind: 'opened', number: 2 },
    { kind: 'closed', number: 2, code: away },
  ] as const;
  const shutTwice = again.reduce<Connection>((state, event) => advanceConnection(state, event, at(30)), shut);
  expect({ mute: mute.kind, polls: mustPoll(mute), shutTwice: mustPoll(shutTwice) }).toEqual({
    mute: 'waiting',
    polls: true,
    shutTwice: true,
  });
});

test('a silent server is asked after 25 s and given up after 75 s', () => {
  const live = after(started, opened, welcomed);
  expect({ early: mustAsk(live, 24_000), due: mustAsk(live, 25_010) }).toEqual({ early: false, due: true });
  const asked = advanceConnection(live, { kind: 'asked', number: 1 }, at(25_010));
  expect(mustAsk(asked, 26_000)).toBe(false);
  expect(advanceConnection(asked, { kind: 'tick' }, at(75_009))).toBe(asked);
  expect(advanceConnection(asked, { kind: 'tick' }, at(75_010)).kind).toBe('waiting');
});

test('one in doubt is asked at once, kept where anything is heard, and else opened again after 5 s', () => {
  const doubted = after(started, opened, welcomed, [1000, { kind: 'again' }]);
  const asked = advanceConnection(doubted, { kind: 'asked', number: 1 }, at(1000));
  const heard = advanceConnection(asked, { kind: 'heard', number: 1 }, at(1100));
  const in5s = (state: Connection) => advanceConnection(state, { kind: 'tick' }, at(6000));
  expect({
    isAsked: mustAsk(doubted, 1000),
    isAskedAgain: mustAsk(asked, 1500),
    isLive: isLive(doubted),
  }).toEqual({
    isAsked: true,
    isAskedAgain: false,
    isLive: true,
  });
  expect(advanceConnection(asked, { kind: 'tick' }, at(5999))).toBe(asked);
  expect(in5s(asked)).toMatchObject({ kind: 'opening', number: 2, url: 'ws://a/' });
  expect(in5s(heard)).toBe(heard);
});

test('a move is carried out within its bound, at a moment of its own', () => {
  const live = after(started, opened, welcomed);
  const move: ConnectionEvent = { kind: 'moved', number: 1, url: 'ws://b/', withinMs: 10_000 };
  const moving = advanceConnection(live, move, { nowMs: 1000, random: 0.5 });
  expect(advanceConnection(moving, { kind: 'tick' }, at(4999))).toBe(moving);
  expect(advanceConnection(moving, { kind: 'tick' }, at(5000))).toMatchObject({
    kind: 'opening',
    number: 2,
    url: 'ws://b/',
  });
});

test('the code of a close says whether to come back, and when', () => {
  const closedWith = (code: number) =>
    after(started, opened, welcomed, [100, { kind: 'closed', number: 1, code }]);
  const { unknown, removed, flood, unavailable, leaving } = socketCloses;
  expect([unknown, removed].map(({ code }) => closedWith(code).kind)).toEqual(['over', 'over']);
  expect(closedWith(flood.code)).toMatchObject({ kind: 'waiting', dueAtMs: 60_100 });
  expect(closedWith(unavailable.code)).toMatchObject({ kind: 'waiting', failures: 1, url: undefined });
  expect(closedWith(leaving.code)).toMatchObject({ kind: 'waiting', failures: 0, url: 'ws://a/' });
});

test('what an earlier socket says changes nothing', () => {
  const second = after(started, [1, { kind: 'again' }]);
  expect(advanceConnection(second, { kind: 'opened', number: 1 }, at(2))).toBe(second);
  expect(advanceConnection(second, { kind: 'closed', number: 1, code: 1006 }, at(2))).toBe(second);
});

test('who is on line again does not wait for the pause to pass', () => {
  const waiting = after(started, [1, { kind: 'closed', number: 1, code: 1006 }]);
  expect(advanceConnection(waiting, { kind: 'woke' }, at(2))).toMatchObject({ kind: 'opening', number: 2 });
});

test('what is over begins no more', () => {
  const over = after(started, [1, { kind: 'ended' }]);
  expect(advanceConnection(over, { kind: 'woke' }, at(2))).toBe(over);
});
