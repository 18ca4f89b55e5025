/** Builds the operator port of a node from the node's parts, whatever roles the node has. */
import type { Readiness } from '../../cluster/contract/api/edge-routes.ts';
import { membershipParts } from '../../cluster/membership/members-for.ts';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import type { NodeConfig } from '../../config/config.ts';
import { allRoutes } from './edge.ts';
import { uwsServer } from './http/http.uws.ts';
import { makeOperatorApi } from './http/node-api.ts';
import { OperatorPort, operatorPortLimits } from './operator-port.ts';

/** What a node says about itself, and who may ask. */
export interface Tells {
  /** A node with an edge adds the edge's own parts to this. */
  readiness: () => Readiness['parts'];
  readonly renderMetrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  readonly operatorToken: string;
  readonly metricsToken: string | undefined;
}

/** What `/readyz` says of every node. */
export function nodeReadiness({ members, node, natsDownMs }: ClusterParts): Tells['readiness'] {
  const gone = (): object => (natsDownMs() === 0 ? {} : { detail: `gone for ${natsDownMs()} ms` });
  return () => [...membershipParts(members, node), { name: 'nats', isReady: true, ...gone() }];
}

export interface OperatorPortParts extends ClusterParts {
  readonly config: Pick<NodeConfig, 'operator'>;
  readonly tells: Tells;
}

/** @param closing collects what closes the port */
export function composeOperatorPort(parts: OperatorPortParts, closing: AsyncDisposableStack): OperatorPort {
  const { config, tells, node, clock, metrics, logger } = parts;
  const { operatorToken, metricsToken, renderMetrics } = tells;
  const access = { operatorToken, metricsToken, isLocalPort: config.operator?.isLoopback === true };
  const readiness: Tells['readiness'] = () => tells.readiness();
  const port = new OperatorPort({
    at: config.operator,
    server: uwsServer({ clock, metrics, logger, limits: operatorPortLimits, listener: 'operator' }),
    api: makeOperatorApi({ node, clock, access, renderMetrics, readiness, routes: allRoutes }),
    logger,
  });
  closing.defer(() => port.close());
  return port;
}
