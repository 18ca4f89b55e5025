/** The shape of an API route. One description validates requests, names the action that is called, and becomes the OpenAPI document. */
import type { z } from 'zod';
import type { ErrorCode } from '../../errors/catalogue.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

export interface Route {
  readonly method: Method;
  /** The path, with `{name}` for parameters, e.g. `/v1/streams/{id}`. */
  readonly path: string;
  /** The unique name of the operation: OpenAPI's operationId. */
  readonly operation: string;
  readonly summary: string;
  readonly tag: 'streams' | 'cluster' | 'playback' | 'node' | 'audience';
  /**
   * Who may call. `viewer`: whoever has a guest's or an account's bearer token, or the operator's; the actor behind the route checks it.
   * `operator`: whoever has the operator's bearer token. `insider`: that, or the scrape token, or any caller on the operator port.
   */
  readonly auth: 'none' | 'viewer' | 'operator' | 'insider';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /**
   * The status and the schema of the reply. `schema` is undefined for an empty or non-JSON body. `headers` lists our own headers, each with
   * what it says.
   */
  readonly reply: {
    readonly status: number;
    readonly schema?: z.ZodType;
    readonly contentType?: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly errors: readonly ErrorCode[];
  /** The Moleculer action that does the work, called with a `RouteInput`. The edge itself serves routes without an action. */
  readonly action?: string;
}

/** Who sent a request, as far as the edge knows. */
export interface Caller {
  /** The address of the caller; of an IPv6 address its /64. */
  readonly network: string;
  /** The token of `Authorization: Bearer`, not checked yet. Absent when none was sent, or when it is the operator's. */
  readonly bearer?: string;
  /** The request carries the operator's token. */
  readonly isOperator: boolean;
}

/** The validated input that an action behind a route gets. */
export interface RouteInput<P = unknown, Q = unknown, B = unknown> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** `http://host:port` as the caller wrote it to reach this node. */
  readonly origin: string;
  readonly idempotencyKey?: string;
  /** Set by the edge for every route of the audience. */
  readonly caller?: Caller;
}
