/**
 * The routes of the OpenAPI document under requests that nobody would send, from a seed: real listener, real control, real
 * registry. Whatever comes, there is no 500, and every refusal is a problem document with a code of the catalogue.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ServiceBroker } from 'moleculer';
import { controlService } from '../../../actors/control/control.service.ts';
import { openSqliteStreamRegistry } from '../../../actors/control/stream-registry.sqlite.ts';
import { allRoutes } from '../../../actors/edge-delivery/edge.ts';
import { openApiDocument } from '../../../actors/edge-delivery/http/openapi.ts';
import { catalogue, isErrorCode } from '../../../cluster/errors/catalogue.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { operatorToken, startTestEdge, type EdgeSettings } from '../../support/ports/test-edge.ts';
import { oneRegion } from '../../support/regions/one-region.ts';

const Parameter = z.looseObject({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  example: z.unknown().optional(),
});
const Problem = z.looseObject({ status: z.number(), code: z.string(), title: z.string() });
const Operation = z.looseObject({
  parameters: z.array(Parameter).default([]),
  requestBody: z
    .looseObject({
      content: z.looseObject({ 'application/json': z.looseObject({ example: z.unknown().optional() }) }),
    })
    .optional(),
});
const { paths } = z
  .looseObject({ paths: z.record(z.string(), z.record(z.string(), Operation)) })
  .parse(
    JSON.parse(JSON.stringify(openApiDocument(allRoutes, 'http://edge.test')).replaceAll('"news"', '"demo"')),
  );
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
);

/** The control actor of a node whose NATS is gone: the registry works, what needs the cluster is refused. */
function startControl(): ServiceBroker {
  const registry = openSqliteStreamRegistry(':memory:', clock);
  let made = 0;
  const gone = async (): Promise<never> => Promise.reject(new TangazaError('LOG_UNAVAILABLE'));
  const broker = new ServiceBroker({ logger: false, validator: false });
  broker.createService(
    controlService({
      ...oneRegion,
      clock,
      registry,
      ladders: new Set(['default']),
      defaultLadder: 'default',
      keySecret: 'secret',
      checkDeadline: () => {},
      ownership: { known: gone, allKnown: gone },
      members: { list: () => ({ revision: 1, members: [], readAtMs: 0 }) },
      newId: () => `made-${++made}`,
      newSalt: () => `salt-${++made}`,
      beginDrain: gone,
      release: gone,
      askHealth: gone,
      askOnAir: gone,
      closeSessions: async () => {},
      connectionsOf: () => undefined,
      suspects: () => [],
    }),
  );
  return broker;
}

const garbage = fc.constantFrom(
  ...[
    '',
    ' ',
    '0',
    '-1',
    '-0',
    '1e400',
    'NaN',
    'Infinity',
    '9007199254740993',
    '99999999999999999999',
    '0x10',
    '1.5',
    '01',
  ],
  ...[
    'null',
    'true',
    '[]',
    '{}',
    '__proto__',
    'constructor',
    '..',
    '%00',
    '%zz',
    '%c3%28',
    '%2e%2e%2f',
    "';--",
    '<b>',
    'A B',
    'ä',
  ],
  'x'.repeat(300),
);
const value = (example: unknown) =>
  fc.oneof(
    fc.constant(typeof example === 'string' ? example : JSON.stringify(example ?? 0)),
    garbage,
    fc.string({ maxLength: 20 }),
  );
const accepts = fc.constantFrom(
  '*/*',
  'application/json',
  'video/mp4',
  'image/png',
  'application/json;q=0',
  ',;q=',
  'x'.repeat(500),
);
const contentTypes = fc.constantFrom(
  'application/json',
  'application/json; charset=latin1',
  'text/plain',
  'application/x-www-form-urlencoded',
  '',
);
const bodyOf = (example: unknown) =>
  fc.oneof(
    fc.constant(JSON.stringify(example ?? {})),
    fc.json(),
    fc.string(),
    fc.constantFrom(
      '',
      '{',
      '[[[[',
      'null',
      '{"title":1e999}',
      '{"__proto__":{"title":"x"}}',
      `{"title":"${'x'.repeat(70_000)}"}`,
    ),
  );

