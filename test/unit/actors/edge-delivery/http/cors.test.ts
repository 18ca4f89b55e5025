import { expect, test } from 'vitest';
import { corsHeaders, preflightHeaders } from '../../../../../actors/edge-delivery/http/cors.ts';
import { playbackRoutes } from '../../../../../cluster/contract/api/edge-routes.ts';

const usual = 'authorization, content-type, idempotency-key, if-none-match, if-range, range';
const get = { allow: 'GET, HEAD, OPTIONS', isPublic: true, requestHeaders: '', privateNetwork: '' };
const allowed = (change: Partial<typeof get>) =>
  preflightHeaders({ ...get, ...change })['access-control-allow-headers'];

test.each([
  [
    'dash.js with CMCD 1',
    'cmcd-object,cmcd-request,cmcd-session,cmcd-status',
    'cmcd-object, cmcd-request, cmcd-session, cmcd-status',
  ],
  ['CMCD as the specification spells it', 'CMCD-Request', 'cmcd-request'],
  ["a player's own session", 'x-playback-session-id, x-app.version', 'x-playback-session-id, x-app.version'],
  ['twice the same', 'x-a,x-a,range', 'x-a'],
  ['what is no name', 'x a, x\r\ny: z, , x:y, "q", ok', 'ok'],
])('a public path allows what is asked: %s', (_name, requestHeaders, echoed) => {
  expect(allowed({ requestHeaders })).toBe(`${usual}, ${echoed}`);
});

test('a list over 1 kB is not echoed', () => {
  const requestHeaders = Array.from({ length: 200 }, (_, index) => `x-${index}`).join(',');
  expect(requestHeaders.length).toBeGreaterThan(1024);
  expect(allowed({ requestHeaders })).toBe(usual);
});

test("a path of the operator's allows a fixed list, and no page of the internet into a private network", () => {
  const headers = preflightHeaders({
    ...get,
    isPublic: false,
    requestHeaders: 'cmcd-request',
    privateNetwork: 'true',
  });
  expect(headers).toEqual({
    allow: get.allow,
    'access-control-allow-methods': get.allow,
    'access-control-allow-headers': usual,
    'access-control-max-age': '7200',
  });
});

test.each([
  ['true', 'true'],
  ['TRUE', 'true'],
  ['', undefined],
  ['false', undefined],
])('a public path asked for a private network by %j answers %j', (privateNetwork, answer) => {
  const headers = preflightHeaders({ ...get, privateNetwork });
  expect(headers['access-control-allow-private-network']).toBe(answer);
});

test('every header of our own, and those that players measure by, may be read from other origins', () => {
  const exposed = corsHeaders['access-control-expose-headers']?.split(', ') ?? [];
  const own = Object.values(playbackRoutes).flatMap(({ reply }) =>
    'headers' in reply ? Object.keys(reply.headers) : [],
  );
  expect(own.length).toBeGreaterThan(0);
  expect(exposed).toEqual(
    expect.arrayContaining([...own, 'age', 'cmsd-dynamic', 'cmsd-static', 'content-range', 'date', 'etag']),
  );
});
