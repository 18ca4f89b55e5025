import { expect, test } from 'vitest';
import { makeRouter } from '../../../../../actors/edge-delivery/http/router.ts';
import { nodeRoutes, playbackRoutes } from '../../../../../cluster/contract/api/edge-routes.ts';
import { streamRoutes } from '../../../../../cluster/contract/api/control-routes.ts';

const routes = [...streamRoutes, ...Object.values(playbackRoutes), ...Object.values(nodeRoutes)];
const router = makeRouter(routes);
const operationOf = (method: string, path: string): string => {
  const found = router(method, path);
  return found.kind === 'route' ? found.route.operation : found.kind;
};

test.each([
  ['get', '/live/demo/main.m3u8', 'hlsMainPlaylist'],
  ['get', '/live/demo/h264-720p.m3u8', 'hlsMediaPlaylist'],
  ['head', '/live/demo/manifest.mpd', 'dashManifest'],
  ['get', '/live/demo/7/h264-720p/init.mp4', 'initSegment'],
  ['get', '/live/demo/7/h264-720p/180000.m4s', 'mediaSegment'],
  ['get', '/v1/streams', 'listStreams'],
  ['post', '/v1/streams', 'createStream'],
  ['delete', '/v1/streams/a', 'deleteStream'],
  ['post', '/v1/streams/a/key', 'rotateKey'],
  ['get', '/v1/streams/', 'nothing'],
  ['get', '/v1//streams', 'nothing'],
  ['get', '/live//main.m3u8', 'nothing'],
  ['get', '/live/demo/main.m3u8/', 'nothing'],
  ['get', '/live/demo/mainXm3u8', 'nothing'],
  ['get', `/live/${'a'.repeat(600)}/main.m3u8`, 'nothing'],
  ['put', '/v1/streams', 'wrongMethod'],
  ['options', '/v1/streams', 'wrongMethod'],
])('%s %s is %s', (method, path, operation) => expect(operationOf(method, path)).toBe(operation));

test('every route is found by its own path', () => {
  for (const { method, path, operation } of routes) {
    expect(operationOf(method, path.replaceAll(/\{\w+\}/g, 'x1'))).toBe(operation);
  }
});

test('parameters are what was sent, undecoded', () => {
  const found = router('get', '/v1/streams/%2e%2e');
  expect(found.kind === 'route' && found.params).toEqual({ id: '%2e%2e' });
});

test('a wrong method is told the right ones', () => {
  expect(router('trace', '/v1/streams')).toEqual({
    kind: 'wrongMethod',
    allow: 'POST, GET, HEAD, OPTIONS',
    isPublic: false,
  });
  expect(router('options', '/live/demo/main.m3u8')).toMatchObject({ kind: 'wrongMethod', isPublic: true });
});

test('two routes of one method and path are a fault of ours', () => {
  const [route] = routes;
  if (route === undefined) throw new Error('no route');
  expect(() => makeRouter([route, { ...route, operation: 'other' }])).toThrow('two routes');
});
