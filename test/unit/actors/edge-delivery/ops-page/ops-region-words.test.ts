/** What the operator page says of the regions. */
import { expect, test } from 'vitest';
import { regionWords } from '../../../../../actors/edge-delivery/ops-page/ops-region-words.ts';
import type { RegionsView } from '../../../../../cluster/contract/api/control-views.ts';
import { NodeId, RegionId } from '../../../../../cluster/model/ids.ts';

type Region = RegionsView['regions'][number];
type Link = Region['links'][number];

const [eu, us] = [RegionId.parse('eu'), RegionId.parse('us')];
const numbers = { nodes: 2, alive: 2, onAir: 3, connections: 1250 };
const up: Link = {
  to: us,
  isUp: true,
  forSeconds: 3600,
  roundTripMs: 84.24,
  clockOffsetMs: -1999,
  gateways: [NodeId.parse('n1')],
  bytesIn: 812,
  bytesOut: 48_211_000,
  mediaBytesIn: 1_290_300_000,
};
const own = { id: eu, ordinal: 0, isOwn: true, isReached: true, ...numbers };
const reached: Region = { ...own, id: us, ordinal: 1, isOwn: false, onAir: 1, links: [] };

const wordsOfUs = (link: Partial<Link>, region: Partial<Region> = {}) =>
  regionWords({
    regions: [
      { ...own, links: [{ ...up, ...link }] },
      { ...reached, ...region },
    ],
  })[1];

test('a deployment of one region has no table', () => {
  expect(regionWords({ regions: [{ ...own, links: [] }] })).toEqual([]);
});

test('the region of the node that answers is named as such, and nothing crosses from it', () => {
  expect(regionWords({ regions: [{ ...own, links: [up] }, reached] })[0]).toEqual({
    id: 'eu',
    name: { text: 'eu', detail: 'ordinal 0' },
    link: { text: 'this region', tone: 'good' },
    linkDetail: '',
    streams: '3',
    connections: '1,250',
    across: undefined,
    clock: undefined,
  });
});

test('another region is told with its link, what crossed, and no word of a clock that is right', () => {
  expect(wordsOfUs({})).toEqual({
    id: 'us',
    name: { text: 'us', detail: 'ordinal 1' },
    link: { text: 'up for 60 min', tone: 'good' },
    linkDetail: '84.2 ms there and back',
    streams: '1',
    connections: '1,250',
    across: { text: 'media 1.3 GB in', detail: 'calls and events 812 B in, 48.2 MB out' },
    clock: undefined,
  });
});

test('a link that is down says for how long, and how old the numbers are', () => {
  const shown = wordsOfUs({ isUp: false, forSeconds: 41 }, { isReached: false, ageSeconds: 43 });
  expect(shown).toMatchObject({
    link: { text: 'down for 41 s', tone: 'bad' },
    linkDetail: 'numbers of 43 s ago',
    streams: '1',
  });
});

test('a region that has told no numbers yet says so', () => {
  const {
    nodes: _nodes,
    onAir: _onAir,
    connections: _connections,
    ...unknown
  } = { ...reached, isReached: false };
  const regions = [{ ...own, links: [{ ...up, isUp: false, forSeconds: 300 }] }, unknown];
  expect(regionWords({ regions })[1]).toMatchObject({
    link: { text: 'down for 5 min', tone: 'bad' },
    linkDetail: 'no numbers yet',
    streams: '–',
    connections: '–',
  });
});

test('a region whose link is up, and that has not told its numbers, is not said to be unheard', () => {
  const { nodes: _nodes, onAir: _onAir, connections: _connections, ...unknown } = reached;
  const regions = [
    { ...own, links: [{ ...up, forSeconds: 259_200 }] },
    { ...unknown, isReached: false },
  ];
  expect(regionWords({ regions })[1]).toMatchObject({
    link: { text: 'up for 3 days, no answer', tone: 'warn' },
    linkDetail: 'no numbers yet',
  });
});

test('a region that does not answer over a link that is up is no good one', () => {
  expect(wordsOfUs({ forSeconds: 90 }, { isReached: false, ageSeconds: 2 })?.link).toEqual({
    text: 'up for 90 s, no answer',
    tone: 'warn',
  });
});

test.each([
  [2400, '2 s ahead'],
  [-3_600_000, '60 min behind'],
])('a clock that is %i ms away is %s', (clockOffsetMs, text) => {
  expect(wordsOfUs({ clockOffsetMs })?.clock).toMatchObject({ text, tone: 'bad' });
});
