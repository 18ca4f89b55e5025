/** The document against the specification, its examples against its own schemas, and its words against the house's. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { allRoutes } from '../../../../actors/edge-delivery/edge.ts';
import { openApiDocument } from '../../../../actors/edge-delivery/http/openapi.ts';
import { examples } from '../../../../cluster/contract/api/examples.ts';
import { catalogue } from '../../../../cluster/errors/catalogue.ts';

const text = JSON.stringify(openApiDocument(allRoutes, 'http://edge.test'));
const media = z.record(
  z.string(),
  z.looseObject({ schema: z.unknown().optional(), example: z.unknown().optional() }),
);
const Operation = z.looseObject({
  operationId: z.string(),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.string(),
        schema: z.looseObject({ type: z.string().optional() }),
        example: z.unknown().optional(),
      }),
    )
    .default([]),
  requestBody: z.looseObject({ content: media }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: media.optional() })),
});
const document = z
  .looseObject({ paths: z.record(z.string(), z.record(z.string(), Operation)), components: z.unknown() })
  .parse(JSON.parse(text));
const operations = Object.values(document.paths).flatMap((path) => Object.values(path));

test('the document is one of OpenAPI 3.1', async () => {
  const validator = new Validator();
  expect(await validator.validate(JSON.parse(text))).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  const broken = JSON.parse(
    text.replace('"operationId"', '"operationID"').replace('"in":"path"', '"in":"road"'),
  );
  expect(await new Validator().validate(broken)).toMatchObject({ valid: false });
});

/** Every example with the schema beside it. */
const shown = operations.flatMap(({ operationId, parameters, requestBody, responses }) => [
  ...parameters.map(({ name, schema, example }) => ({ what: `${operationId} ${name}`, schema, example })),
  ...[requestBody, ...Object.values(responses)].flatMap((one) =>
    Object.entries(one?.content ?? {}).map(([type, { schema, example }]) => ({
      what: `${operationId} ${type}`,
      schema,
      example,
    })),
  ),
]);

test('every example is one of its schema', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ $id: 'http://edge.test/', ...document });
  const rebased = (schema: unknown): object =>
    z
      .record(z.string(), z.unknown())
      .parse(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"http://edge.test/#/')));
  const withExample = shown.filter(({ example }) => example !== undefined);
  const faults = withExample.flatMap(({ what, schema, example }) =>
    ajv.validate(rebased(schema), example) ? [] : [`${what}: ${ajv.errorsText()}`],
  );
  expect(faults).toEqual([]);
  expect(withExample.length).toBeGreaterThan(100);
});

test('what must be given has an example, and so has each JSON that is answered', () => {
  const needed = operations.flatMap(({ operationId, parameters }) =>
    parameters.flatMap(({ name, required, example }) =>
      required === true && example === undefined ? [`${operationId} ${name}`] : [],
    ),
  );
  expect(needed).toEqual([]);
  const bodies = shown.filter(({ what }) => what.endsWith(' application/json'));
  expect(bodies.filter(({ example }) => example === undefined).map(({ what }) => what)).toEqual([
    'contentSteering application/json',
    'openapi application/json',
    'asyncapi application/json',
  ]);
});

test('every example belongs to an operation', () => {
  const known = new Set(operations.map(({ operationId }) => operationId));
  expect(Object.keys(examples).filter((operation) => !known.has(operation))).toEqual([]);
});

test('numbers are numbers', () => {
  const typeOf = (name: string) =>
    new Set(
      operations.flatMap(({ parameters }) =>
        parameters.flatMap((one) => (one.name === name ? one.schema.type : [])),
      ),
    );
  for (const name of ['limit', 'period', 'startTime']) expect(typeOf(name)).toEqual(new Set(['integer']));
  for (const name of ['offsetSeconds', 'durationSeconds']) expect(typeOf(name)).toEqual(new Set(['number']));
});

// As they once were: `(M16)`, `(C8)`.
test('nobody who reads the document or an error needs the rules of the house', () => {
  expect(text.match(/\(?\b[A-Z]\d{1,2}\b\)?/g)).toBeNull();
  expect(JSON.stringify(catalogue).match(/\b[A-Z]\d{1,2}\b/g)).toBeNull();
});
