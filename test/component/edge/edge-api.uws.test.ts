/** The control API over a real listener: tokens, validation, errors of the actions, the document. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { RegionId } from '../../../cluster/model/ids.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { rawRequest } from '../../support/cluster/raw-http.ts';
import { operatorToken, startTestEdge, type EdgeSettings } from '../../support/ports/test-edge.ts';

const authorization = `Bearer ${operatorToken}`;
const json = { 'content-type': 'application/json', authorization };

const Faults = z.object({ issues: z.array(z.object({ at: z.string() })) });
const faultsOf = async (reply: Response): Promise<readonly string[]> =>
  Faults.parse(await reply.json()).issues.map(({ at }) => at);

/** Records what the actions are called with, and answers with `reply`. */
function recorder(reply: unknown = {}) {
  const calls: { action: string; input: RouteInput }[] = [];
  const call: EdgeSettings['call'] = async (action, input) => {
    calls.push({ action, input });
    if (reply instanceof Error) throw reply;
    return reply;
  };
  return { calls, call };
}

test('an action gets validated inputs, the origin and the idempotency key, and its reply is the body', async () => {
  const { calls, call } = recorder({ id: 'abc' });
  await using edge = await startTestEdge({ call });
  const created = await fetch(`${edge.url}/v1/streams`, {
    method: 'POST',
    headers: { ...json, 'idempotency-key': 'k-1' },
    body: JSON.stringify({ title: '  A title ' }),
  });
  expect({
    status: created.status,
    location: created.headers.get('location'),
    body: await created.json(),
  }).toEqual({ status: 201, location: '/v1/streams/abc', body: { id: 'abc' } });
  expect(calls).toEqual([
    {
      action: 'control.create',
      input: { params: {}, query: {}, body: { title: 'A title' }, origin: edge.url, idempotencyKey: 'k-1' },
    },
  ]);
  await fetch(`${edge.url}/v1/streams?limit=7`, { headers: { authorization } });
  expect(calls[1]).toMatchObject({ action: 'control.list', input: { query: { limit: 7 } } });
});

test('a delete has no body', async () => {
  await using edge = await startTestEdge(recorder());
  const reply = await fetch(`${edge.url}/v1/streams/abc`, { method: 'DELETE', headers: { authorization } });
  expect({ status: reply.status, text: await reply.text() }).toEqual({ status: 204, text: '' });
});

test.each([
  undefined,
  'Bearer wrong',
  'Bearer ',
  `Basic ${operatorToken}`,
  `Bearer ${operatorToken}x`,
  operatorToken,
])('authorization %j opens nothing', async (given) => {
  const { calls, call } = recorder();
  await using edge = await startTestEdge({ call });
  const reply = await fetch(
    `${edge.url}/v1/streams`,
    given === undefined ? {} : { headers: { authorization: given } },
  );
  expect({ status: reply.status, 'www-authenticate': reply.headers.get('www-authenticate') }).toEqual({
    status: 401,
    'www-authenticate': 'Bearer realm="tangaza"',
  });
  expect(await reply.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(calls).toEqual([]);
});

test('without a configured token operator routes are closed, public ones open', async () => {
  await using edge = await startTestEdge({ operatorToken: undefined, call: recorder({ items: [] }).call });
  expect(
    (await fetch(`${edge.url}/v1/streams`, { headers: { authorization: 'Bearer undefined' } })).status,
  ).toBe(401);
  expect((await fetch(`${edge.url}/v1/live`)).status).toBe(200);
});

test('all faults of a request are listed at once', async () => {
  await using edge = await startTestEdge(recorder());
  const reply = await fetch(
    `${edge.url}/v1/videos/demo/frames?deviceType=fridge&offsetSeconds=-5&durationSeconds=900`,
  );
  expect(reply.status).toBe(400);
  expect(await faultsOf(reply)).toEqual(['deviceType', 'offsetSeconds', 'durationSeconds']);
  const body = await fetch(`${edge.url}/v1/streams`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ title: '', ladder: 'A B', more: 1 }),
  });
  expect(await faultsOf(body)).toEqual(['title', 'ladder', '']);
});

test.each([
  ['not JSON', '{', 'application/json', 400],
  ['an array', '[]', 'application/json', 400],
  ['nothing', '', 'application/json', 400],
  ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'application/json', 400],
  ['a form', 'title=x', 'application/x-www-form-urlencoded', 415],
  ['in another charset', '{"title":"x"}', 'application/json; charset=latin1', 415],
])('a body that is %s is refused in words', async (_name, body, contentType, status) => {
  const { calls, call } = recorder();
  await using edge = await startTestEdge({ call });
  const reply = await fetch(`${edge.url}/v1/streams`, {
    method: 'POST',
    headers: { ...json, 'content-type': contentType },
    body,
  });
  expect(await reply.json()).toMatchObject({
    status,
    code: status === 400 ? 'BAD_REQUEST' : 'UNSUPPORTED_MEDIA_TYPE',
  });
  expect(calls).toEqual([]);
});

test('a body over 64 kB is refused, whether its length was told or not, and whether it comes or not', async () => {
  await using edge = await startTestEdge(recorder(), { bodyMs: 200 });
  const start = `POST /v1/streams HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\n`;
  expect(
    await rawRequest(edge.port, `${start}Content-Length: 1000000\r\n\r\n{`, { until: /\r\n\r\n.*}/ }),
  ).toMatch(/^HTTP\/1\.1 413[^]*BODY_TOO_LARGE/);
  const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;
  expect(
    await rawRequest(edge.port, `${start}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}`, {
      until: /\r\n\r\n.*}/,
    }),
  ).toMatch(/^HTTP\/1\.1 413/);
});

