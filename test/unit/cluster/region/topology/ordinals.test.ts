/** Which ordinals a region's bucket lets a topology give, and which node's topology is behind (R1). */
import { expect, test } from 'vitest';
import { emptyView, join, listed } from '../../../../../cluster/membership/view.ts';
import { RegionId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import { ordinalFaults, withOrdinals } from '../../../../../cluster/region/topology/ordinals.ts';
import { noOtherRegions, type RegionLink } from '../../../../../cluster/region/other-regions.ts';
import {
  noGateway,
  topologyOfOne,
  ordinalOf,
  type Topology,
} from '../../../../../cluster/region/topology/topology.ts';
import {
  behindPeers,
  heardVersions,
  tellWhenBehind,
} from '../../../../../cluster/region/topology/topology-versions.ts';
import { testMember } from '../../../../support/cluster/members.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';

const [eu, us, ap] = [RegionId.parse('eu'), RegionId.parse('us'), RegionId.parse('ap')];

const topology = (ordinals: Readonly<Record<string, number>>, version = 2): Topology => ({
  version,
  regions: Object.entries(ordinals).map(([id, ordinal]) => ({
    id: RegionId.parse(id),
    ordinal,
    gateway: noGateway,
    position: undefined,
    weight: 1,
  })),
});

test('a region alone has ordinal 0, and keeps it when it gets a neighbour', () => {
  expect(ordinalOf(topologyOfOne(eu), eu)).toBe(0);
  const known = withOrdinals(new Map(), topologyOfOne(eu));
  expect(ordinalFaults(topology({ eu: 0, us: 1 }), known)).toEqual([]);
  expect(ordinalFaults(topology({ eu: 1, us: 0 }), known)).toEqual([
    expect.stringMatching(/^region eu has always had ordinal 0, and keeps it: give it back in place of 1$/),
    expect.stringMatching(
      /^ordinal 0 was that of region eu, .* give region us one that no region ever had, 2/,
    ),
  ]);
});

test('an ordinal that was given up is not given to another region, but to its own again', () => {
  const known = withOrdinals(withOrdinals(new Map(), topology({ eu: 0, us: 1 })), topology({ eu: 0 }));
  expect(ordinalFaults(topology({ eu: 0, ap: 1 }), known)).toEqual([
    'ordinal 1 was that of region us, and is never given to another one: give region ap one that no region ever had, 2 for example',
  ]);
  expect(ordinalFaults(topology({ eu: 0, us: 1, ap: 2 }), known)).toEqual([]);
  expect([...known]).toEqual([
    [0, eu],
    [1, us],
  ]);
  expect(withOrdinals(known, topology({ ap: 2 })).get(2)).toBe(ap);
});

const link = (topologyVersion: number | undefined): RegionLink => ({
  region: us,
  isUp: true,
  sinceMs: 0,
  roundTripMs: 1,
  topologyVersion,
  offsetMs: undefined,
  gateways: [],
  bytesIn: 0,
  bytesOut: 0,
});

function heard(near: readonly (number | undefined)[], far?: number) {
  const view = near.reduce(
    (grown, version, index) =>
      join(grown, testMember(`n${index + 1}`, version === undefined ? {} : { topologyVersion: version })),
    emptyView('secret'),
  );
  const members = { list: () => ({ revision: 1, members: view.members.map(listed), readAtMs: 0 }) };
  return heardVersions(members, { ...noOtherRegions, links: () => [link(far)] });
}

test('a node that is behind a member or another region says so, and others do not', () => {
  const of = (own: number, near: readonly (number | undefined)[], far?: number) =>
    behindPeers(topology({ eu: 0, us: 1 }, own), heard(near, far));
  expect({ equal: of(2, [2, 2], 2), ahead: of(3, [2, 3], 2), untold: of(2, [2, undefined]) }).toEqual({
    equal: undefined,
    ahead: undefined,
    untold: undefined,
  });
  expect(of(2, [2, 3])).toMatch(
    /^this node has version 2 of the regions, and node n2 has version 3: give it/,
  );
  expect(of(2, [2, 2], 4)).toMatch(/, and region us has version 4: /);
  expect(behindPeers(topologyOfOne(eu), heard([undefined, 1]))).toMatch(
    /^this node has no file of regions, and/,
  );
  expect(behindPeers(topologyOfOne(eu), heard([undefined]))).toBeUndefined();
});

test('a node that is behind logs it once for each version', () => {
  const clock = new JumpingClock();
  const told: string[] = [];
  let far: number | undefined = 2;
  const logger = { ...silentLogger, warn: (_: object, words: string) => void told.push(words) };
  const end = tellWhenBehind(topology({ eu: 0, us: 1 }), () => heard([2], far), { clock, logger });
  for (const version of [2, 3, 3, 4, 4, 2, undefined]) {
    far = version;
    void clock.ring();
  }
  end();
  expect(told).toEqual([expect.stringContaining('version 3'), expect.stringContaining('version 4')]);
});
