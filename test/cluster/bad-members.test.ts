/** Bad input to the cluster itself, on real processes: nodes that may not be members, and an operator who spoils its buckets (C3, C5). */
import { createHash } from 'node:crypto';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { expect, test as plain } from 'vitest';
import { ClusterView } from '../../cluster/contract/api/control-views.ts';
import { RegionId } from '../../cluster/model/ids.ts';
import { loadSecrets } from '../../config/secrets.disk.ts';
import { ensureTokenKeys } from '../../config/token-keys.disk.ts';
import type { DemoNode, DemoRegion } from '../../scripts/demo/site.ts';
import { controlClient } from '../support/cluster/control-client.ts';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../support/media/ffmpeg-publisher.ts';
import {
  accountOf,
  breaksIn,
  deathsIn,
  decidedLog,
  grownBy,
  nothingLost,
  playing,
} from '../support/cluster/live-cluster.ts';
import { startNode } from '../support/cluster/member-nodes.ts';
import { runNode } from '../support/cluster/more-nodes.ts';
import { regionNamed } from '../../cluster/model/region-words.ts';

interface Scene {
  readonly cluster: TestCluster;
  readonly region: DemoRegion;
  readonly owner: DemoNode;
  readonly other: DemoNode;
  readonly publisher: FfmpegPublisher;
  readonly nats: NatsConnection;
  /** What was seen before anything was done to it. */
  readonly healthy: unknown;
}

/** Two nodes with a stream on air, published at the first. */
async function startScene(resources: AsyncDisposableStack): Promise<Scene> {
  const cluster = resources.use(await startTestCluster());
  const [owner, other] = cluster.nodes;
  const [region] = cluster.regions;
  if (owner === undefined || other === undefined || region === undefined) throw new Error('no cluster');
  const nats = await connect({ servers: region.natsUrl });
  resources.defer(() => nats.close());
  const input = flashAndBeep(426, 240, 12);
  const publisher = resources.use(publish(`${owner.rtmp}/${cluster.stream.key}`, input, x264(12, 2)));
  for (const node of cluster.nodes) await playing(node);
  return { cluster, region, owner, other, publisher, nats, healthy: await seen(cluster) };
}

/** Shared by tests that must leave it as it was; the last one ends its broadcast. */
const test = plain
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern what the fixture needs: nothing
  .extend('scene', { scope: 'file' }, ({}, { onCleanup }) => {
    const resources = new AsyncDisposableStack();
    onCleanup(() => resources.disposeAsync());
    return startScene(resources);
  });

/** Who is a member in which life, and who owns the stream since when, as each node tells it. */
async function seen(cluster: TestCluster): Promise<unknown> {
  const looks = cluster.nodes.map(async ({ url }) => {
    const api = controlClient(url, cluster.token);
    const { nodes, placements } = await api.call('/v1/cluster', 200, ClusterView);
    const { owner: owns, epoch, ownedBecause, successors } = await api.health('demo');
    const members = nodes.map(({ id, bootId, pid, state }) => ({ id, bootId, pid, state }));
    const records = placements.map(({ streamId, owner: node, epoch: of }) => `${streamId} ${node} ${of}`);
    return { members, records, health: { owns, epoch, ownedBecause, successors } };
  });
  return Promise.all(looks);
}

// The cluster is undisturbed: whoever was a member still is, in the same life, and nobody was taken for gone. But for one that the
// machine let stand still: that was lawful, and others live and own from then on.
test.afterEach(async ({ scene: { cluster, healthy } }) => {
  const undisturbed = async () => ((await deathsIn(cluster)).lawful.length > 0 ? healthy : seen(cluster));
  await expect.poll(undisturbed, { timeout: 60_000 }).toEqual(healthy);
  const unlawful = async () => (await deathsIn(cluster)).unlawful;
  await expect.poll(unlawful).toEqual([]);
});

// Method: it has a folder of its own, with the secrets of the cluster, as on another host.
test('the second of two nodes with one id ends, and is told which one runs and what to set', async ({
  scene: { cluster, region, other },
}) => {
  const folder = join(cluster.dataDir, 'of-another-host');
  await mkdir(folder);
  await copyFile(join(region.dataDir, 'secrets.json'), join(folder, 'secrets.json'));
  const { code, stderr } = await runNode(cluster, other.node, { TANGAZA_DATA_DIR: folder });
  expect(stderr).toContain(`A node ${other.node} runs already (process ${other.process.pid} on `);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('): set another TANGAZA_NODE_ID.'),
  });
});

test('the second of two nodes with one id in one folder ends, and is told which process has it', async ({
  scene: { cluster, region, other },
}) => {
  const { code, stderr } = await runNode(cluster, other.node);
  expect(stderr).toContain(
    `a node ${other.node} runs already in the data folder ${region.dataDir}, as process `,
  );
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining(`process ${other.process.pid} (`),
  });
});

test('a node with the secrets of another cluster ends, and is told where to get those of this one', async ({
  scene: { cluster, region },
}) => {
  const { code, stderr } = await runNode(cluster, 'stranger', {
    TANGAZA_DATA_DIR: join(cluster.dataDir, 'of-another-cluster'),
  });
  expect(stderr).toContain(`stranger has another secret than the cluster in ${regionNamed(region.id)}`);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('give it the secrets of this cluster'),
  });
});

