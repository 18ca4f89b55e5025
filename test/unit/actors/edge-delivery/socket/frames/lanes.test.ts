import { expect, test } from 'vitest';
import {
  Lanes,
  socketsOfTurn,
  type Lane,
} from '../../../../../../actors/edge-delivery/socket/frames/lanes.ts';

/** Lanes whose turns are ended by hand, and what each of their sockets got. */
function startLanes() {
  const turns: (() => void)[] = [];
  const got = new Map<object, string[]>();
  const members = new Map<string, Set<object>>();
  let written = 0;
  const lanes = new Lanes({
    write: (lane, text) => {
      for (const member of members.get(lane) ?? []) {
        written += 1;
        got.get(member)?.push(text);
      }
    },
    nextTurn: (run) => void turns.push(run),
  });
  const join = (topic: string): { readonly lane: Lane; readonly got: readonly string[] } => {
    const lane = lanes.join(topic);
    const texts: string[] = [];
    const socket = { lane, got: texts };
    got.set(socket, texts);
    const all = members.get(lane.name) ?? new Set<object>();
    members.set(lane.name, all.add(socket));
    return socket;
  };
  return {
    lanes,
    join,
    joinAll: (topic: string, count: number) => Array.from({ length: count }, () => join(topic)),
    leave: (socket: { readonly lane: Lane }) => {
      members.get(socket.lane.name)?.delete(socket);
      lanes.leave(socket.lane);
    },
    /** @returns to how many sockets something was written in it */
    endTurn: () => {
      const before = written;
      turns.shift()?.();
      return written - before;
    },
    written: () => written,
    turnsDue: () => turns.length,
  };
}

test('a frame for few sockets goes out at once', () => {
  const rig = startLanes();
  const sockets = rig.joinAll('a', socketsOfTurn);
  rig.lanes.publish('a', 'one');
  expect(sockets.every(({ got }) => got.join() === 'one')).toBe(true);
});

test('a frame for 2,200 sockets takes five turns, and each socket gets it once', () => {
  const rig = startLanes();
  const sockets = rig.joinAll('a', 2200);
  rig.lanes.publish('a', 'one');
  const turns = [rig.written(), ...Array.from({ length: 5 }, rig.endTurn)];
  expect(turns).toEqual([500, 500, 500, 500, 200, 0]);
  expect(sockets.every(({ got }) => got.join() === 'one')).toBe(true);
  expect(rig.turnsDue()).toBe(0);
});

test('the frames of all streams share the turns', () => {
  const rig = startLanes();
  for (const topic of ['a', 'b', 'c', 'd']) rig.joinAll(topic, 300);
  for (const topic of ['a', 'b', 'c', 'd']) rig.lanes.publish(topic, topic);
  expect([rig.written(), ...Array.from({ length: 4 }, rig.endTurn)]).toEqual([300, 300, 300, 300, 0]);
});

// order (lanes.ts N1). Method: the next frame comes while the one before still waits for most of the sockets.
test('a frame that waits goes out before the next one, and that is told', () => {
  const rig = startLanes();
  const sockets = rig.joinAll('a', 1500);
  expect(rig.lanes.publish('a', 'one')).toBe(0);
  expect(rig.lanes.publish('a', 'two')).toBe(2);
  while (rig.turnsDue() > 0) rig.endTurn();
  expect(new Set(sockets.map(({ got }) => got.join()))).toEqual(new Set(['one,two']));
});

// nothing old (lanes.ts N2). Method: a lane with room has a frame that waits when one more joins.
test('a socket gets no frame that was published before it joined', () => {
  const rig = startLanes();
  rig.joinAll('a', 700);
  rig.lanes.publish('a', 'before');
  const late = rig.join('a');
  rig.lanes.publish('a', 'after');
  while (rig.turnsDue() > 0) rig.endTurn();
  expect(late.got).toEqual(['after']);
});

test('what waits for a lane goes out at once when it must, and only once', () => {
  const rig = startLanes();
  const last = rig.joinAll('a', 700).at(-1);
  if (last === undefined) throw new Error('no socket');
  rig.lanes.publish('a', 'one');
  expect(last.got).toEqual([]);
  rig.lanes.settle(last.lane);
  expect(last.got).toEqual(['one']);
  while (rig.turnsDue() > 0) rig.endTurn();
  expect(last.got).toEqual(['one']);
});

test('lanes are filled again, and a topic that all have left is forgotten', () => {
  const rig = startLanes();
  const sockets = rig.joinAll('a', 1200);
  for (const socket of sockets.slice(0, 600)) rig.leave(socket);
  const again = rig.joinAll('a', 400);
  expect(new Set(again.map(({ lane }) => lane.name))).toEqual(new Set([sockets[0]?.lane.name]));
  for (const socket of [...sockets.slice(600), ...again]) rig.leave(socket);
  rig.lanes.publish('a', 'to nobody');
  expect({ written: rig.written(), turns: rig.turnsDue() }).toEqual({ written: 0, turns: 0 });
});
