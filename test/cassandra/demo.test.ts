/** The demo with `--comments cassandra`: two nodes share what is said and which streams there are, and a second start has it all. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { startDemoCluster, type DemoCluster } from '../../scripts/demo/demo-cluster.ts';
import { clientIdAt } from '../support/audience/written.ts';
import { patience } from '../support/cluster/demo.ts';
import { waitFor } from '../support/wait.ts';

const Guest = z.object({ token: z.string() });
const Page = z.object({ items: z.array(z.object({ text: z.string() })) });

const startDemo = (dataDir: string): Promise<DemoCluster> =>
  startDemoCluster({
    regions: 1,
    nodes: 2,
    hasPublisher: false,
    store: 'disk',
    comments: 'cassandra',
    portBase: 0,
    rtmpBase: 0,
    dataDir,
    readyWithinMs: 120_000,
    ...patience,
  });

const urlOf = ({ nodes }: DemoCluster, index: number): string => nodes[index]?.url ?? '';

async function ask(url: string, token: string, body?: object): Promise<unknown> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function textsAt(cluster: DemoCluster, index: number): Promise<readonly string[]> {
  const page = Page.parse(await ask(`${urlOf(cluster, index)}/v1/streams/demo/comments`, ''));
  return page.items.map(({ text }) => text);
}

// Goal: streams and comments outlive the processes, and are the same at each node. Method: a comment by one node and a stream by its API,
// read at the other one; everything is stopped and started on the same folder; both are there.
test(
  'what is said at one node is read at the other, and again after the next start',
  { timeout: 300_000 },
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'tangaza-demo-'));
    const seen = (cluster: DemoCluster, index: number) =>
      waitFor(
        'the comment is there',
        () => textsAt(cluster, index),
        (texts) => texts.includes('hello'),
      );
    try {
      {
        await using cluster = await startDemo(dataDir);
        const [here, there] = [urlOf(cluster, 0), urlOf(cluster, 1)];
        const { token } = Guest.parse(await ask(`${here}/v1/guests`, '', { name: 'Ada' }));
        const comment = { text: 'hello', clientId: clientIdAt(Date.now()) };
        await ask(`${here}/v1/streams/demo/comments`, token, comment);
        await ask(`${here}/v1/streams`, cluster.token, { id: 'second', title: 'Second' });
        expect(await seen(cluster, 1)).toEqual(['hello']);
        expect(await ask(`${there}/v1/streams/second`, cluster.token)).toMatchObject({ title: 'Second' });
      }
      await using cluster = await startDemo(dataDir);
      expect(await seen(cluster, 1)).toEqual(['hello']);
      expect(await ask(`${urlOf(cluster, 0)}/v1/streams/second`, cluster.token)).toMatchObject({
        title: 'Second',
      });
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  },
);