/** A node of another region has a key of its own, or it would not come so far. */
function keysFor({ dataDir }: DemoRegion, other: string): string {
  const file = join(dataDir, `keys-of-${other}.json`);
  ensureTokenKeys(file, [RegionId.parse(other)]);
  return file;
}

// Method: no node can be told its protocol, so a member of a later one is there first, in a region of its own.
test('a node of an earlier version than its region ends, and is told to run the same version', async ({
  scene: { cluster, region },
}) => {
  const { streamKeySecret } = loadSecrets(region.dataDir);
  const secretHash = createHash('sha256').update(`membership:${streamKeySecret}`).digest('hex');
  const change = { region: RegionId.parse('region-2'), protocol: 2 };
  await using _newer = await startNode({ url: region.natsUrl }, 'newer', { change, secretHash });
  const { code, stderr } = await runNode(cluster, 'older', {
    TANGAZA_REGION: 'region-2',
    TANGAZA_TOKEN_KEYS: keysFor(region, 'region-2'),
  });
  expect(stderr).toContain('older speaks protocol 1, newer speaks 2');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('run the same version on both'),
  });
});

// Method: as with the version; the member says that it runs on another host.
test('a node that keeps segments on its disk ends beside a member on another host, and is told what to set', async ({
  scene: { cluster, region },
}) => {
  const { streamKeySecret } = loadSecrets(region.dataDir);
  const secretHash = createHash('sha256').update(`membership:${streamKeySecret}`).digest('hex');
  const change = { region: RegionId.parse('region-3'), host: 'far-away', store: 's3' } as const;
  await using _far = await startNode({ url: region.natsUrl }, 'far', { change, secretHash });
  const { code, stderr } = await runNode(cluster, 'near', {
    TANGAZA_REGION: 'region-3',
    TANGAZA_TOKEN_KEYS: keysFor(region, 'region-3'),
  });
  expect(stderr).toContain(
    'keeps segments on its disk (TANGAZA_STORE=disk), where far on another host, far-away',
  );
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('set TANGAZA_STORE=s3') });
});

test('a node whose settings make no sense ends with all its faults, and touches nothing', async ({
  scene: { cluster },
}) => {
  const { code, stderr } = await runNode(cluster, 'No Such Id', { TANGAZA_ROLES: 'viewer' });
  expect(code).toBe(2);
  expect(stderr).toMatch(/TANGAZA_NODE_ID: lower-case letters.*\n.*TANGAZA_ROLES: no such role: viewer/);
});

interface Spoiling {
  readonly what: string;
  readonly bucket: 'members' | 'ownership';
  readonly key: 'view' | 'demo';
  readonly how: 'purge' | 'corrupt';
}

const spoilings: readonly Spoiling[] = [
  { what: 'the membership bucket is emptied', bucket: 'members', key: 'view', how: 'purge' },
  { what: 'the membership view is corrupt', bucket: 'members', key: 'view', how: 'corrupt' },
  { what: 'the ownership bucket is emptied', bucket: 'ownership', key: 'demo', how: 'purge' },
  { what: 'an ownership record is corrupt', bucket: 'ownership', key: 'demo', how: 'corrupt' },
];

/** What the key holds in the server; empty where there is nothing. */
async function kept({ nats, region }: Scene, { bucket, key }: Spoiling): Promise<string> {
  const entry = await new Kvm(nats)
    .open(`${bucket}-${region.id}`)
    .then((kv) => kv.get(key))
    .catch(() => null);
  return entry?.operation === 'PUT' ? entry.string() : '';
}

async function spoil({ nats, region }: Scene, { bucket, key, how }: Spoiling): Promise<void> {
  const name = `${bucket}-${region.id}`;
  if (how === 'purge') await (await jetstreamManager(nats)).streams.purge(`KV_${name}`);
  else await (await new Kvm(nats).open(name)).put(key, '{"epoch":');
}

/** Those who must be named there again. */
const namesIn = ({ cluster, owner }: Scene, { bucket }: Spoiling): readonly string[] =>
  bucket === 'members' ? cluster.nodes.map(({ node }) => node) : [owner.node];

// Goal: what an operator takes away under a live stream is written again by those whose it is, and moves nothing. Method: the
// server's bucket is spoilt; it must name the same members, or the same owner, again, while the stream goes on.
test.for(spoilings)(
  '$what under a live stream: it is written again, and nothing moves',
  async (spoiling, { scene }) => {
    await spoil(scene, spoiling);
    const isWhole = async (): Promise<boolean> => {
      const text = await kept(scene, spoiling);
      return text.endsWith('}') && namesIn(scene, spoiling).every((name) => text.includes(`"${name}"`));
    };
    await expect.poll(isWhole, { timeout: 60_000 }).toBe(true);
  },
);

test('after all that the stream goes on: nothing was lost, in one period and one epoch', async ({
  scene: { cluster, other, publisher },
}) => {
  expect(breaksIn(await grownBy(other, 1))).toEqual({ gaps: 0, discontinuities: 0 });
  expect(publisher.output()).toBe('');
  await publisher.kill('SIGTERM');
  const account = accountOf(await decidedLog(cluster, other));
  const { lawful } = await deathsIn(cluster);
  expect(account).toEqual({ ...nothingLost, opens: lawful.length > 0 ? expect.any(Number) : 1 });
});
