import { expect, test } from 'vitest';
import {
  clusterView,
  lastKnownHealth,
  stalenessOf,
  type ClusterFacts,
} from '../../../../actors/control/last-known.ts';
import { StreamHealth } from '../../../../cluster/contract/stream-health.ts';
import { ClusterView } from '../../../../cluster/contract/api/control-views.ts';
import { declareDead, lifeOf, listed } from '../../../../cluster/membership/view.ts';
import { BootId, Epoch, NodeId, StreamId } from '../../../../cluster/model/ids.ts';
import { viewOf } from '../../../support/cluster/members.ts';
import { region } from '../../../support/ports/records.ts';

const utcMs = Date.parse('2026-11-24T12:00:14.000Z');
const then = '2026-11-24T12:00:00.000Z';
const stale = { asOf: then, ageMs: 14_000, reason: 'NATS does not answer' };
const record = {
  owner: NodeId.parse('n1'),
  region,
  bootId: BootId.parse('b1'),
  epoch: Epoch.parse(7),
  since: then,
  reason: 'owner died (n3)',
};
const successors = [NodeId.parse('n2')];
const facts: ClusterFacts = {
  utcMs,
  ageMs: undefined,
  onAir: new Map(),
  connections: () => undefined,
  suspects: new Set(),
};

test('an answer that was just read says nothing of its age', () => {
  expect(stalenessOf(undefined, utcMs)).toEqual({});
  expect(stalenessOf(14_000.4, utcMs)).toEqual({ stale });
});

test('with NATS down a stream whose owner cannot be asked is unknown, as of its record', () => {
  const health = lastKnownHealth(record, { utcMs, stale, successors });
  expect(health).toMatchObject({ state: 'unknown', owner: 'n1', epoch: 7, successors, asOf: then, stale });
  expect(health.reason).toBe('its owner n1 cannot be asked: NATS does not answer');
  expect(StreamHealth.parse(health)).toEqual(health);
});

test('with NATS there, an owner that does not answer is told as before: offline, now', () => {
  const health = lastKnownHealth(record, { utcMs, successors });
  expect(health).toMatchObject({ state: 'offline', reason: 'its owner n1 does not answer', owner: 'n1' });
  expect({ asOf: health.asOf, isStale: 'stale' in health }).toEqual({
    asOf: '2026-11-24T12:00:14.000Z',
    isStale: false,
  });
});

test('the cluster as last known carries its age; regions and loads are counted from it', () => {
  const all = viewOf('n1', 'n2');
  const [, second] = all.members;
  if (second === undefined) throw new Error('no second member');
  const members = declareDead(all, lifeOf(second), utcMs).members.map(listed);
  const owners = new Map([[StreamId.parse('s'), record]]);
  const view = clusterView(members, owners, { ...facts, ageMs: 14_000 });
  expect(ClusterView.parse(view)).toEqual(view);
  expect(view).toMatchObject({ asOf: then, stale, regions: [{ id: 'r1', nodes: 2, alive: 1 }] });
  expect(view.nodes.map(({ id, state, load }) => [id, state, load.streams])).toEqual([
    ['n1', 'alive', 1],
    ['n2', 'dead', 0],
  ]);
  const fresh = clusterView(members, owners, facts);
  expect({ asOf: fresh.asOf, isStale: 'stale' in fresh }).toEqual({
    asOf: '2026-11-24T12:00:14.000Z',
    isStale: false,
  });
});

test('what is on air is what the nodes told, not what they own; one that told nothing has no count', () => {
  const members = viewOf('n1', 'n2').members.map(listed);
  const owners = new Map([[StreamId.parse('s'), record]]);
  const view = clusterView(members, owners, {
    ...facts,
    onAir: new Map([[NodeId.parse('n1'), 0]]),
  });
  expect(ClusterView.parse(view)).toEqual(view);
  expect(view.nodes.map(({ load }) => load)).toEqual([{ streams: 1, onAir: 0 }, { streams: 0 }]);
});

test('viewers and suspicion are told of living nodes alone', () => {
  const all = viewOf('n1', 'n2', 'n3');
  const [, second] = all.members;
  if (second === undefined) throw new Error('no second member');
  const members = declareDead(all, lifeOf(second), utcMs).members.map(listed);
  const view = clusterView(members, new Map(), {
    ...facts,
    connections: (node) => (node === 'n3' ? undefined : 40),
    suspects: new Set([NodeId.parse('n2'), NodeId.parse('n3')]),
  });
  expect(ClusterView.parse(view)).toEqual(view);
  expect(
    view.nodes.map(({ id, isSuspected, load }) => ({ id, isSuspected, viewers: load.connections })),
  ).toEqual([
    { id: 'n1', isSuspected: false, viewers: 40 },
    { id: 'n2', isSuspected: false, viewers: undefined },
    { id: 'n3', isSuspected: true, viewers: undefined },
  ]);
});
