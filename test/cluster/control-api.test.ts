/** The control API and the CLI on a whole cluster, from the creation of a stream to its end. */
import { expect, test as plain } from 'vitest';
import { z } from 'zod';
import { EdgeList } from '../../cluster/contract/api/control-routes.ts';
import { StreamHealth } from '../../cluster/contract/stream-health.ts';
import {
  ClusterView,
  RegionsView,
  LiveStreams,
  ReleaseView,
  StreamPage,
  StreamView,
  StreamWithKey,
} from '../../cluster/contract/api/control-views.ts';
import { catalogue } from '../../cluster/errors/catalogue.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { runCli, type CliResult } from '../support/cluster/cli.ts';
import { controlClient, parseWhole, type ControlClient } from '../support/cluster/control-client.ts';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { flashAndBeep, publish, x264 } from '../support/media/ffmpeg-publisher.ts';
import { ensureDemoStream } from '../../scripts/demo/parts/demo-stream.ts';
import { healthUntil } from '../support/cluster/live-cluster.ts';
import { makeFeed } from '../support/media/media-feed.ts';
import { RtmpPublisher } from '../support/ingest/rtmp-publisher.ts';
import { promisedRoutes } from '../support/promised-routes.ts';

interface Scene {
  readonly cluster: TestCluster;
  /** The same API at both nodes. */
  readonly api: ControlClient;
  readonly other: ControlClient;
}

async function startScene(onCleanup: (end: () => PromiseLike<void>) => void): Promise<Scene> {
  const cluster = await startTestCluster();
  onCleanup(() => cluster[Symbol.asyncDispose]());
  const at = (node: number): ControlClient => controlClient(cluster.nodes[node]?.url ?? '', cluster.token);
  return { cluster, api: at(0), other: at(1) };
}

/** `scene` is shared by tests whose streams are their own; `own` is for one that counts all streams, or takes a node away. */
const test = plain
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern what the fixture needs: nothing
  .extend('scene', { scope: 'file' }, ({}, { onCleanup }) => startScene(onCleanup))
  // oxlint-disable-next-line no-empty-pattern -- as above
  .extend('own', ({}, { onCleanup }) => startScene(onCleanup));

