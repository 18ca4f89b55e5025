/** A demo's folder of one region becomes one of two, and one of one again (R1). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StreamPage, StreamView } from '../../../cluster/contract/api/control-views.ts';
import { controlClient } from '../../support/cluster/control-client.ts';
import { startTestCluster } from '../../support/cluster/demo.ts';

// Goal: nobody loses a stream, a key or the token by a second region, nor by its end. Method: a folder is started with one region, two and one,
// each time on other ports.
test('a cluster of one region becomes one of two without loss, and one of one again', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tangaza-grows-'));
  const tokens = new Set<string>();
  const streams: string[] = [];
  for (const regions of [1, 2, 1]) {
    await using cluster = await startTestCluster({ dataDir, regions, nodes: 1 });
    tokens.add(cluster.token);
    const client = controlClient(cluster.url, cluster.token);
    if (streams.length === 0) await client.create({ id: 'news', title: 'News' });
    const { items } = await client.call('/v1/streams', 200, StreamPage);
    streams.push(
      items
        .map(({ id }) => id)
        .toSorted()
        .join(),
    );
    expect(await client.call('/v1/streams/news', 200, StreamView)).toMatchObject({ title: 'News' });
  }
  expect({ streams, tokens: tokens.size }).toEqual({
    streams: ['demo,news', 'demo,news', 'demo,news'],
    tokens: 1,
  });
  await rm(dataDir, { recursive: true, force: true });
});
