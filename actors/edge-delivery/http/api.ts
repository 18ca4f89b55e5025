/**
 * Carries a request to the handler of its route and back: checks the token, validates all inputs by their schemas, and turns errors into
 * problem documents.
 */
import type { z } from 'zod';
import type { Route, RouteInput } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import {
  emptyReply,
  jsonReply,
  longestWaitSeconds,
  problemReply,
  type Handler,
  type HttpRequest,
  type Reply,
} from './http.ts';
import { callerOf, mustBeInsider, mustBeOperator, mustBeViewer, type Access } from './access.ts';
import { callerOrigin, type IsTrustedProxy } from './caller.ts';
import { preflightHeaders } from './cors.ts';
import { check, defineRoute, withoutInput, type LocalRoute } from './define-route.ts';
import { mustBeAcceptable, mustBeJson } from './negotiation.ts';
import type { Issue } from './issue.ts';
import type { Match, Router } from './router.ts';

/** The control API's part of an edge. */
export interface ControlApiPart {
  readonly clock: Clock;
  /** Calls a Moleculer action of `cluster/contract/*-actions.ts`, in time. */
  readonly call: (action: string, input: RouteInput) => Promise<unknown>;
  readonly access: Access;
  /** The URL under which callers reach this node, where it is another one than their Host header says. */
  readonly publicUrl: string | undefined;
  /** What members are told of this node: for callers who name no host. */
  readonly ownUrl: string;
  readonly isTrustedProxy: IsTrustedProxy;
}

export interface ApiPorts extends ControlApiPart {
  readonly router: Router;
  /** The routes that the edge serves itself. Any other must have an `action`. */
  readonly local: readonly LocalRoute[];
  /** Serves paths that are no route: pages and assets. Undefined where nothing is found. */
  readonly fallback: (request: HttpRequest, origin: string) => Reply | Promise<Reply | undefined> | undefined;
}

function nameOf({ in: where, at }: Issue): string {
  if (where === 'body') return at === '' ? 'The body' : `The body's ${at}`;
  return at === '' ? `The ${where}` : `The ${partNames[where]} ${at}`;
}

const partNames = { path: 'path parameter', query: 'query parameter', header: 'header' } as const;

class InvalidInput extends TangazaError {
  readonly issues: readonly Issue[];
  constructor(issues: readonly Issue[]) {
    super('BAD_REQUEST', `${issues.map((issue) => `${nameOf(issue)} ${issue.message}`).join('; and ')}.`);
    this.issues = issues;
  }
}

/** What a request is answered from. */
interface Serving extends Omit<ApiPorts, 'local'> {
  /** By operation. */
  readonly local: ReadonlyMap<string, LocalRoute>;
}

export function makeApi({ local: routes, ...ports }: ApiPorts): Handler {
  const local = new Map(routes.map((route) => [route.operation, route]));
  const serving = { ...ports, local };
  return (request) => {
    try {
      const reply = answer(serving, request);
      return reply instanceof Promise ? reply.catch(errorReply) : reply;
    } catch (error) {
      return errorReply(error);
    }
  };
}

function errorReply(error: unknown): Reply {
  if (error instanceof InvalidInput) return problemReply(error, { issues: error.issues });
  const seconds = error instanceof TangazaError ? error.data['retryAfterSeconds'] : undefined;
  if (typeof seconds !== 'number') return problemReply(error);
  const wait = Math.min(longestWaitSeconds, Math.max(1, Math.ceil(seconds)));
  return problemReply(error, {}, { 'retry-after': String(wait) });
}

function answer(ports: Serving, request: HttpRequest): Reply | Promise<Reply> {
  const { method, path } = request;
  const found = ports.router(method, path);
  switch (found.kind) {
    case 'nothing':
      return fallbackReply(ports, request);
    case 'wrongMethod':
      if (method === 'options') return preflightReply(request, found);
      return wrongMethodReply(found.allow);
    default:
      return serve(ports, request, found);
  }
}

/** For pages, assets, and paths that do not exist. */
const pagePath = { allow: 'GET, HEAD, OPTIONS', isPublic: true };

function preflightReply(request: HttpRequest, path: { allow: string; isPublic: boolean }): Reply {
  const asked = {
    requestHeaders: request.header('access-control-request-headers'),
    privateNetwork: request.header('access-control-request-private-network'),
  };
  return emptyReply(204, preflightHeaders({ ...path, ...asked }));
}

