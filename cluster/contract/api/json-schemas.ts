/** Schemas as JSON Schema, for the documents that describe the API: what has an id is a component, and referred to. */
import { z } from 'zod';

export type Json = Readonly<Record<string, unknown>>;
/** Of JSON Schema: OpenAPI 3.1 has the newer one, AsyncAPI 3 the older one. */
export type Dialect = 'draft-2020-12' | 'draft-7';

/** The schema as JSON. Schemas with an id are put under `components` and referred to. */
export function schemaOf(
  schema: z.core.$ZodType,
  io: 'input' | 'output',
  schemas: Record<string, unknown>,
  dialect: Dialect = 'draft-2020-12',
): Json {
  const json = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: dialect });
  const { $schema: _dialect, $defs: newer, definitions: older, ...rest } = json;
  const definitions = newer ?? older ?? {};
  for (const [name, definition] of Object.entries(definitions)) schemas[name] = relocate(strip(definition));
  const own = relocate(rest);
  if (!isRecord(own)) return {};
  const { id, ...shape } = own;
  if (typeof id !== 'string') return shape;
  schemas[id] = shape;
  return refTo(id);
}

function strip(definition: unknown): unknown {
  if (!isRecord(definition)) return definition;
  const { id: _id, ...rest } = definition;
  return rest;
}

/** Changes references to definitions into references to the document's components. */
function relocate(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relocate);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([name, child]) => [
    name,
    name === '$ref' && typeof child === 'string'
      ? child.replace(/^#\/(?:\$defs|definitions)\//, '#/components/schemas/')
      : relocate(child),
  ]);
  return Object.fromEntries(entries);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const refTo = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
