/**
 * What a node says about itself: whether it is alive and ready, its metrics, its API, its time. The viewers' port and the operator port
 * both serve it.
 */
import { nodeRoutes, type Readiness } from '../../../cluster/contract/api/edge-routes.ts';
import type { Route } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { NodeId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { LocalHandler } from './api.ts';
import { makeApi } from './api.ts';
import { makeEntity } from '../playback/entity.ts';
import { jsonReply, messageReply, problemReply, type Entity, type Reply } from './http.ts';
import type { HttpHandlers } from './http-server.ts';
import { openApiDocument } from './openapi.ts';
import { makeRouter } from './router.ts';
import { isInsider, type Access } from './access.ts';

export interface NodeApiPorts {
  readonly node: NodeId;
  readonly clock: Clock;
  readonly access: Access;
  /** What this node needs in order to serve. */
  readonly readiness: () => Readiness['parts'];
  /** The Prometheus text and its content type. */
  readonly renderMetrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  /** The routes of the whole API, which the OpenAPI document lists. */
  readonly routes: readonly Route[];
}

/** The text is made at most once in this time, as some thousand series take some milliseconds. */
const metricsAgeMs = 1000;

/** The handlers by operation. */
export function nodeHandlers(ports: NodeApiPorts): readonly (readonly [string, LocalHandler])[] {
  const documents = new Map<string, Entity>();
  const alive = messageReply(200, 'application/json', JSON.stringify({ status: 'ok' }));
  return [
    [nodeRoutes.alive.operation, () => alive],
    [nodeRoutes.ready.operation, (request) => readyReply(ports, isInsider(request, ports.access))],
    [nodeRoutes.metrics.operation, metricsHandler(ports)],
    [nodeRoutes.openapi.operation, (_request, { origin }) => openApiEntity(ports.routes, documents, origin)],
    [
      nodeRoutes.time.operation,
      () => messageReply(200, 'text/plain', new Date(ports.clock.utcMs()).toISOString()),
    ],
  ];
}

/** Everything that the operator port serves. None of it is for viewers. */
export function makeOperatorApi(ports: NodeApiPorts): HttpHandlers {
  const routes = Object.values(nodeRoutes);
  const paths = routes.map(({ path }) => path).join(', ');
  const handle = makeApi({
    ...{ clock: ports.clock, access: ports.access, router: makeRouter(routes) },
    local: new Map(nodeHandlers(ports)),
    call: () => Promise.reject(new Error('no route of a node calls an action')),
    publicUrl: undefined,
    isTrustedProxy: () => false,
    fallback: () => problemReply(new TangazaError('NOT_FOUND', `The operator port serves ${paths}.`)),
  });
  return { hot: () => undefined, handle };
}

function metricsHandler({ clock, renderMetrics }: NodeApiPorts): LocalHandler {
  let made: { readonly atMs: number; readonly reply: Promise<Reply> } | undefined;
  const make = async (): Promise<Reply> => {
    const { text, contentType } = await renderMetrics();
    return messageReply(200, contentType, text);
  };
  return () => {
    const nowMs = clock.monotonicMs();
    if (made === undefined || nowMs - made.atMs >= metricsAgeMs) made = { atMs: nowMs, reply: make() };
    return made.reply;
  };
}

/** Only insiders see the names of members and what is wrong with them. Others see which part is not ready. */
function readyReply({ node, readiness }: NodeApiPorts, isTold: boolean): Reply {
  const parts = readiness();
  const ready = parts.every(({ isReady }) => isReady);
  const told = isTold ? parts : parts.map(({ name, isReady }) => ({ name, isReady }));
  return jsonReply(ready ? 200 : 503, { ready, node, parts: [...told] } satisfies Readiness);
}

/**
 * How many base URLs of this node have their document kept. There are few; for a caller that invents more, the document is made each time.
 */
const maxDocuments = 16;

function openApiEntity(routes: readonly Route[], documents: Map<string, Entity>, origin: string): Entity {
  const known = documents.get(origin);
  if (known !== undefined) return known;
  const body = new TextEncoder().encode(JSON.stringify(openApiDocument(routes, origin)));
  const entity = makeEntity(body, {
    contentType: 'application/json',
    cacheControl: 'no-cache',
    isText: true,
  });
  if (documents.size < maxDocuments) documents.set(origin, entity);
  return entity;
}
