/** What a region tells others of its records and its edges (R3). */
import { expect, test } from 'vitest';
import { maxEdgesTold } from '../../../../cluster/contract/regions/on-air.ts';
import type { ListedMember, MemberState } from '../../../../cluster/membership/member-directory.ts';
import { BootId, Epoch, NodeId, RegionId, StreamId } from '../../../../cluster/model/ids.ts';
import { ownStreams } from '../../../../cluster/region/own-streams.ts';
import { edgesToTell } from '../../../../cluster/region/tell-edges.ts';
import { testMember } from '../../../support/cluster/members.ts';

const listed = (id: string, state: MemberState = 'alive'): ListedMember => ({
  ...testMember(id),
  state,
  isAlive: state !== 'dead',
  incarnation: 1,
});

const record = (owner: string, epoch: number, endedAt?: string) => ({
  owner: NodeId.parse(owner),
  region: RegionId.parse('r1'),
  bootId: BootId.parse('b1'),
  epoch: Epoch.parse(epoch),
  since: '2026-01-01T00:00:00.000Z',
  reason: 'first publish',
  ...(endedAt === undefined ? {} : { endedAt }),
});

test('a list names what is on air and what ended in the last day, where an encoder publishes it, and no numbers', () => {
  const nowMs = Date.parse('2026-01-03T00:00:00.000Z');
  const records = new Map([
    [StreamId.parse('b-ended'), record('n1', 2, '2026-01-02T12:00:00.000Z')],
    [StreamId.parse('a-live'), record('n1', 3)],
    [StreamId.parse('c-old'), record('n1', 1, '2026-01-01T12:00:00.000Z')],
    [StreamId.parse('d-orphan'), record('gone', 1)],
  ]);
  const told = ownStreams(records, [listed('n1')], nowMs);
  expect(told.map(({ stream, isOnAir, rtmpUrl }) => ({ stream, isOnAir, rtmpUrl }))).toEqual([
    { stream: 'a-live', isOnAir: true, rtmpUrl: 'rtmp://n1/live' },
    { stream: 'b-ended', isOnAir: false, rtmpUrl: 'rtmp://n1/live' },
    { stream: 'd-orphan', isOnAir: true, rtmpUrl: '' },
  ]);
  expect(told[0]).toMatchObject({ nextNumber: 0, sinceMs: Date.parse('2026-01-01T00:00:00.000Z') });
});

test('an edge has room up to a quarter above its share, some in any case, and none while it is no sound one', () => {
  const loads = new Map([
    ['n1', 100],
    ['n2', 0],
    ['n3', 500],
  ]);
  const told = edgesToTell([listed('n1'), listed('n2'), listed('n3', 'draining')], (id) => loads.get(id));
  expect(told.map(({ node, isSound, connections, room }) => ({ node, isSound, connections, room }))).toEqual([
    { node: 'n1', isSound: true, connections: 100, room: 0 },
    { node: 'n2', isSound: true, connections: 0, room: 64 },
    { node: 'n3', isSound: false, connections: 500, room: 0 },
  ]);
});

test('a region of many edges tells of a bounded number, the sound ones first', () => {
  const many = Array.from({ length: maxEdgesTold + 50 }, (_, index) =>
    listed(`n${index}`, index < 50 ? 'dead' : 'alive'),
  );
  const told = edgesToTell(many, () => 1);
  expect({ told: told.length, sound: told.filter(({ isSound }) => isSound).length }).toEqual({
    told: maxEdgesTold,
    sound: maxEdgesTold,
  });
});
