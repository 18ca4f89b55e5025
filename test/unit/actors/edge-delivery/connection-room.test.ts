/** Which new connections a listener takes, when one network opens as many as it can. */
import { expect, test } from 'vitest';
import { ConnectionRoom } from '../../../../actors/edge-delivery/connection-room.ts';

const most = 16_000;

/** Opens so many from one address at that time. @returns how many are open then, and why others are not */
function opening(
  room: ConnectionRoom,
  before: number,
  { count, address, nowMs = 0 }: { count: number; address: string; nowMs?: number },
) {
  let open = before;
  const refusals = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    const refusal = room.refusal(open + 1, () => address, nowMs);
    if (refusal === undefined) open += 1;
    else refusals.add(refusal);
  }
  return { open, refusals: [...refusals] };
}

test('one network gets half and three eighths, and what is left is for others', () => {
  const room = new ConnectionRoom(most, () => false);
  const first = opening(room, 0, { count: 20_000, address: '192.0.2.1' });
  expect(first).toEqual({ open: 14_000, refusals: ['network'] });
  const later = opening(room, first.open, { count: 20_000, address: '192.0.2.1', nowMs: 31_000 });
  expect({ later: later.open < 15_000 }).toEqual({ later: true });
  expect(opening(room, later.open, { count: 1000, address: '192.0.2.2', nowMs: 31_000 })).toEqual({
    open: later.open + 1000,
    refusals: [],
  });
});

// Method: the network asks on each of its connections in time, so that none ends. It waits for an hour, so that its turns are there again.
test('a network that keeps what it has opens no more, and what it closes counts no more', () => {
  const room = new ConnectionRoom(most, () => false);
  const address = '192.0.2.1';
  const { open } = opening(room, 0, { count: 20_000, address });
  const hourMs = 3_600_000;
  const isCounted = room.isToCount(open, hourMs);
  room.counted(new Map([[address, open]]), hourMs);
  const later = opening(room, open, { count: 100, address, nowMs: hourMs });
  const others = opening(room, open, { count: 100, address: '192.0.2.2', nowMs: hourMs });
  room.counted(new Map([[address, open - 100]]), hourMs + 10_000);
  const again = opening(room, open - 100, { count: 10, address, nowMs: hourMs + 10_000 });
  expect({ isCounted, open, later, others: others.open, again: again.open }).toEqual({
    isCounted: true,
    open: 14_000,
    later: { open: 14_000, refusals: ['network'] },
    others: 14_100,
    again: 13_910,
  });
});

test('who holds what is counted each 10 s, one count at a time, and only above half of the bound', () => {
  const room = new ConnectionRoom(most, () => false);
  const half = most / 2;
  const before = [room.isToCount(half, 0), room.isToCount(half + 1, 0), room.isToCount(half + 1, 60_000)];
  room.counted(new Map(), 60_000);
  const after = [69_999, 70_000].map((ms) => room.isToCount(half + 1, ms));
  expect({ before, after }).toEqual({ before: [false, true, false], after: [false, true] });
});

test('where nobody knows who holds what, what is opened is bounded alone', () => {
  const room = new ConnectionRoom(most, () => false);
  const { open } = opening(room, 0, { count: 20_000, address: '192.0.2.1' });
  room.counted(undefined, 0);
  const later = opening(room, open, { count: 100, address: '192.0.2.1', nowMs: 3_600_000 });
  expect(later).toEqual({ open: open + 100, refusals: [] });
});

test('the addresses of one IPv6 network are one, and one IPv4 address is one, however it is written', () => {
  const room = new ConnectionRoom(16, () => false);
  expect(opening(room, 8, { count: 6, address: '2001:db8::1' }).open).toBe(14);
  expect(opening(room, 9, { count: 1, address: '2001:db8::2' }).refusals).toEqual(['network']);
  expect(opening(room, 9, { count: 1, address: '2001:db8:0:1::1' }).refusals).toEqual([]);
  expect(opening(room, 8, { count: 6, address: '192.0.2.1' }).open).toBe(14);
  expect(opening(room, 9, { count: 1, address: '::ffff:192.0.2.1' }).refusals).toEqual(['network']);
});

test('a trusted proxy, which asks for many networks, has the whole bound and no more', () => {
  const room = new ConnectionRoom(most, (address) => address === '192.0.2.1');
  expect(opening(room, 0, { count: 20_000, address: '::ffff:192.0.2.1' })).toEqual({
    open: most,
    refusals: ['connections'],
  });
});
