/** What operators see of other regions: their reports, and the health of streams at their home (R1, R3). */
import { expect, test } from 'vitest';
import { HealthAtHome } from '../../../../../actors/control/regions/health-at-home.ts';
import { RegionReports } from '../../../../../actors/control/regions/region-reports.ts';
import type { ClusterView } from '../../../../../cluster/contract/api/control-views.ts';
import { offlineHealth } from '../../../../../cluster/contract/offline-health.ts';
import { Epoch, NodeId, RegionId, StreamId } from '../../../../../cluster/model/ids.ts';
import type { StreamElsewhere } from '../../../../../cluster/region/elsewhere.ts';
import { noGateway } from '../../../../../cluster/region/topology/topology.ts';
import { MemoryRegions } from '../../../../support/regions/memory-regions.ts';
import { oneRegion } from '../../../../support/regions/one-region.ts';

const [eu, us] = [RegionId.parse('eu'), RegionId.parse('us')];
const stream = StreamId.parse('news');
const topology = {
  version: 4,
  regions: [eu, us].map((id, ordinal) => ({
    id,
    ordinal,
    gateway: noGateway,
    position: undefined,
    weight: 1,
  })),
};

const clusterOf = (region: RegionId, onAir: number): ClusterView => {
  const node = { host: 'h', pid: 1, bootId: 'b', isSuspected: false, roles: [], http: '', rtmp: '' };
  const load = { streams: 9, onAir, connections: 40 };
  const states = ['alive', 'dead'] as const;
  return {
    regions: [],
    nodes: states.map((state) => ({ ...node, id: NodeId.parse(state), region, state, load })),
    placements: [],
    asOf: '2026-11-30T18:00:00.000Z',
  };
};

function hintOf(region: RegionId, change: Partial<StreamElsewhere> = {}): StreamElsewhere {
  const numbers = { nextNumber: 7, discontinuities: 0, availabilityStartMs: 0, sinceMs: 0 };
  const epoch = Epoch.parse(2_000_000);
  return {
    stream,
    region,
    epoch,
    ...numbers,
    isOnAir: true,
    rtmpUrl: 'rtmp://h/live',
    ageMs: 1200,
    ...change,
  };
}

// Goal: an operator sees all regions from any of them, and never takes old numbers for new ones. Method: two regions in memory; the link is
// cut, and the clock goes on by hand.
test('a region reports of itself, and is shown as it was once it is cut off', async () => {
  const regions = new MemoryRegions({ regions: ['eu', 'us'] });
  let nowMs = 10_000;
  const clock = { monotonicMs: () => nowMs };
  const hints: StreamElsewhere[] = [];
  const elsewhere = { streams: () => hints };
  const at = (region: RegionId, onAir: number) =>
    new RegionReports({
      region,
      topology,
      elsewhere,
      clock,
      others: regions.of(region),
      cluster: async () => clusterOf(region, onAir),
      mediaBytesFrom: (from) => (from === region ? 0 : 5000),
    });
  const [here, there] = [at(eu, 1), at(us, 2)];
  const shown = async () =>
    (await here.view()).regions.map(({ links, ...rest }) => ({ ...rest, links: links.length }));
  const own = {
    id: eu,
    ordinal: 0,
    isOwn: true,
    isReached: true,
    nodes: 2,
    alive: 1,
    onAir: 2,
    connections: 80,
  };
  const far = { id: us, ordinal: 1, isOwn: false };
  expect(await shown()).toEqual([
    { ...own, links: 1 },
    { ...far, isReached: false, links: 0 },
  ]);
  hints.push(hintOf(us), hintOf(us, { isOnAir: false, ageMs: 5000 }), hintOf(eu));
  expect((await shown())[1]).toEqual({ ...far, isReached: false, onAir: 1, ageSeconds: 1.2, links: 0 });
  there.start();
  const numbers = { nodes: 2, alive: 1, onAir: 4, connections: 80, links: 1 };
  expect((await shown())[1]).toEqual({ ...far, isReached: true, ...numbers });
  expect((await here.view()).regions.map(({ links: [link] }) => link?.mediaBytesIn)).toEqual([5000, 5000]);
  regions.cut('eu', 'us');
  nowMs += 42_000;
  expect((await shown())[1]).toEqual({ ...far, isReached: false, ...numbers, ageSeconds: 42 });
  there.stop();
});