test('a body that does not come is given up on', async () => {
  await using edge = await startTestEdge(recorder(), { bodyMs: 200 });
  const start = `POST /v1/streams HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
  expect(await rawRequest(edge.port, start)).toMatch(/^HTTP\/1\.1 400[^]*did not arrive in time/);
});

test.each([
  [new TangazaError('STREAM_NOT_FOUND', 'There is no stream x.'), 404, 'STREAM_NOT_FOUND'],
  [Object.assign(new Error('gone'), { type: 'SERVICE_NOT_AVAILABLE', code: 404 }), 503, 'UNAVAILABLE'],
  [Object.assign(new Error('late'), { type: 'REQUEST_TIMEOUT', code: 504 }), 504, 'DEADLINE_EXCEEDED'],
  [Object.assign(new Error('of the wire'), { type: 'CONFLICT', code: 500 }), 409, 'CONFLICT'],
  [new Error('secret: hunter2'), 500, 'INTERNAL'],
])('an action that fails with %s is a problem %i', async (error, status, code) => {
  await using edge = await startTestEdge(recorder(error));
  const reply = await fetch(`${edge.url}/v1/streams/x`, { headers: { authorization } });
  expect({ status: reply.status, 'content-type': reply.headers.get('content-type') }).toEqual({
    status,
    'content-type': 'application/problem+json',
  });
  const problem = await reply.text();
  expect(JSON.parse(problem)).toMatchObject({ status, code });
  expect(problem).not.toContain('hunter2');
});

test('a preflight is answered, and a wrong method is told the right ones', async () => {
  await using edge = await startTestEdge(recorder());
  const asked = { method: 'OPTIONS', headers: { 'access-control-request-headers': 'cmcd-request' } };
  const preflight = await fetch(`${edge.url}/v1/streams/x`, asked);
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, PATCH, DELETE, HEAD, OPTIONS');
  expect(preflight.headers.get('access-control-allow-headers')).not.toContain('cmcd');
  for (const path of ['/live/demo/main.m3u8', '/live/demo/nothing/here.m4s']) {
    const { status, headers } = await fetch(edge.url + path, asked);
    expect({ status, 'access-control-allow-headers': headers.get('access-control-allow-headers') }).toEqual({
      status: 204,
      'access-control-allow-headers': expect.stringContaining('cmcd-request'),
    });
  }
  const wrong = await fetch(`${edge.url}/v1/streams/x`, { method: 'PUT', headers: json, body: '{}' });
  expect({ status: wrong.status, allow: wrong.headers.get('allow') }).toEqual({
    status: 405,
    allow: 'GET, PATCH, DELETE, HEAD, OPTIONS',
  });
});

// Goal: players of a region whose clock is 30 s ahead find the live edge. Method: an edge of `us` with such a clock serves a stream of `eu`; the address in its
// manifest is asked for the time.
test('where a clock is off, the address in a manifest gives the time by the clock that the stream began by (R12)', async () => {
  const atMs = Date.parse('2026-01-01T00:00:00Z');
  await using edge = await startTestEdge({
    region: RegionId.parse('us'),
    clock: { ...systemClock, utcMs: () => atMs + 30_000 },
    hasOtherRegions: true,
    aheadMs: (region) => (region === 'eu' ? -30_000 : 0),
  });
  await edge.broadcast(1);
  const manifest = await fetch(`${edge.url}/live/demo/manifest.mpd`);
  const [, address = ''] = /<UTCTiming [^>]*value="([^"]*)"/.exec(await manifest.text()) ?? [];
  const timeAt = async (path: string): Promise<string> => (await fetch(new URL(path, manifest.url))).text();
  expect({
    manifest: await timeAt(address),
    own: await timeAt('/v1/time'),
    ofPlayers: await timeAt(`${address}&theirs=1`),
    unknown: await timeAt('/v1/time?region=mars'),
    bad: (await fetch(`${edge.url}/v1/time?region=%00`)).status,
  }).toEqual({
    manifest: '2026-01-01T00:00:00.000Z',
    own: '2026-01-01T00:00:30.000Z',
    ofPlayers: '2026-01-01T00:00:00.000Z',
    unknown: '2026-01-01T00:00:30.000Z',
    bad: 400,
  });
});

test('the node tells its time, its health, its metrics and its interface', async () => {
  await using edge = await startTestEdge({
    readiness: () => [{ name: 'nats', isReady: false, detail: 'reconnecting' }],
  });
  expect(Math.abs(Date.parse(await (await fetch(`${edge.url}/v1/time`)).text()) - Date.now())).toBeLessThan(
    60_000,
  );
  const ready = await fetch(`${edge.url}/readyz`);
  expect({ status: ready.status, body: await ready.json() }).toEqual({
    status: 503,
    body: {
      ready: false,
      node: 'n1',
      parts: [
        { name: 'nats', isReady: false },
        { name: 'staying', isReady: true },
      ],
    },
  });
  expect(await (await fetch(`${edge.url}/readyz`, { headers: { authorization } })).json()).toMatchObject({
    parts: [{ name: 'nats', detail: 'reconnecting' }, {}],
  });
  expect(await (await fetch(`${edge.url}/healthz`)).json()).toEqual({ status: 'ok' });
  const document = z
    .looseObject({ paths: z.record(z.string(), z.unknown()) })
    .parse(await (await fetch(`${edge.url}/openapi.json`)).json());
  expect(document).toMatchObject({ openapi: '3.1.0', servers: [{ url: edge.url }] });
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining(['/v1/streams', '/live/{id}/manifest.mpd', '/v1/time']),
  );
});
