/** The control API as a test calls it: every reply is held against the schema of the contract, in both directions. */
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { StreamHealth } from '../../../cluster/contract/stream-health.ts';
import { StreamWithKey } from '../../../cluster/contract/api/control-views.ts';

export interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ControlClient {
  /** @throws Error with status and body when the status is another, ZodError when the reply is not of the schema */
  call<S extends z.ZodType>(path: string, status: number, schema: S, call?: Call): Promise<z.output<S>>;
  status(method: string, path: string): Promise<number>;
  create(body: { readonly title: string; readonly id?: string }): Promise<StreamWithKey>;
  health(id: string): Promise<StreamHealth>;
}

export function controlClient(url: string, token: string): ControlClient {
  const send = (path: string, { method = 'GET', body, headers = {} }: Call): Promise<Response> =>
    fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const call: ControlClient['call'] = async (path, status, schema, options = {}) => {
    const reply = await send(path, options);
    const text = await reply.text();
    if (reply.status !== status)
      throw new Error(`${options.method ?? 'GET'} ${path}: ${reply.status} ${text}`);
    return parseWhole(schema, text === '' ? undefined : JSON.parse(text), path);
  };
  return {
    call,
    status: async (method, path) => {
      const reply = await send(path, { method });
      await reply.arrayBuffer();
      return reply.status;
    },
    create: (body) => call('/v1/streams', 201, StreamWithKey, { method: 'POST', body }),
    health: (id) => call(`/v1/streams/${id}/health`, 200, StreamHealth),
  };
}

/** Parses what must be of the schema and must hold nothing that the schema does not name. */
export function parseWhole<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.parse(value);
  if (!isDeepStrictEqual(parsed, value))
    throw new Error(`${what}: more than the contract says: ${JSON.stringify(value)}`);
  return parsed;
}
