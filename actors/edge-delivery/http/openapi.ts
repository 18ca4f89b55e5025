/** Makes the OpenAPI 3.1 document from the same schemas that validate requests. */
import { z } from 'zod';
import type { Route } from '../../../cluster/contract/api/routes.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { refTo, schemaOf, type Json } from '../../../cluster/contract/api/json-schemas.ts';
import { examples } from '../../../cluster/contract/api/examples.ts';
import { catalogue, type ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { problemOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';

/** @param serverUrl the URL under which the reader of the document reached us */
export function openApiDocument(routes: readonly Route[], serverUrl: string): Json {
  const schemas: Record<string, unknown> = { Problem: problemSchema };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    path[route.method] = operationOf(route, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tangaza',
      version: '1',
      description:
        'Live video: playback, streams, the audience, the cluster. Errors are RFC 9457 problem documents.',
    },
    servers: [{ url: serverUrl }],
    paths,
    components: { schemas, securitySchemes },
  };
}

function operationOf(route: Route, schemas: Record<string, unknown>): Json {
  const { operation, summary, tag, auth, params, query, body } = route;
  const example = examples[operation];
  const parameters = [
    ...parametersOf(params, { where: 'path', examples: example?.params }, schemas),
    ...parametersOf(query, { where: 'query', examples: example?.query }, schemas),
    ...(takesIdempotencyKey(route) ? [idempotencyKey] : []),
  ];
  return {
    operationId: operation,
    summary,
    tags: [tag],
    ...securityOf(auth),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: schemaOf(body, 'input', schemas), ...exampleOf(example?.body) },
            },
          },
        }),
    responses: { ...successOf(route, schemas), ...failuresOf(errorsOf(route)) },
  };
}

const securitySchemes = {
  viewer: {
    type: 'http',
    scheme: 'bearer',
    description: "The token of a guest (`POST /v1/guests`), or of an account: a JWT of the operator's.",
  },
  operator: { type: 'http', scheme: 'bearer', description: "The operator's token; the demo prints it." },
  scrape: { type: 'http', scheme: 'bearer', description: 'The token of `TANGAZA_METRICS_TOKEN`.' },
};

function securityOf(auth: Route['auth']): Json {
  switch (auth) {
    case 'none':
      return {};
    case 'viewer':
      return { security: [{ viewer: [] }, { operator: [] }] };
    case 'operator':
      return { security: [{ operator: [] }] };
    case 'insider':
      return { security: [{ operator: [] }, { scrape: [] }] };
    default:
      return unreachable(auth);
  }
}

const exampleOf = (example: unknown): Json => (example === undefined ? {} : { example });

function successOf({ reply, operation }: Route, schemas: Record<string, unknown>): Json {
  const json =
    reply.schema === undefined
      ? {}
      : {
          'application/json': {
            schema: schemaOf(reply.schema, 'output', schemas),
            ...exampleOf(examples[operation]?.reply),
          },
        };
  const other = reply.contentType === undefined ? {} : { [reply.contentType]: {} };
  const content = { ...json, ...other };
  const description = reply.status === 204 ? 'Done.' : 'The reply.';
  const headers = Object.entries(reply.headers ?? {}).map(([name, what]) => [
    name,
    { description: what, schema: { type: 'string' } },
  ]);
  return {
    [reply.status]: {
      description,
      ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
      ...(Object.keys(content).length === 0 ? {} : { content }),
    },
  };
}

/** A comment has its clientId, and whatever else viewers do may be done twice. */
function takesIdempotencyKey({ method, tag }: Route): boolean {
  return method !== 'get' && tag !== 'audience';
}

/** The errors that any route of this kind may answer, and those of the route itself. */
function errorsOf(route: Route): readonly ErrorCode[] {
  const { auth, body, params, query, action, errors, reply } = route;
  return [
    ...errors,
    ...(takesIdempotencyKey(route) ? (['BAD_REQUEST', 'IDEMPOTENCY_KEY_REUSED'] as const) : []),
    ...(params === undefined && query === undefined && body === undefined ? [] : (['BAD_REQUEST'] as const)),
    ...(reply.schema === undefined ? [] : (['NOT_ACCEPTABLE'] as const)),
    ...(auth === 'none' ? [] : (['UNAUTHENTICATED'] as const)),
    ...(body === undefined ? [] : (['BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const)),
    ...(action === undefined ? [] : (['UNAVAILABLE', 'DEADLINE_EXCEEDED'] as const)),
  ];
}

function failuresOf(codes: readonly ErrorCode[]): Json {
  const byStatus = Map.groupBy(new Set(codes), (code) => catalogue[code].status);
  const entries = [...byStatus].map(([status, sameStatus]) => {
    const description = sameStatus.map((code) => `${code}: ${catalogue[code].title}`).join(' ');
    const [first] = sameStatus;
    const example = first === undefined ? {} : exampleOf(problemOf(new TangazaError(first)));
    const content = { 'application/problem+json': { schema: refTo('Problem'), ...example } };
    return [status, { description, content }];
  });
  return Object.fromEntries(entries);
}

interface ParametersOf {
  readonly where: 'path' | 'query';
  readonly examples: Json | undefined;
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'A request that is repeated with its key within a day is done once and answered by the first reply; the key with another request is refused.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
  example: 'b7f3c1d2',
};

function parametersOf(
  schema: z.ZodObject | undefined,
  { where, examples: values = {} }: ParametersOf,
  schemas: Record<string, unknown>,
): readonly Json[] {
  if (schema === undefined) return [];
  return Object.entries(schema.shape).map(([name, field]) => {
    const isRequired = where === 'path' || !z.safeParse(z.object({ field }), {}).success;
    // A reader of the document sees a number where the wire has digits.
    const { description, ...json } = schemaOf(field, 'output', schemas);
    return {
      name,
      in: where,
      required: isRequired,
      ...(description === undefined ? {} : { description }),
      schema: json,
      ...(values[name] === undefined ? {} : { example: values[name] }),
    };
  });
}

export const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(catalogue) },
    detail: { type: 'string' },
    issues: {
      type: 'array',
      description: 'All faults of the request, for BAD_REQUEST.',
      items: {
        type: 'object',
        properties: {
          in: { enum: ['path', 'query', 'header', 'body'] },
          at: { type: 'string' },
          message: { type: 'string', description: 'What it must be, and what was given.' },
        },
      },
    },
  },
};
