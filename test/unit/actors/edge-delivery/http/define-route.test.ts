/** What a handler of the edge is given of a request: what the route's schemas make of it, and nothing of what they refuse. */
import { expect, expectTypeOf, test } from 'vitest';
import { playbackRoutes } from '../../../../../cluster/contract/api/edge-routes.ts';
import type { StreamId } from '../../../../../cluster/model/ids.ts';
import {
  defineRoute,
  withoutInput,
  withoutQuery,
  type Asked,
} from '../../../../../actors/edge-delivery/http/define-route.ts';
import { emptyReply, type HttpRequest } from '../../../../../actors/edge-delivery/http/http.ts';
import type { Issue } from '../../../../../actors/edge-delivery/http/issue.ts';

const { frames, segment } = playbackRoutes;
const request: HttpRequest = {
  method: 'get',
  path: '/',
  query: '',
  remoteAddress: '127.0.0.1',
  isAborted: false,
  header: () => '',
  onAbort: () => {},
  body: async () => new Uint8Array(),
};
const told = { origin: 'http://edge', body: undefined };
const done = emptyReply(204);

test('a handler gets what the schemas make of the inputs, with their types and defaults', () => {
  let given: unknown;
  const route = defineRoute(frames, (_request, input) => {
    expectTypeOf(input.params.id).toEqualTypeOf<StreamId>();
    expectTypeOf(input.query.offsetSeconds).toEqualTypeOf<number>();
    given = input;
    return done;
  });
  const asked: Asked = { route: frames, params: { id: 'demo' }, query: 'deviceType=tv&offsetSeconds=4.5' };
  const issues: Issue[] = [];
  expect(route.read(asked, issues)?.(request, told)).toBe(done);
  expect(issues).toEqual([]);
  expect(given).toEqual({
    params: { id: 'demo' },
    query: { deviceType: 'tv', offsetSeconds: 4.5, durationSeconds: 10 },
    origin: 'http://edge',
    body: undefined,
  });
});

test('with a fault in the path and one in the query there is nothing to serve, and both are told in that order', () => {
  const route = defineRoute(frames, () => done);
  const issues: Issue[] = [];
  const params = { id: 'NO ID' };
  expect(route.read({ route: frames, params, query: 'deviceType=tv' }, issues)).toBeUndefined();
  expect(issues.map((issue) => `${issue.in} ${issue.at}`)).toEqual(['path id', 'query offsetSeconds']);
});

test('a route without a query lets a player add one, and its handler does not see it', () => {
  const inputs: unknown[] = [];
  const take = (_request: HttpRequest, input: { readonly query: unknown }) => {
    inputs.push(input.query);
    return done;
  };
  const params = { id: 'demo', period: '1', rendition: 'h264-720p', startTime: '0' };
  const asked: Asked = { route: segment, params, query: 'CMCD=bl%3D1&x=1' };
  for (const route of [defineRoute(withoutQuery(segment), take), defineRoute(withoutInput(segment), take)])
    expect(route.read(asked, [])?.(request, told)).toBe(done);
  expect(inputs).toEqual([{}, {}]);
});
