/**
 * What a node says about itself: whether it is alive and ready, its metrics, its API, its time. The viewers' port and the operator port
 * both serve it.
 */
import { nodeRoutes, type Readiness } from '../../../cluster/contract/api/edge-routes.ts';
import type { Route } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { NodeId, RegionId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { makeApi } from './api.ts';
import { defineRoute, noParams, withoutInput, type LocalRoute, type Serve } from './define-route.ts';
import { makeEntity } from '../playback/entity.ts';
import { jsonReply, messageReply, problemReply, type Entity, type Reply } from './http.ts';
import type { HttpHandlers } from './http-server.ts';
import { openApiDocument } from './openapi.ts';
import { asyncApiDocument } from '../socket/asyncapi.ts';
import { makeRouter } from './router.ts';
import { isInsider, type Access } from './access.ts';

/** The node's part of an edge, and of its operator port. */
export interface NodePart {
  readonly node: NodeId;
  readonly clock: Clock;
  /** How far the clock of another region is ahead of this node's (R12); absent in a deployment of one region. */
  readonly aheadMs?: ((region: RegionId) => number) | undefined;
  /** What this node needs in order to serve. If any part has `isReady: false`, `/readyz` answers 503. */
  readonly readiness: () => Readiness['parts'];
  /** The Prometheus text and its content type. */
  readonly renderMetrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
}

export interface NodeApiPorts extends NodePart {
  readonly access: Access;
  /** The routes of the whole API, which the OpenAPI document lists. */
  readonly routes: readonly Route[];
}

/** The text is made at most once in this time, as some thousand series take some milliseconds. */
const metricsAgeMs = 1000;

export function nodeApi(ports: NodeApiPorts): readonly LocalRoute[] {
  const { clock, access, routes } = ports;
  const { alive, ready, metrics, openapi, asyncapi, time } = nodeRoutes;
  const describe = documents((origin) => openApiDocument(routes, origin));
  const describeSocket = documents(asyncApiDocument);
  const isAlive = messageReply(200, 'application/json', JSON.stringify({ status: 'ok' }));
  return [
    defineRoute(withoutInput(alive), () => isAlive),
    defineRoute(withoutInput(ready), (request) => readyReply(ports, isInsider(request, access))),
    defineRoute(withoutInput(metrics), metricsHandler(ports)),
    defineRoute(withoutInput(openapi), (_request, { origin }) => describe(origin)),
    defineRoute(withoutInput(asyncapi), (_request, { origin }) => describeSocket(origin)),
    defineRoute({ ...time, params: noParams }, (_request, { query: { region } }) => {
      const aheadMs = region === undefined ? 0 : (ports.aheadMs?.(region) ?? 0);
      return messageReply(200, 'text/plain', new Date(clock.utcMs() + aheadMs).toISOString());
    }),
  ];
}

export interface NodePortApiPorts extends NodeApiPorts {
  /** What members are told of this node. */
  readonly ownUrl: string;
}

/** Everything that the operator port serves, and the HTTP port of a node without the edge role. None of it is for viewers. */
export function makeNodeApi(ports: NodePortApiPorts): HttpHandlers {
  const routes = Object.values(nodeRoutes);
  const paths = routes.map(({ path }) => path).join(', ');
  const handle = makeApi({
    clock: ports.clock,
    access: ports.access,
    router: makeRouter(routes),
    local: nodeApi(ports),
    call: () => Promise.reject(new Error('no route of a node calls an action')),
    publicUrl: undefined,
    ownUrl: ports.ownUrl,
    isTrustedProxy: () => false,
    fallback: () => problemReply(new TangazaError('NOT_FOUND', `This port serves ${paths}.`)),
  });
  return { hot: () => undefined, handle };
}

function metricsHandler({ clock, renderMetrics }: NodeApiPorts): Serve {
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

/** @returns the document as it is for that base URL */
function documents(make: (origin: string) => unknown): (origin: string) => Entity {
  const made = new Map<string, Entity>();
  return (origin) => {
    const known = made.get(origin);
    if (known !== undefined) return known;
    const entity = makeEntity(new TextEncoder().encode(JSON.stringify(make(origin))), {
      contentType: 'application/json',
      cacheControl: 'no-cache',
      isText: true,
    });
    if (made.size < maxDocuments) made.set(origin, entity);
    return entity;
  };
}
