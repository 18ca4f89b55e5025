/** What `tangaza regions` prints. */
import { expect, test } from 'vitest';
import type { RegionsView } from '../../../../cluster/contract/api/control-views.ts';
import { NodeId, RegionId } from '../../../../cluster/model/ids.ts';
import { describeRegions } from '../../../../scripts/client/regions.ts';

const [eu, us] = [RegionId.parse('eu'), RegionId.parse('us')];
const numbers = { nodes: 2, alive: 1, onAir: 3, connections: 250 };
const link = { forSeconds: 200, gateways: [NodeId.parse('n1')], bytesIn: 812, bytesOut: 48_211_000 };
const own = { id: eu, ordinal: 0, isOwn: true, isReached: true, ...numbers };

const printed = (regions: RegionsView['regions']): readonly string[] =>
  describeRegions({ topologyVersion: 1, regions }).trimEnd().split('\n');

test('a deployment of one region is one row', () => {
  expect(printed([{ ...own, links: [] }])).toEqual([
    'REGION  ORDINAL  STATE    NODES   STREAMS  CONNECTIONS',
    'eu      0        answers  1 of 2  3        250',
  ]);
});

test('a region that is cut off is shown with its age, and so is the link', () => {
  const regions = [
    { ...own, links: [{ to: us, isUp: false, ...link, mediaBytesIn: 1_290_300_000 }] },
    {
      ...own,
      id: us,
      ordinal: 1,
      isOwn: false,
      isReached: false,
      ageSeconds: 41.4,
      links: [{ to: eu, isUp: true, ...link, roundTripMs: 84.2, gateways: [] }],
    },
  ];
  expect(printed(regions)).toEqual([
    'REGION  ORDINAL  STATE    NODES   STREAMS  CONNECTIONS',
    'eu      0        answers  1 of 2  3        250',
    'us      1        cut off  1 of 2  3        250',
    '',
    'LINK      STATE                        ROUND TRIP  IN     OUT      MEDIA IN  GATEWAYS',
    'eu -> us  down for 3 min               ?           812 B  48.2 MB  1.3 GB    n1',
    'us -> eu  up for 3 min, as last known  84.2 ms     812 B  48.2 MB  ?         none',
    '',
    'us cannot be reached: its numbers are as of 41 s ago.',
  ]);
});

test('a region that is cut off and has told no numbers yet says so', () => {
  const regions = [{ id: us, ordinal: 1, isOwn: false, isReached: false, links: [] }];
  expect(printed(regions)).toEqual([
    'REGION  ORDINAL  STATE    NODES  STREAMS  CONNECTIONS',
    'us      1        cut off  ?      ?        ?',
    '',
    'us cannot be reached: no numbers yet.',
  ]);
});

test.each<[string, { readonly ageSeconds?: number }, string]>([
  ['has told no numbers yet', {}, 'no numbers yet.'],
  ['told some before', { ageSeconds: 41.4 }, 'its numbers are as of 41 s ago.'],
])('a region whose link is up and that %s is not called cut off', (_what, known, words) => {
  const regions = [
    { ...own, links: [{ to: us, isUp: true, ...link }] },
    { id: us, ordinal: 1, isOwn: false, isReached: false, links: [], ...known },
  ];
  const lines = printed(regions);
  expect({ row: lines[2], words: lines.at(-1) }).toEqual({
    row: 'us      1        no answer  ?       ?        ?',
    words: `us does not answer, though the link to it is up: ${words}`,
  });
});
