/** What the CLI says where something answers that is no node. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ClusterView } from '../../../cluster/contract/api/control-views.ts';
import { callApi } from '../../../scripts/client/api.ts';

async function answering(status: number, body: string) {
  const server = createServer((_, reply) => void reply.writeHead(status).end(body));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => server.close() };
}

// As they once were: "Unexpected token '<'", and ten lines of JSON about fields.
test.each([
  [200, '<!doctype html>'],
  [200, '{"hello":"world"}'],
  [200, ''],
])('an answer %i %j is not taken for one of a node, and its address is named', async (status, body) => {
  using server = await answering(status, body);
  const asked = callApi({ url: server.url, token: 'any' }, { path: '/v1/cluster' }, ClusterView);
  await expect(asked).rejects.toThrow(
    `${server.url} answers, but not as a node of this version of Tangaza does: is it one?`,
  );
});

test('what is no answer of a node is not taken for nothing', async () => {
  using server = await answering(200, '<!doctype html>');
  const asked = callApi(
    { url: server.url, token: 'any' },
    { method: 'DELETE', path: '/v1/streams/a' },
    z.undefined(),
  );
  await expect(asked).rejects.toThrow('is it one?');
});

test('a refusal without a problem document is told by its status', async () => {
  using server = await answering(502, '<h1>Bad gateway</h1>');
  const asked = callApi({ url: server.url, token: 'any' }, { path: '/v1/cluster' }, ClusterView);
  await expect(asked).rejects.toThrow('the node answered 502');
});