const wanted = fc.constantFrom(...operations).chain(({ path, method, parameters, requestBody }) => {
  const ofPath = parameters.filter((one) => one.in === 'path');
  const ofQuery = parameters.filter((one) => one.in === 'query');
  const pair = fc.oneof(
    ...ofQuery.map(({ name, example }) => value(example).map((text) => `${name}=${text}`)),
    fc.tuple(garbage, garbage).map(([name, text]) => `${name}=${text}`),
  );
  return fc.record({
    path: fc
      .tuple(...ofPath.map(({ example }) => value(example)))
      .map((values) =>
        ofPath.reduce((all, { name }, index) => all.replace(`{${name}}`, values[index] ?? ''), path),
      ),
    query: fc.array(pair, { maxLength: 4 }),
    method: fc.oneof(
      { weight: 4, arbitrary: fc.constant(method) },
      { weight: 1, arbitrary: fc.constantFrom('get', 'head', 'post', 'put', 'patch', 'delete', 'options') },
    ),
    hasToken: fc.boolean(),
    accept: accepts,
    contentType: contentTypes,
    key: fc.option(fc.constantFrom('k1', 'k2', 'a b', 'x'.repeat(300)), { nil: undefined }),
    body: bodyOf(requestBody?.content['application/json'].example),
  });
});

test('whatever comes, there is no 500, and each refusal is a problem of the catalogue', async () => {
  const broker = startControl();
  await using cleaning = new AsyncDisposableStack();
  cleaning.defer(() => broker.stop());
  await broker.start();
  const call: EdgeSettings['call'] = (action, input) => broker.call(action, input);
  await using edge = await startTestEdge({ call, firstSegmentMs: 1, liveEdgeMs: 1 });
  await edge.broadcast(3);
  const seen = new Set<number>();
  const check = async ({
    path,
    query,
    method,
    hasToken,
    accept,
    contentType,
    key,
    body,
  }: typeof wanted extends fc.Arbitrary<infer T> ? T : never): Promise<void> => {
    const hasBody = method !== 'get' && method !== 'head';
    const url = `${edge.url}${path}${query.length === 0 ? '' : `?${query.join('&')}`}`;
    const reply = await fetch(url, {
      method: method.toUpperCase(),
      headers: {
        accept,
        ...(hasToken ? { authorization: `Bearer ${operatorToken}` } : {}),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(hasBody ? { 'content-type': contentType } : {}),
      },
      ...(hasBody ? { body } : {}),
    });
    const text = await reply.text();
    seen.add(reply.status);
    const wait = Number(reply.headers.get('retry-after') ?? 1);
    expect({ isLongEnough: wait >= 1, isShortEnough: wait <= 3600 }).toEqual({
      isLongEnough: true,
      isShortEnough: true,
    });
    if (reply.status < 400) return;
    if (reply.status === 405) expect(reply.headers.get('allow')).toMatch(/OPTIONS/);
    expect(reply.headers.get('content-type')).toBe('application/problem+json');
    if (method === 'head') {
      expect(text).toBe('');
      return;
    }
    const problem = Problem.parse(JSON.parse(text));
    expect(isErrorCode(problem.code) && catalogue[problem.code].status).toBe(reply.status);
    expect(problem.code).not.toBe('INTERNAL');
    expect(text).not.toMatch(/Invalid input|Too (?:big|small)|expected (?:string|number|object)/);
  };
  await fc.assert(fc.asyncProperty(wanted, check), {
    numRuns: 1500,
    interruptAfterTimeLimit: 30_000,
    markInterruptAsFailure: false,
  });
  for (const status of [200, 400, 401, 404, 405]) expect([...seen]).toContain(status);
});
