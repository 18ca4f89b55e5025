/** What tells of the machine: who may read it on the viewers' port, and on the operator port. */
import { expect, test } from 'vitest';
import { allRoutes } from '../../../actors/edge-delivery/edge.ts';
import { makeNodeApi } from '../../../actors/edge-delivery/http/node-api.ts';
import { NodePort } from '../../../actors/edge-delivery/node-port.ts';
import { uwsServer } from '../../../actors/edge-delivery/http/http.uws.ts';
import { NodeId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { freePort } from '../../../scripts/demo/free-port.system.ts';
import { rawRequest } from '../../support/cluster/raw-http.ts';
import { operatorToken, startTestEdge } from '../../support/ports/test-edge.ts';

const metricsToken = 'scrape-token-of-a-test';
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function startOperatorPort(isLocalPort: boolean) {
  const port = await freePort();
  let rendered = 0;
  const renderMetrics = async () => ({ text: `a ${++rendered}`, contentType: 'text/plain' });
  const listener = new NodePort({
    name: 'the operator port',
    at: { host: '127.0.0.1', port },
    server: uwsServer({ clock, metrics: noMetrics, logger: silentLogger, listener: 'operator' }),
    api: makeNodeApi({
      node: NodeId.parse('n1'),
      clock,
      access: { operatorToken, metricsToken, isLocalPort },
      ownUrl: 'http://own.test:8080',
      readiness: () => [{ name: 'nats', isReady: true, detail: 'gone for 7 ms' }],
      renderMetrics,
      routes: allRoutes,
    }),
    logger: silentLogger,
  });
  await listener.listen();
  return { port, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => listener.close() };
}

// As it once was: anybody who could see a stream could read the user, the addresses and the arguments of the process.
test("on the viewers' port metrics want the operator's token or the one for scrapes, which opens nothing else", async () => {
  await using edge = await startTestEdge({ metricsToken });
  const statusOf = async (path: string, init = {}) => (await fetch(edge.url + path, init)).status;
  const refused = await fetch(`${edge.url}/metrics`);
  expect({ status: refused.status, body: await refused.json() }).toMatchObject({
    status: 401,
    body: { code: 'UNAUTHENTICATED' },
  });
  expect(await statusOf('/metrics', bearer('another'))).toBe(401);
  expect(await statusOf('/metrics', bearer(metricsToken))).toBe(200);
  expect(await statusOf('/v1/streams', bearer(metricsToken))).toBe(401);
  const scraped = await fetch(`${edge.url}/metrics`, bearer(operatorToken));
  expect(await scraped.text()).toContain('# TYPE tangaza_http_responses_total counter');
});

test('the operator port wants no token of callers of this host, and serves nothing for viewers', async () => {
  await using port = await startOperatorPort(true);
  expect(await (await fetch(`${port.url}/metrics`)).text()).toBe('a 1');
  expect(await (await fetch(`${port.url}/readyz`)).json()).toMatchObject({
    parts: [{ detail: 'gone for 7 ms' }],
  });
  expect((await fetch(`${port.url}/healthz`)).status).toBe(200);
  for (const path of ['/', '/v1/streams', '/live/demo/main.m3u8']) {
    const reply = await fetch(port.url + path, bearer(operatorToken));
    expect({ path, status: reply.status, body: await reply.json() }).toMatchObject({
      path,
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
  }
});

test.each([
  ['a page of another origin', 'Host: 127.0.0.1\r\nOrigin: http://evil.test'],
  ['a name that was bound to this host', 'Host: evil.test'],
])('%s reads nothing through a browser on this host', async (_name, headers) => {
  await using port = await startOperatorPort(true);
  const reply = await rawRequest(port.port, `GET /metrics HTTP/1.1\r\n${headers}\r\n\r\n`, {
    until: /\r\n\r\n[^]*}$/,
  });
  expect(reply).toMatch(/^HTTP\/1\.1 401 /);
});

test('an operator port that others can reach wants a token', async () => {
  await using port = await startOperatorPort(false);
  expect((await fetch(`${port.url}/metrics`)).status).toBe(401);
  expect((await fetch(`${port.url}/metrics`, bearer(metricsToken))).status).toBe(200);
});

test('however often metrics are asked for, they are made once in a second', async () => {
  await using port = await startOperatorPort(true);
  const texts = await Promise.all(
    Array.from({ length: 50 }, async () => (await fetch(`${port.url}/metrics`)).text()),
  );
  expect(new Set(texts).size).toBeLessThan(10);
});
