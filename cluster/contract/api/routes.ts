/** The shape of an API route: one description validates requests, calls the action and makes the OpenAPI document. */
import type { z } from 'zod';
import type { ErrorCode } from '../../errors/catalogue.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

export interface Route {
  readonly method: Method;
  /** With `{name}` for parameters, e.g. `/v1/streams/{id}`. */
  readonly path: string;
  /** Unique; OpenAPI's operationId. */
  readonly operation: string;
  readonly summary: string;
  readonly tag: 'streams' | 'cluster' | 'playback' | 'node' | 'audience';
  /** `operator`: the operator's bearer token is needed; `insider`: that, or the one for scrapes, or the operator port. */
  readonly auth: 'none' | 'operator' | 'insider';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** The reply's status and schema; `undefined` schema for an empty or non-JSON body. Headers of our own by name, and what each says. */
  readonly reply: {
    readonly status: number;
    readonly schema?: z.ZodType;
    readonly contentType?: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly errors: readonly ErrorCode[];
  /** Moleculer action that does it, called with `RouteInput`; routes without one are served by the edge itself. */
  readonly action?: string;
}

/** What an action behind a route gets, already validated. */
export interface RouteInput<P = unknown, Q = unknown, B = unknown> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** `http://host:port` under which the caller reached us. */
  readonly origin: string;
  readonly idempotencyKey?: string;
}
