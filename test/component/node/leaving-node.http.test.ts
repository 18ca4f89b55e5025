/** The CLI watches a node leave, over real HTTP: whoever it asked may be gone itself. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { LeavingNode } from '../../../scripts/client/leaving-node.ts';

interface ToldNode {
  readonly id: string;
  readonly bootId: string;
  readonly http: string;
  readonly state?: string;
}

interface Api extends AsyncDisposable {
  readonly url: string;
  readonly asked: () => number;
}

/** A control API that tells of `nodes`. */
async function serve(nodes: () => readonly ToldNode[], status = 200): Promise<Api> {
  let asked = 0;
  const server = createServer((_, reply) => {
    asked += 1;
    reply.writeHead(status, { connection: 'close' }).end(JSON.stringify(viewOf(nodes())));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Where nobody listens any more. */
async function closedUrl(): Promise<string> {
  await using api = await serve(() => []);
  return api.url;
}

const viewOf = (nodes: readonly ToldNode[]) => ({
  regions: [],
  nodes: nodes.map((node) => ({
    state: 'alive',
    region: 'r1',
    host: 'h',
    pid: 1,
    roles: [],
    load: { streams: 0 },
    rtmp: 'rtmp://h',
    ...node,
  })),
  placements: [],
  asOf: '2026-11-24T12:00:00.000Z',
});

const watch = (url: string): LeavingNode => new LeavingNode('n1', { url, token: 't', data: '' });

test('when the node that was asked is the one that leaves, the others tell, and go on being asked', async () => {
  const told: ToldNode[] = [];
  const first = await serve(() => told);
  await using second = await serve(() => told.slice(1));
  await using broken = await serve(() => [], 503);
  told.push({ id: 'n1', bootId: 'b1', http: first.url });
  told.push({ id: 'n2', bootId: 'b2', http: second.url }, { id: 'n3', bootId: 'b3', http: broken.url });
  const leaving = watch(first.url);
  expect(await leaving.look()).toMatchObject({ id: 'n1', bootId: 'b1' });
  await first[Symbol.asyncDispose]();
  expect(await leaving.look()).toBeUndefined();
  expect(await leaving.look()).toBeUndefined();
  expect({ secondAsked: second.asked(), brokenAsked: broken.asked() }).toEqual({
    secondAsked: 2,
    brokenAsked: 1,
  });
});

test('a node that was started again has left', async () => {
  let bootId = 'b1';
  await using api = await serve(() => [{ id: 'n1', bootId, http: '' }]);
  const leaving = watch(api.url);
  expect(await leaving.look()).toMatchObject({ bootId: 'b1' });
  bootId = 'b2';
  expect(await leaving.look()).toBeUndefined();
});

test('the last node has left when its port is closed; with others there, nobody can tell', async () => {
  const others: ToldNode[] = [];
  for (const [state, isTold] of [
    ['dead', true],
    ['alive', false],
  ] as const) {
    others.splice(0, 1, { id: 'n2', bootId: 'b2', http: await closedUrl(), state });
    const api = await serve(() => [{ id: 'n1', bootId: 'b1', http: '' }, ...others]);
    const leaving = watch(api.url);
    await leaving.look();
    await api[Symbol.asyncDispose]();
    const seen = leaving.look();
    if (isTold) expect(await seen).toBeUndefined();
    else await expect(seen).rejects.toThrow('no node answers');
  }
});

test('a URL that never answered is no node that has left', async () => {
  await expect(watch(await closedUrl()).look()).rejects.toThrow('no node answers');
});
