/** Which edges of other regions are asked for an object, and what their answers mean together (R5). */
import { expect, test } from 'vitest';
import { isNowhere, sourcesFor } from '../../../../../actors/edge-delivery/crossing/sources.ts';
import { NodeId, RegionId } from '../../../../../cluster/model/ids.ts';
import type { EdgeElsewhere } from '../../../../../cluster/region/elsewhere.ts';

const edgeOf = (id: string): EdgeElsewhere => ({
  region: RegionId.parse(id),
  node: NodeId.parse(`${id}-1`),
  httpUrl: `http://${id}.test`,
  isSound: true,
  connections: 0,
  room: 1,
  weight: 1,
});

// Goal: an edge that cannot be reached holds up no object. Method: three edges of the home and one of another region; the first in line is silent.
test('an edge that was silent comes behind the others of its region, and before other regions', () => {
  const eu = RegionId.parse('eu');
  const edges = [1, 2, 3].map((id) => ({ ...edgeOf('eu'), node: NodeId.parse(`eu-${id}`) }));
  const all = [...edges, edgeOf('us')];
  const before = sourcesFor('object', all, { home: eu });
  const [first] = before;
  const after = sourcesFor('object', all, { home: eu, isSilent: (edge) => edge === first });
  const rest = before.filter((edge) => edge !== first && edge.region === eu);
  expect(after).toEqual([...rest, first, edgeOf('us')]);
  expect(sourcesFor('object', all, { home: eu, isSilent: () => true })).toEqual(before);
});

const nowhere = (asked: readonly string[], lacking: readonly string[], home?: string): boolean =>
  isNowhere({
    lacking: new Set(lacking.map((id) => RegionId.parse(id))),
    sources: asked.map(edgeOf),
    regions: ['eu', 'us'].map((id) => RegionId.parse(id)),
    home: home === undefined ? undefined : RegionId.parse(home),
  });

test('without a home elsewhere, nobody has it only where every other region was asked and lacks it', () => {
  expect({
    nobodyAsked: nowhere([], []),
    oneIsCut: nowhere(['us'], ['us']),
    oneFailed: nowhere(['eu', 'us'], ['us']),
    homeIsHere: nowhere(['us'], ['us'], 'asia'),
    allLackIt: nowhere(['eu', 'us'], ['eu', 'us']),
  }).toEqual({ nobodyAsked: false, oneIsCut: false, oneFailed: false, homeIsHere: false, allLackIt: true });
});

test("the home's word counts though another region is cut, and no other region's word counts without it", () => {
  expect({
    homeLacksIt: nowhere(['eu'], ['eu'], 'eu'),
    homeIsCut: nowhere(['us'], ['us'], 'eu'),
    otherFailed: nowhere(['eu', 'us'], ['eu'], 'eu'),
  }).toEqual({ homeLacksIt: true, homeIsCut: false, otherFailed: false });
});