function fallbackReply(ports: Serving, request: HttpRequest): Reply | Promise<Reply> {
  // A player whose preflight is answered 404 would report a network failure.
  if (request.method === 'options') return preflightReply(request, pagePath);
  const reply = ports.fallback(request, originOf(ports, request));
  const told = (page: Reply | undefined): Reply => pageReply(page, request.method);
  return reply instanceof Promise ? reply.then(told) : told(reply);
}

function pageReply(page: Reply | undefined, method: string): Reply {
  if (page === undefined)
    return problemReply(new TangazaError('NOT_FOUND', 'There is nothing at this path.'));
  if (method === 'get' || method === 'head' || ('status' in page && page.status !== 200)) return page;
  return wrongMethodReply(pagePath.allow);
}

function wrongMethodReply(allow: string): Reply {
  const error = new TangazaError('METHOD_NOT_ALLOWED', `This path takes ${allow}.`);
  return problemReply(error, {}, { allow });
}

function originOf({ publicUrl, ownUrl, isTrustedProxy }: ControlApiPart, request: HttpRequest): string {
  return publicUrl?.replace(/\/+$/, '') ?? callerOrigin(request, isTrustedProxy, ownUrl);
}

function serve(ports: Serving, request: HttpRequest, { route, params }: Match): Reply | Promise<Reply> {
  const caller = route.tag === 'audience' ? callerOf(request, ports.access, ports.isTrustedProxy) : undefined;
  if (route.auth === 'viewer') mustBeViewer(caller);
  if (route.auth === 'operator') mustBeOperator(request, ports.access);
  if (route.auth === 'insider') mustBeInsider(request, ports.access);
  const issues: Issue[] = [];
  const local = ports.local.get(route.operation) ?? actionRoute(ports, route);
  const run = local.read({ route, params, query: request.query }, issues);
  const told = {
    origin: originOf(ports, request),
    ...(caller === undefined ? {} : { caller }),
    ...idempotencyKeyOf(request, issues),
  };
  if (run === undefined || issues.length > 0) throw inputError(route, issues);
  mustBeAcceptable(route, request.header('accept'));
  return route.body === undefined
    ? run(request, { ...told, body: undefined })
    : readBody(request, route.body).then((body) => run(request, { ...told, body }));
}

/** In a public media path, a name that is not valid names something that does not exist: the answer is 404. */
function inputError({ tag }: Route, issues: readonly Issue[]): TangazaError {
  const isNoName = tag === 'playback' && issues.some((issue) => issue.in === 'path');
  return isNoName
    ? new TangazaError('NOT_FOUND', 'There is nothing at this path.')
    : new InvalidInput(issues);
}

async function readBody(request: HttpRequest, schema: z.ZodType): Promise<unknown> {
  mustBeJson(request);
  const issues: Issue[] = [];
  const body = check(schema, parseJson(await request.body()), 'body', issues);
  if (body === undefined) throw new InvalidInput(issues);
  return body.value;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (error) {
    throw new TangazaError('BAD_REQUEST', 'The body is not JSON in UTF-8.', { cause: error });
  }
}

function idempotencyKeyOf(request: HttpRequest, issues: Issue[]): { idempotencyKey?: string } {
  const key = request.header('idempotency-key');
  if (key === '') return {};
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return { idempotencyKey: key };
  issues.push({
    in: 'header',
    at: 'Idempotency-Key',
    message: 'must have 1 to 200 printable characters without blanks',
  });
  return {};
}

/** Validated as its schemas say; the action has their types. */
function actionRoute(ports: ControlApiPart, route: Route): LocalRoute {
  return defineRoute({ ...withoutInput(route), ...route }, (_request, input) =>
    callAction(ports, route, input),
  );
}

async function callAction(
  { call }: ControlApiPart,
  { action, operation, reply }: Route,
  input: RouteInput,
): Promise<Reply> {
  if (action === undefined) throw new Error(`the route ${operation} has neither a handler nor an action`);
  const result = await call(action, input);
  if (reply.schema === undefined) return emptyReply(reply.status, { 'cache-control': 'no-store' });
  const id =
    reply.status === 201 && typeof result === 'object' && result !== null
      ? Reflect.get(result, 'id')
      : undefined;
  return jsonReply(
    reply.status,
    result,
    typeof id === 'string' && /^[\w-]+$/.test(id) ? { location: `/v1/streams/${id}` } : {},
  );
}