const Problem = z.object({
  type: z.url(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
});
const post = (body: unknown, headers = {}) => ({ method: 'POST', body, headers });

test('a stream is created, shown, listed, changed and deleted, at whichever node', async ({
  scene: { cluster, api, other },
}) => {
  const created = await api.create({ title: 'Evening news', id: 'news' });
  expect(created).toMatchObject({ id: 'news', title: 'Evening news', ladder: 'default' });
  expect(created.ingest.map(({ url }) => url).toSorted()).toEqual(
    cluster.nodes.map(({ rtmp }) => rtmp).toSorted(),
  );
  expect(created.ingest.map(({ role }) => role)).toEqual(['primary', 'backup']);
  const { streamKey: _key, ...view } = created;
  const elsewhere = await other.call('/v1/streams/news', 200, StreamView);
  expect({ ...elsewhere, playback: view.playback }).toEqual(view);
  expect(JSON.stringify(elsewhere)).not.toContain(created.streamKey);
  const changed = await other.call('/v1/streams/news', 200, StreamView, {
    method: 'PATCH',
    body: { title: 'Late news', ladder: 'source' },
  });
  expect(changed).toMatchObject({ title: 'Late news', ladder: 'source' });
  expect((await api.call('/v1/streams/news', 200, StreamView)).title).toBe('Late news');
  const twice = await api.call('/v1/streams', 409, Problem, post({ title: 'Again', id: 'news' }));
  expect(twice).toMatchObject({
    code: 'CONFLICT',
    detail: 'There is a stream news already: choose another id or leave it out.',
  });
  const ladder = await api.call(
    '/v1/streams',
    400,
    z.object({ code: z.string(), detail: z.string() }).loose(),
    post({ title: 'x', ladder: 'nine' }),
  );
  expect(ladder.detail).toMatch(/^There is no ladder nine; there are: .*default/);
  expect(await other.status('DELETE', '/v1/streams/news')).toBe(204);
  for (const method of ['GET', 'DELETE'])
    expect(await api.call('/v1/streams/news', 404, Problem, { method })).toMatchObject({
      code: 'STREAM_NOT_FOUND',
      detail: 'There is no stream news.',
    });
});

test('the same Idempotency-Key makes one stream with one key, also at another node; another key makes another', async ({
  scene,
}) => {
  const { api, other } = scene;
  const headers = { 'idempotency-key': 'retry-1' };
  const first = await api.call('/v1/streams', 201, StreamWithKey, post({ title: 'Once' }, headers));
  const again = await other.call('/v1/streams', 201, StreamWithKey, post({ title: 'Once' }, headers));
  expect({ id: again.id, streamKey: again.streamKey }).toEqual({ id: first.id, streamKey: first.streamKey });
  const another = await api.call(
    '/v1/streams',
    201,
    StreamWithKey,
    post({ title: 'Once' }, { 'idempotency-key': 'retry-2' }),
  );
  expect(another.id).not.toBe(first.id);
});

test('the list comes in pages, newest first, each stream once', async ({ scene: { api, other } }) => {
  for (const id of ['page-1', 'page-2', 'page-3']) await api.create({ title: id, id });
  const seen: string[] = [];
  let cursor: string | undefined = '';
  for (let pages = 0; cursor !== undefined; pages += 1) {
    if (pages === 50) throw new Error('the list has more than 50 pages of 2');
    const page: StreamPage = await other.call(
      `/v1/streams?limit=2${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      200,
      StreamPage,
    );
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  expect(seen.slice(0, 3)).toEqual(['page-3', 'page-2', 'page-1']);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toContain('demo');
});

test('while on air health, /v1/live, /v1/cluster, the edges and the CLI tell the same at both nodes', async ({
  own,
}) => {
  const { cluster, api, other } = own;
  expect(await api.health('demo')).toMatchObject({ state: 'offline', reason: 'never on air' });
  const [neighbour, ingest] = cluster.nodes;
  if (neighbour === undefined || ingest === undefined) throw new Error('there are no two nodes');
  await using _encoder = publish(`${ingest.rtmp}/${cluster.stream.key}`, flashAndBeep(426, 240), x264(25, 1));
  await expect
    .poll(() => api.health('demo'))
    .toMatchObject({ state: 'live', input: { width: 426, height: 240 } });
  const health = await healthUntil(cluster, ingest, ({ state }) => state === 'live');
  const owner = ingest.node;
  expect(health).toMatchObject({ owner, successors: [neighbour.node] });
  expect(health.input).toMatchObject({ videoCodec: 'H.264', warnings: [] });
  expect(health.renditions.map(({ name, gaps }) => [name, gaps])).toEqual([
    [expect.stringMatching(/^h264-/), 0],
    [expect.stringMatching(/^aac-/), 0],
  ]);
  for (const client of [api, other]) await expectOnAir(cluster, client, health);
  const { epoch, reason } = health;
  await expect
    .poll(() => cli(cluster, ['who', 'demo'], StreamHealth))
    .toMatchObject({ state: 'live', owner, epoch, reason });
  const asked = (): Promise<StreamHealth> => cli(cluster, ['streams', 'health', 'demo'], StreamHealth);
  await expect.poll(asked).toMatchObject({ state: 'live', owner });
  const nodes = await cli(cluster, ['nodes'], ClusterView.shape.nodes);
  expect(nodes.map(({ id, load }) => `${id} ${load.streams} ${load.onAir}`).toSorted()).toEqual(
    cluster.nodes.map(({ node }) => `${node} ${node === owner ? '1 1' : '0 0'}`).toSorted(),
  );
  expect(await cli(cluster, ['regions'], RegionsView)).toMatchObject({
    topologyVersion: 0,
    regions: [{ id: cluster.regions[0]?.id, isOwn: true, isReached: true, nodes: 2, alive: 2 }],
  });
});

async function expectOnAir(
  cluster: TestCluster,
  client: ControlClient,
  { owner, epoch }: StreamHealth,
): Promise<void> {
  await expect
    .poll(() => client.call('/v1/live', 200, LiveStreams))
    .toMatchObject({
      items: [{ id: 'demo', state: 'live', page: '/watch/demo', viewers: expect.any(Number) }],
    });
  const view = await client.call('/v1/cluster', 200, ClusterView);
  expect(view.placements).toMatchObject([{ streamId: 'demo', owner, epoch }]);
  expect(view.nodes.map(({ state }) => state)).toEqual(['alive', 'alive']);
  const { items } = await client.call('/v1/streams/demo/edges', 200, EdgeList);
  expect(items.map(({ url }) => url).toSorted()).toEqual(cluster.nodes.map(({ url }) => url).toSorted());
}

const portOf = (cluster: TestCluster, node: number): number =>
  Number(new URL((cluster.nodes[node]?.rtmp ?? '').replace('rtmp:', 'http:')).port);

/** Publishes in real time until told otherwise. */
async function onAir(cluster: TestCluster, key: string, node: number) {
  const feed = await makeFeed({ seconds: 6, size: '320x180', gop: 25 });
  const { publisher, status } = await RtmpPublisher.publish({ port: portOf(cluster, node), key });
  expect(status).toMatchObject({ code: 'NetStream.Publish.Start' });
  const sending = publisher.send(feed, { speed: 1, loops: 100 });
  return {
    /** What it is told when it is sent away. */
    said: async () => {
      const refusal = await publisher.refused;
      await publisher.closed;
      await sending;
      return refusal?.description;
    },
    [Symbol.asyncDispose]: () => publisher[Symbol.asyncDispose](),
  };
}

// Goal: a leaked key can be taken back on air. Method: rotate and delete at one node while the publisher is at the other.
test('a new key and a delete disconnect the publisher at the other node with the reason; the old key is refused', async ({
  own,
}) => {
  const { cluster, api } = own;
  const { id, streamKey } = await api.create({ title: 'Leaked' });
  await using first = await onAir(cluster, streamKey, 1);
  const rotated = await api.call(`/v1/streams/${id}/key`, 200, StreamWithKey, { method: 'POST' });
  expect(rotated.streamKey).not.toBe(streamKey);
  expect(await first.said()).toBe('STREAM_KEY_UNKNOWN: the stream key was changed');
  const { status } = await RtmpPublisher.publish({ port: portOf(cluster, 0), key: streamKey });
  expect(status?.description).toBe(`STREAM_KEY_UNKNOWN: ${catalogue.STREAM_KEY_UNKNOWN.title}`);
  // Until the old session has given its last segment to the owner, a newcomer would be its rival (C2).
  await expect.poll(() => api.health(id)).toMatchObject({ state: 'offline' });
  await using second = await onAir(cluster, rotated.streamKey, 1);
  expect(await api.status('DELETE', `/v1/streams/${id}`)).toBe(204);
  expect(await second.said()).toBe('STREAM_REMOVED: the stream was deleted');
  await expectRemoved(own, { id, key: rotated.streamKey, oldKey: streamKey });
  // What was on air is still somebody's, and counts no more.
  const counts = async () =>
    (await cli(cluster, ['nodes'], ClusterView.shape.nodes)).map(({ load }) => [
      load.onAir,
      load.streams > 0,
    ]);
  await expect.poll(counts).toEqual(expect.arrayContaining([[0, true]]));
  await expect.poll(async () => (await counts()).map(([count]) => count)).toEqual([0, 0]);
});

/** Both nodes refuse it to viewers and publishers, with the reason, and its id to who would take it. */
async function expectRemoved(
  { cluster, other }: Scene,
  { id, key, oldKey }: { readonly id: string; readonly key: string; readonly oldKey: string },
): Promise<void> {
  for (const [index, { url }] of cluster.nodes.entries()) {
    for (const path of [`/v1/streams/${id}/public`, `/live/${id}/main.m3u8`, `/live/${id}/manifest.mpd`])
      await expect.poll(async () => [path, (await fetch(url + path)).status]).toEqual([path, 410]);
    const { status } = await RtmpPublisher.publish({ port: portOf(cluster, index), key });
    expect(status?.description).toBe(
      `STREAM_REMOVED: The stream ${id} of this key was removed: publish with the key of another stream.`,
    );
    const old = await RtmpPublisher.publish({ port: portOf(cluster, index), key: oldKey });
    expect(old.status?.description).toBe(`STREAM_KEY_UNKNOWN: ${catalogue.STREAM_KEY_UNKNOWN.title}`);
  }
  expect(await other.call('/v1/streams', 409, Problem, post({ title: 'Again', id }))).toMatchObject({
    code: 'CONFLICT',
    detail: expect.stringMatching(/^There was a stream .*, removed on .*: its id stays taken until /),
  });
}

// Goal: who deletes the demo's stream has it again at the next start. Method: what `tangaza up` does for it, on the running nodes' file.
test('the demo revives its own stream: nodes that refused it show it again', async ({
  scene: { cluster, api },
}) => {
  const statuses = () =>
    Promise.all(cluster.nodes.map(async ({ url }) => (await fetch(`${url}/v1/streams/demo/public`)).status));
  expect(await statuses()).toEqual([200, 200]);
  expect(await api.status('DELETE', '/v1/streams/demo')).toBe(204);
  await expect.poll(statuses).toEqual([410, 410]);
  await ensureDemoStream(cluster.regions[0]?.dataDir ?? '', cluster.stream.key, systemClock);
  await expect.poll(statuses).toEqual([200, 200]);
});

async function cli<S extends z.ZodType>(
  { url, token }: TestCluster,
  args: readonly string[],
  schema: S,
): Promise<z.output<S>> {
  const { code, stdout, stderr } = await runCli([...args, '--json', '--url', url], token);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return parseWhole(schema, JSON.parse(stdout), args.join(' '));
}

test('the CLI creates, shows, lists, re-keys and deletes a stream, in JSON and in words', async ({
  scene,
}) => {
  const { cluster } = scene;
  const created = await cli(cluster, ['streams', 'create', 'By hand', '--id', 'by-hand'], StreamWithKey);
  expect(created.title).toBe('By hand');
  expect(await cli(cluster, ['streams', 'show', 'by-hand'], StreamView)).toMatchObject({
    id: 'by-hand',
    title: 'By hand',
  });
  expect(
    (await cli(cluster, ['streams', 'list', '--limit', '1'], StreamPage)).items.map(({ id }) => id),
  ).toEqual(['by-hand']);
  expect((await cli(cluster, ['streams', 'rotate-key', 'by-hand'], StreamWithKey)).streamKey).not.toBe(
    created.streamKey,
  );
  const words = await runCli(['streams', 'show', 'by-hand', '--url', cluster.url], cluster.token);
  expect(words.stdout).toMatch(/^by-hand: By hand \(ladder default\)\n {2}primary .*rtmp:/);
  expect(await cli(cluster, ['streams', 'delete', 'by-hand'], z.object({ deleted: z.string() }))).toEqual({
    deleted: 'by-hand',
  });
});

test('with nobody suspected the word that lifts the brake gives nobody up', async ({
  scene: { cluster, api, other },
}) => {
  const given = await other.call('/v1/cluster/release', 202, ReleaseView, { method: 'POST' });
  expect(given).toEqual({ released: [] });
  const said = await runCli(['release', '--url', cluster.url], cluster.token);
  expect(said).toEqual({ code: 0, stdout: 'No node is suspected: nothing is held.\n', stderr: '' });
  const { nodes } = await api.call('/v1/cluster', 200, ClusterView);
  expect(nodes.map(({ state }) => state)).toEqual(['alive', 'alive']);
  const stranger = controlClient(cluster.url, 'wrong');
  expect(await stranger.status('POST', '/v1/cluster/release')).toBe(401);
});

test('the CLI fails with 1 and a sentence, and with 2 for wrong use', async ({ scene: { cluster } }) => {
  const failures: [readonly string[], CliResult][] = [
    [
      ['streams', 'show', 'nobody'],
      { code: 1, stdout: '', stderr: 'tangaza: There is no stream nobody. (STREAM_NOT_FOUND)\n' },
    ],
    [
      ['who', 'nobody'],
      { code: 1, stdout: '', stderr: 'tangaza: There is no stream nobody. (STREAM_NOT_FOUND)\n' },
    ],
    [
      ['streams', 'list', '--limit', '0'],
      {
        code: 1,
        stdout: '',
        stderr: 'tangaza: The query parameter limit must be at least 1; 0 was given. (BAD_REQUEST)\n',
      },
    ],
    [
      ['streams', 'create'],
      {
        code: 2,
        stdout: '',
        stderr: "error: missing required argument 'title'\n(add --help for how to use it)\n",
      },
    ],
    [
      ['nodes', '--bogus'],
      { code: 2, stdout: '', stderr: "error: unknown option '--bogus'\n(add --help for how to use it)\n" },
    ],
  ];
  for (const [args, expected] of failures) {
    const url = expected.code === 1 ? ['--url', cluster.url] : [];
    expect(await runCli([...args, ...url], cluster.token)).toEqual(expected);
  }
  const stranger = await runCli(['nodes', '--url', cluster.url], 'wrong');
  expect(stranger).toMatchObject({ code: 1, stderr: expect.stringContaining('(UNAUTHENTICATED)') });
  const alone = await runCli(['nodes', '--url', 'http://127.0.0.1:9'], cluster.token);
  expect(alone).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no node answers at http://127.0.0.1:9: is the cluster up?'),
  });
});

test('/openapi.json lists every path that is promised, and every page is there', async ({
  scene: { cluster },
}) => {
  const Document = z.object({
    openapi: z.string(),
    paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))),
  });
  const { openapi, paths } = Document.parse(await (await fetch(`${cluster.url}/openapi.json`)).json());
  expect(openapi).toMatch(/^3\.1\./);
  const listed = Object.fromEntries(
    Object.entries(paths).map(([path, methods]) => [path, Object.keys(methods).toSorted()]),
  );
  expect(listed).toEqual(promisedRoutes);
  for (const page of ['/', '/ops', '/watch/demo', '/embed/demo']) {
    const reply = await fetch(cluster.url + page);
    expect({ page, status: reply.status, type: reply.headers.get('content-type')?.split(';')[0] }).toEqual({
      page,
      status: 200,
      type: 'text/html',
    });
    await reply.arrayBuffer();
  }
});

// Goal: nobody asks the dead. Method: SIGKILL the other node; each call in the seconds before its death is known must be answered.
test('the API of a node and its key check answer at once after the other node was killed', async ({
  own,
}) => {
  const { cluster, api } = own;
  const metrics = async () => (await fetch(`${cluster.nodes[0]?.operator}/metrics`)).text();
  await expect.poll(metrics).toMatch(/^tangaza_members_alive\S* 2$/m);
  await cluster.nodes[1]?.process.kill('SIGKILL');
  for (let count = 0; count < 10; count += 1) {
    await api.call('/v1/cluster', 200, ClusterView);
    await api.call('/v1/streams?limit=1', 200, StreamPage);
    const { status } = await RtmpPublisher.publish({ port: portOf(cluster, 0), key: 'nobody' });
    expect(status?.description).toBe(`STREAM_KEY_UNKNOWN: ${catalogue.STREAM_KEY_UNKNOWN.title}`);
  }
});
