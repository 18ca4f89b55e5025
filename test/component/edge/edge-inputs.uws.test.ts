/** What a caller may get wrong in a query and its headers, each a problem that says what and how, over a real listener. */
import { expect, test } from 'vitest';
import { operatorToken, startTestEdge } from '../../support/ports/test-edge.ts';

const headers = { authorization: `Bearer ${operatorToken}` };
const frame = '/v1/videos/demo/frames?deviceType=tv&offsetSeconds=0';

test.each([
  ['/v1/streams?limt=5', 'The query must not have "limt"; this path takes cursor, limit.'],
  ['/v1/streams?limit=5&limit=6', 'The query parameter limit must come once; it was given several times.'],
  [
    '/v1/streams?limit=0x10',
    'The query parameter limit must be a whole number in digits, without leading zeros; "0x10" was given.',
  ],
  [
    '/v1/streams?limit=NaN',
    'The query parameter limit must be a whole number in digits, without leading zeros; "NaN" was given.',
  ],
  [
    '/v1/streams?limit=9007199254740993',
    'The query parameter limit must be at most 200; 9007199254740992 was given.',
  ],
  [
    '/v1/streams?cursor=news',
    'The query parameter cursor must be the nextCursor of a page before, or left out; "news" was given.',
  ],
  ['/v1/streams?limit=%zz', 'The query must be in UTF-8 with valid %-escapes; "limit=%zz" was given.'],
  [
    '/v1/streams/a%20b',
    'The path parameter id must be 1 to 64 lower-case letters, digits, - and _, the first one a letter or a digit; "a%20b" was given.',
  ],
  ['/v1/cluster?x=1', 'The query must not have "x"; this path takes no query.'],
  [`${frame}&durationSeconds=900`, 'The query parameter durationSeconds must be at most 60; 900 was given.'],
  [
    `${frame}&offsetSeconds=1`,
    'The query parameter offsetSeconds must come once; it was given several times.',
  ],
])('GET %s', async (path, detail) => {
  await using edge = await startTestEdge();
  const reply = await fetch(edge.url + path, { headers });
  expect(await reply.json()).toMatchObject({ status: 400, code: 'BAD_REQUEST', detail });
});

test('players may add what they like to playback paths, and CMCD everywhere', async () => {
  await using edge = await startTestEdge();
  await edge.broadcast(5);
  for (const path of ['/live/demo/main.m3u8?session=7&x=%zz', `${frame}&durationSeconds=4&CMCD=bl%3D1`])
    expect({
      path,
      status: (await fetch(edge.url + path, { headers: { accept: '*/*;q=0.1, application/json' } })).status,
    }).toEqual({ path, status: 200 });
});

test('an Accept that cannot be met is told what there is', async () => {
  await using edge = await startTestEdge();
  await edge.broadcast(5);
  const statusOf = async (path: string, accept: string) =>
    (await fetch(edge.url + path, { headers: { ...headers, accept } })).status;
  const refused = await fetch(edge.url + frame, { headers: { accept: 'image/png' } });
  expect(await refused.json()).toMatchObject({
    code: 'NOT_ACCEPTABLE',
    detail: 'This path gives application/json or video/mp4; Accept: "image/png" was given.',
  });
  expect(await statusOf('/v1/live', 'text/html')).toBe(406);
  expect(await statusOf('/v1/live', 'application/json;q=0, text/html')).toBe(406);
  for (const accept of ['*/*', 'application/json', 'application/*;q=0.1', 'text/html, */*;q=0.8'])
    expect({ accept, status: await statusOf('/v1/live', accept) }).toEqual({ accept, status: 200 });
});

// As it once was: `Retry-After: 999999999` for an offset that no broadcast reaches.
test('nobody is told to come again later than in an hour', async () => {
  await using edge = await startTestEdge();
  await edge.broadcast(5);
  const ask = (offset: number) =>
    fetch(`${edge.url}/v1/videos/demo/frames?deviceType=tv&offsetSeconds=${offset}&durationSeconds=4`);
  const soon = await ask(3000);
  expect({ status: soon.status, 'retry-after': Number(soon.headers.get('retry-after')) }).toEqual({
    status: 425,
    'retry-after': 2994,
  });
  for (const offset of [4000, 999_999_999]) {
    const never = await ask(offset);
    expect({ status: never.status, 'retry-after': never.headers.get('retry-after') }).toEqual({
      status: 404,
      'retry-after': null,
    });
    expect(await never.json()).toMatchObject({
      code: 'RANGE_AHEAD',
      detail: expect.stringContaining('3600 s ahead'),
    });
  }
});
