/** Manifests, steering and the edge list where there are two regions, over a real listener (R11). */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { EdgeList } from '../../../cluster/contract/api/control-routes.ts';
import { NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { startTestEdge, type TestEdge } from '../../support/ports/test-edge.ts';

const Told = z.object({
  'PATHWAY-PRIORITY': z.array(z.string()),
  'RELOAD-URI': z.string(),
  'PATHWAY-CLONES': z.array(z.object({ ID: z.string() })).optional(),
});
const region = (id: string): RegionId => RegionId.parse(id.slice(0, 2));
const addresses = (...ids: readonly string[]) =>
  ids.map((id) => ({ id: NodeId.parse(id), region: region(id), baseUrl: `http://${id}.test` }));

/** An edge of `us` that knows these edges, those of its own region first. */
const startFar = (known: { ids: readonly string[]; dead: readonly string[] }): Promise<TestEdge> =>
  startTestEdge({
    node: NodeId.parse('us1'),
    region: RegionId.parse('us'),
    listEdges: () => ({ revision: known.ids.length, edges: addresses(...known.ids) }),
    isSound: (id) => !known.dead.includes(id),
  });
const steer = async (edge: TestEdge, query: string) =>
  Told.parse(await (await fetch(`${edge.url}/live/demo/steering?${query}`)).json());

test('a manifest names the edges of its region first, and its own steering server; a refresh repeats them', async () => {
  const known = { ids: ['us1', 'us2', 'eu1', 'eu2', 'eu3'], dead: [] };
  await using edge = await startFar(known);
  const broadcast = await edge.broadcast(1);
  const read = async () => {
    const mpd = await (await fetch(`${edge.url}/live/demo/manifest.mpd`)).text();
    const all = (pattern: RegExp): readonly (string | undefined)[] =>
      [...mpd.matchAll(pattern)].map(([, id]) => id);
    return {
      edges: all(/<BaseURL serviceLocation="(\w+)"/g),
      locations: all(/<Location serviceLocation="(\w+)"/g),
      steering: all(/<ContentSteering[^>]*>http:\/\/(\w+)\.test/g),
    };
  };
  const first = await read();
  await broadcast.commit();
  await expect.poll(read).toEqual(first);
  expect({ ...first, edges: first.edges.slice(0, 2), named: first.edges.length }).toEqual({
    edges: ['us1', 'us2'],
    named: 4,
    locations: first.edges,
    steering: ['us2'],
  });
  known.ids = ['us1', 'eu1', 'eu2', 'eu3'];
  await expect.poll(async () => (await read()).steering).toEqual(['us1']);
});

test('a viewer of this region gets its edges first, and says its region the next time, wherever that is', async () => {
  await using edge = await startFar({ ids: ['us1', 'us2', 'eu1', 'eu2'], dead: [] });
  await edge.broadcast(1);
  await fetch(`${edge.url}/live/demo/main.m3u8`);
  const hls = await steer(edge, 'base=.&_HLS_pathway=.');
  expect({
    first: hls['PATHWAY-PRIORITY'].slice(0, 2),
    last: hls['PATHWAY-PRIORITY'].slice(2).toSorted(),
  }).toEqual({ first: ['.', 'us2'], last: ['eu1', 'eu2'] });
  expect(hls['PATHWAY-CLONES']?.map(({ ID }) => ID).toSorted()).toEqual(['eu1', 'eu2', 'us2']);
  const next = new URL(hls['RELOAD-URI']);
  expect({ host: next.host, region: next.searchParams.get('region') }).toEqual({
    host: 'us2.test',
    region: 'us',
  });
});

// Goal: where a viewer's region has no other edge, steering goes on in another region, and knows where the viewer belongs. Method: a viewer of `eu` asks an
// edge of `us`, while its own edge is well, dead, and unheard of.
test('an edge of another region sends a viewer to its own region, keeps it while that is dead, and moves nobody of whom it hears nothing', async () => {
  const known: { ids: readonly string[]; dead: string[] } = { ids: ['us1', 'us2', 'eu1'], dead: [] };
  await using edge = await startFar(known);
  const dash = (current: string) => steer(edge, `region=eu&_DASH_pathway="${current}"`);
  const firstOf = async (current: string) => (await dash(current))['PATHWAY-PRIORITY'][0];
  expect({ well: await firstOf('eu1'), away: await firstOf('us2') }).toEqual({ well: 'eu1', away: 'eu1' });
  known.dead.push('eu1');
  edge.edge.tick();
  expect({ atOne: await firstOf('us2'), atOther: await firstOf('us1') }).toEqual({
    atOne: 'us2',
    atOther: 'us1',
  });
  known.dead.pop();
  expect(await firstOf('us2')).toBe('us2');
  known.ids = ['us1', 'us2'];
  expect(await firstOf('eu1')).toBe('eu1');
  const { 'PATHWAY-PRIORITY': pathways, 'RELOAD-URI': next } = await steer(
    edge,
    'region=eu&base=eu1&_HLS_pathway=.',
  );
  expect({
    first: pathways[0],
    all: pathways.length,
    region: new URL(next).searchParams.get('region'),
  }).toEqual({
    first: '.',
    all: 3,
    region: 'eu',
  });
});

test('a steering request makes no edge follow the stream, and one for a stream that ended is answered as before', async () => {
  await using edge = await startFar({ ids: ['us1', 'us2', 'eu1'], dead: [] });
  const broadcast = await edge.broadcast(1);
  await broadcast.end();
  const unseen = await steer(edge, 'base=.&_HLS_pathway=.');
  expect({ follows: edge.log.follows, clones: unseen['PATHWAY-CLONES'] }).toEqual({
    follows: 0,
    clones: undefined,
  });
  await fetch(`${edge.url}/live/demo/main.m3u8`);
  const seen = await steer(edge, 'base=.&_HLS_pathway=.');
  expect({ pathways: seen['PATHWAY-PRIORITY'], clones: seen['PATHWAY-CLONES']?.length }).toEqual({
    pathways: unseen['PATHWAY-PRIORITY'],
    clones: 2,
  });
});

test('the edge list is over regions, and says why each edge stands where it stands', async () => {
  await using edge = await startFar({ ids: ['us1', 'us2', 'eu1', 'eu2'], dead: ['eu2'] });
  const list = async (query: string) => {
    const reply: unknown = await (await fetch(`${edge.url}/v1/streams/demo/edges${query}`)).json();
    return EdgeList.parse(reply).items.map(({ region: of, why }) => `${of} ${why}`);
  };
  expect({ here: await list(''), there: await list('?region=eu') }).toEqual({
    here: ['us inYourRegion', 'us inYourRegion', 'eu inAnotherRegion'],
    there: ['eu inYourRegion', 'us inAnotherRegion', 'us inAnotherRegion'],
  });
});
