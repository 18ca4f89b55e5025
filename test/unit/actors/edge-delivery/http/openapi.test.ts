import { expect, test } from 'vitest';
import { z } from 'zod';
import { openApiDocument } from '../../../../../actors/edge-delivery/http/openapi.ts';
import { head } from '../../../../../actors/edge-delivery/http/http.ts';
import { nodeRoutes, playbackRoutes } from '../../../../../cluster/contract/api/edge-routes.ts';
import { streamRoutes } from '../../../../../cluster/contract/api/control-routes.ts';
import { CreateStreamBody } from '../../../../../cluster/contract/api/control-views.ts';

const routes = [...streamRoutes, ...Object.values(playbackRoutes), ...Object.values(nodeRoutes)];
const text = JSON.stringify(openApiDocument(routes, 'http://edge.test'));
const operation = z.object({
  operationId: z.string(),
  responses: z.record(z.string(), z.unknown()),
  security: z.array(z.unknown()).optional(),
});
const document = z
  .object({
    openapi: z.literal('3.1.0'),
    paths: z.record(z.string(), z.record(z.string(), operation)),
    components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
  })
  .parse(JSON.parse(text));

test('every route is in the document, under its method, with its success and its errors', () => {
  for (const route of routes) {
    const found = document.paths[route.path]?.[route.method];
    expect(found?.operationId).toBe(route.operation);
    expect(Object.keys(found?.responses ?? {})).toContain(String(route.reply.status));
    expect(found?.security !== undefined).toBe(route.auth !== 'none');
  }
});

// As `tangaza-log-stale` once was not: what a page may read, a document explains.
test('every header of our own that pages may read is described where it is sent', () => {
  const exposed = new TextDecoder().decode(head('text/plain')).match(/tangaza-[a-z-]+/g) ?? [];
  const response = z.object({ headers: z.record(z.string(), z.object({ description: z.string() })) });
  const described = Object.values(document.paths).flatMap((path) =>
    Object.values(path).flatMap(({ operationId, responses }) =>
      Object.keys(response.safeParse(responses['200']).data?.headers ?? {}).map((name) => ({
        name,
        operationId,
      })),
    ),
  );
  expect(described).toEqual([
    { name: 'tangaza-log-stale', operationId: 'dashManifest' },
    { name: 'tangaza-log-stale', operationId: 'hlsMainPlaylist' },
    { name: 'tangaza-log-stale', operationId: 'hlsMediaPlaylist' },
    { name: 'tangaza-starts-at', operationId: 'videoFrame' },
  ]);
  expect(new Set(exposed)).toEqual(new Set(described.map(({ name }) => name)));
});

test('operation ids are unique', () => {
  const ids = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map((one) => one.operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

test('every reference leads to a schema', () => {
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target = '']) => target);
  expect(references.length).toBeGreaterThan(10);
  for (const target of references) {
    expect(target.startsWith('#/components/schemas/')).toBe(true);
    expect(document.components.schemas).toHaveProperty(target.slice('#/components/schemas/'.length));
  }
});

test('a body is described by the schema that validates it', () => {
  const described = document.components.schemas['CreateStream'];
  expect(described).toMatchObject({ required: ['title'], additionalProperties: false });
  expect(Object.keys(z.object(CreateStreamBody.shape).shape)).toEqual(
    Object.keys(z.record(z.string(), z.unknown()).parse(described?.['properties'])),
  );
});