test.each([
  { isUp: true, told: [2400] },
  { isUp: false, told: [] },
])(
  'how far a clock is off is told while its link is up ($isUp), as it may have been set since',
  async ({ isUp, told }) => {
    const rest = { topologyVersion: 4, bytesIn: 0, bytesOut: 0 };
    const link = { region: us, isUp, sinceMs: 0, roundTripMs: 1, offsetMs: 2400, gateways: [], ...rest };
    const reports = new RegionReports({
      ...oneRegion,
      others: { ...oneRegion.others, links: () => [link] },
      clock: { monotonicMs: () => 0 },
      cluster: async () => clusterOf(oneRegion.region, 0),
    });
    const { regions } = await reports.view();
    const links = regions.flatMap((one) => one.links);
    expect(links.flatMap(({ clockOffsetMs }) => clockOffsetMs ?? [])).toEqual(told);
  },
);

test('a deployment of one region serves nothing and shows itself', async () => {
  const reports = new RegionReports({
    ...oneRegion,
    clock: { monotonicMs: () => 0 },
    cluster: async () => clusterOf(oneRegion.region, 0),
  });
  reports.start();
  const { topologyVersion, regions } = await reports.view();
  expect({ topologyVersion, regions: regions.map(({ id, links }) => `${id} ${links.length}`) }).toEqual({
    topologyVersion: 0,
    regions: ['r1 0'],
  });
  reports.stop();
});

// Goal: `who` tells of the home's owner from every region, and who is cut off says so. Method: a region that heard of a stream elsewhere asks
// its home; the link is cut; then this region owns it above that epoch.
test('the health of a stream is that of its home', async () => {
  const regions = new MemoryRegions({ regions: ['eu', 'us'] });
  const clock = { utcMs: () => Date.parse('2026-11-30T18:00:00.000Z') };
  const offline = offlineHealth('never on air', clock.utcMs(), {});
  const home = { ...offline, state: 'live' as const, reason: 'all is well', region: us };
  const hint = hintOf(us);
  let here = offline;
  let homeOf: StreamElsewhere | undefined;
  const near = new HealthAtHome({
    others: regions.of('eu'),
    clock,
    elsewhere: { homeOf: () => homeOf },
    healthHere: async () => here,
  });
  const far = new HealthAtHome({
    others: regions.of('us'),
    clock,
    elsewhere: { homeOf: () => undefined },
    healthHere: async () => home,
  });
  far.start();
  expect(await near.of(stream)).toEqual(offline);
  homeOf = hint;
  expect(await near.of(stream)).toEqual(home);
  homeOf = { ...hint, isOnAir: false };
  const over = { ...offline, reason: 'its broadcast in region us is over', region: us, epoch: hint.epoch };
  expect(await near.of(stream)).toEqual(over);
  here = offlineHealth('no publisher', clock.utcMs(), {});
  expect(await near.of(stream)).toEqual(here);
  here = offline;
  homeOf = hint;
  regions.cut('eu', 'us');
  homeOf = { ...hint, isOnAir: false };
  expect(await near.of(stream)).toMatchObject({
    state: 'offline',
    reason: 'its broadcast in region us is over, as far as is known',
    stale: { ageMs: 1200, reason: 'us cannot be asked now' },
  });
  homeOf = hint;
  expect(await near.of(stream)).toEqual({
    ...offline,
    state: 'unknown',
    reason: 'its home us cannot be reached',
    region: us,
    epoch: hint.epoch,
    asOf: '2026-11-30T17:59:58.800Z',
    stale: {
      asOf: '2026-11-30T17:59:58.800Z',
      ageMs: 1200,
      reason: 'us tells of it every 30 s, and cannot be asked now',
    },
  });
  here = { ...offline, epoch: Epoch.parse(3_000_000) };
  expect(await near.of(stream)).toEqual(here);
  far.stop();
});
